"""Tests of the console and its local stack."""
