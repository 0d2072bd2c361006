"""The link process: connects to one camera, and passes on between it and the process that decodes its stream.

`python -m services.ingest.edges.link_main`, started by `reader_child`, which also says over standard input where
the camera is. It holds the camera's password and its one connection; it decodes nothing, and nothing that decodes
can reach it but by what `core/camera_link` takes. Why a reading cannot be had goes to standard output.
"""

from __future__ import annotations

import os
import secrets
import select
import socket
import ssl
import sys
from contextlib import suppress

from services.contracts.camera_address import CameraAddress, parse_address
from services.ingest.core import order as orders
from services.ingest.core import wire
from services.ingest.core.camera_link import Broken, CameraLink
from services.ingest.core.order import LinkOrder
from services.ingest.core.readings import Ended
from services.ingest.core.reasons import Fault
from services.ingest.edges import camera_connection, child
from services.ingest.edges.confinement import restrict_calls, restrict_files
from services.ingest.edges.udp_ports import UdpPorts

_SPACE_BYTES = 1024**3
_PIECE_BYTES = 256 * 1024
# What may wait for the other side; then this side is not read.
_WAITING_BYTES = 2 * 1024 * 1024


def main() -> None:
    """Read one order, carry it out, end."""
    order = orders.link_from_line(sys.stdin.buffer.readline())
    child.belong_to(order.parent, space_bytes=_SPACE_BYTES)
    decoder = socket.socket(fileno=order.decoder)
    try:
        _live(order, parse_address(order.address), decoder)
    except Broken as broken:
        # Before the decoder sees its connection end: this is the reason why.
        with suppress(BrokenPipeError):
            os.write(1, wire.encode(Ended(broken.fault)))


def _live(order: LinkOrder, address: CameraAddress, decoder: socket.socket) -> None:
    context = camera_connection.tls_context() if address.tls else None
    found = camera_connection.looked_up(address)
    restrict_files(tcp=True)
    camera = camera_connection.connected(found, within_s=order.timeout_s)
    udp = UdpPorts(camera) if order.udp else None
    restrict_calls()  # nothing that a stranger sent was read so far
    if context is not None:
        camera = camera_connection.secured(
            camera, context, host=address.place.host, certificate_sha256=order.certificate_sha256
        )
    carry(address, camera, decoder, udp)


def carry(
    address: CameraAddress, camera: socket.socket, decoder: socket.socket, udp: UdpPorts | None = None
) -> None:
    """Pass on between an open connection to the camera and its decoder until either ends. Raises Broken."""
    link = CameraLink(address, chance=lambda: secrets.token_hex(8), udp_ports=udp.take if udp else lambda: None)
    _Pump(link, camera, decoder, udp).run()


class _Pump:
    """Carries bytes until either side ends. One thread."""

    def __init__(
        self, link: CameraLink, camera: socket.socket, decoder: socket.socket, udp: UdpPorts | None
    ) -> None:
        self._link, self._camera, self._decoder, self._udp = link, camera, decoder, udp
        for one in (camera, decoder):
            one.setblocking(False)

    def run(self) -> None:
        """Raises Broken."""
        while self._step():
            pass

    def _step(self) -> bool:
        """Whether both sides are still there."""
        link = self._link
        reading: list[socket.socket] = []
        if len(link.to_camera) < _WAITING_BYTES:
            reading.append(self._decoder)
        if len(link.to_decoder) < _WAITING_BYTES:
            reading += [self._camera, *(self._udp.sockets if self._udp else ())]
        writing = [
            one for one, waits in ((self._camera, link.to_camera), (self._decoder, link.to_decoder)) if waits
        ]
        # TLS may hold bytes that the socket no longer shows.
        held = self._camera in reading and isinstance(self._camera, ssl.SSLSocket) and self._camera.pending() > 0
        ready, free, _ = select.select(reading, writing, [], 0 if held else None)
        if self._decoder in ready and not self._take_from_decoder():
            if link.waits:  # it says of a camera that is silent what it says of one that sends no video
                raise Broken(link.why_not_begun(Fault.TIMED_OUT))
            return False
        if (held or self._camera in ready) and not self._take_from_camera():
            self._flush()
            return False
        for one in ready:
            if one is not self._decoder and one is not self._camera:
                self._take_datagrams(one)
        if self._camera in free:
            _send(self._camera, link.to_camera)
        if self._decoder in free:
            _send(self._decoder, link.to_decoder)
        return True

    def _take_from_decoder(self) -> bool:
        piece = _received(self._decoder)
        if piece:
            self._link.from_decoder(piece)
            self._datagrams_out()
        return piece != b""

    def _take_from_camera(self) -> bool:
        piece = _received(self._camera)
        if piece:
            self._link.from_camera(piece)
            self._datagrams_out()
        if piece == b"" and not self._link.playing:
            raise Broken(self._link.why_not_begun(Fault.CAMERA_REFUSES))
        return piece != b""

    def _take_datagrams(self, ready: socket.socket) -> None:
        assert self._udp  # noqa: S101 - its sockets are the only others; narrows for the checker
        for port, content in self._udp.received(ready):
            self._link.over_udp(port, content)

    def _datagrams_out(self) -> None:
        for ours, theirs, content in self._link.take_datagrams():
            if self._udp is not None:
                self._udp.send(ours, theirs, content)

    def _flush(self) -> None:
        """What the camera sent before it ended is the decoder's still."""
        self._decoder.setblocking(True)
        with suppress(OSError):
            self._decoder.sendall(self._link.to_decoder)


def _received(side: socket.socket) -> bytes | None:
    """What has come; None if nothing has, b"" at the end."""
    try:
        return side.recv(_PIECE_BYTES)
    except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
        return None
    except OSError:
        return b""


def _send(side: socket.socket, waiting: bytearray) -> None:
    try:
        sent = side.send(waiting)
    except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
        return
    except OSError:  # its end is seen by reading
        sent = len(waiting)
    del waiting[:sent]


if __name__ == "__main__":
    main()
