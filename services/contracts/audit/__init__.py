"""The audit chain: what is asked to be recorded, how it is chained and signed, and how it leaves in a file."""
