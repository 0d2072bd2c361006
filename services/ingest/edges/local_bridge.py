"""The way to a camera where system calls cannot be filtered: a port of the process's own, for one connection."""

from __future__ import annotations

import os
import socket
import threading
from contextlib import suppress

from services.ingest.core.camera_link import LOCAL

_PIECE_BYTES = 64 * 1024


class LocalBridge:
    """Passes on between an open descriptor and the first who connects. Bound at once, begun once confined."""

    def __init__(self, descriptor: int) -> None:
        self._far = socket.socket(fileno=os.dup(descriptor))
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=1)

    def begin(self) -> str:
        """The address to read."""
        threading.Thread(target=self._carry, name="signpost-local-bridge", daemon=True).start()
        return LOCAL.replace(":554/", f":{self._listening.getsockname()[1]}/")

    def _carry(self) -> None:
        near, _ = self._listening.accept()
        self._listening.close()
        back = threading.Thread(target=_pass_on, args=(self._far, near), daemon=True)
        back.start()
        _pass_on(near, self._far)
        back.join()
        near.close()
        self._far.close()


def _pass_on(source: socket.socket, to: socket.socket) -> None:
    with suppress(OSError):  # either side has gone
        while piece := source.recv(_PIECE_BYTES):
            to.sendall(piece)
    with suppress(OSError):
        to.shutdown(socket.SHUT_WR)
