"""Builds a list from a folder of pictures: what is taken, what is refused and why, in pure steps."""
