"""Tests of the sharing commands' own parts."""
