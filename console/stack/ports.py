"""Free loopback ports, not handed out twice by one process."""

from __future__ import annotations

import socket
from contextlib import ExitStack

# Handed out before: a server that is about to bind must not lose its port to its sibling.
_taken: set[int] = set()


def free_ports(count: int) -> list[int]:
    """Return `count` different ports of 127.0.0.1 that nothing listens on now.

    Another process may still take one before the caller binds it: start again with new ones then.
    """
    with ExitStack() as held:
        found: list[int] = []
        while len(found) < count:
            probe = held.enter_context(socket.socket())
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
            if port not in _taken:
                found.append(port)
        _taken.update(found)
    return found


def accepts(port: int) -> bool:
    """True if something accepts connections on this port of 127.0.0.1; blocks 0.2 s at most."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=0.2):
            return True
    except OSError:
        return False
