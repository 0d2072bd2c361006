"""Signpost's tests: unit, integration, e2e, reliability, architecture."""
