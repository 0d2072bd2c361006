"""Mirrors services/review."""
