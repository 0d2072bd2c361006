"""Ingest without a world around it."""
