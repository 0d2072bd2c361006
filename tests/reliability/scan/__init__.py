"""Looks for what must not be there: canaries, keys, and records that any found key opens."""
