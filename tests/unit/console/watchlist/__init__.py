"""Tests of watchlist."""
