"""Pure: what oversight records, and why not."""
