"""Mirrors services/runtime/keys."""
