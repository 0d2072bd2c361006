"""Pure parts of ingest: values in, values out."""
