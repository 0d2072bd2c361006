"""The rules of a door, without a socket."""
