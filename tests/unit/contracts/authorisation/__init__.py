"""Unit tests of the signed authority."""
