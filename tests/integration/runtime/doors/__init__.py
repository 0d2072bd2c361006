"""Doors on real sockets, and those who would keep others out."""
