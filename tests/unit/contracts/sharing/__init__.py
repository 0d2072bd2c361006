"""Tests of the sharing register."""
