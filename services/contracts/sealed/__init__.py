"""A sealed list: entries with provenance, a manifest that outlives them, one encrypted file, revocations. Pure."""
