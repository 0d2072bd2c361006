"""Listening sockets that nobody can fill: limits of connections, in total and for each peer, and of waiting."""
