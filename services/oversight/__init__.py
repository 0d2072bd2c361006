"""Oversight: the register of authorities, and the lease without which nothing is searched."""
