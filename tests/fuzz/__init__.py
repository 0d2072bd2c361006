"""Hostile input at every surface of the product: some in the suite, as much as told by `make fuzz`."""
