"""A real Prometheus: what it scrapes, and the rules it loads."""
