"""Keys that expire: where they live, how they are combined, what is sealed under them."""
