"""The pure parts of ingest."""
