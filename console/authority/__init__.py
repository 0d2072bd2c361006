"""An authority as an operator handles it: the draft, the list it waits for, keys, the root's registry; offline."""
