"""The `signpost` command and the local stack it can run."""
