"""The one connection to a camera: made, and over TLS held against the certificate that the authority names."""

from __future__ import annotations

import hashlib
import hmac
import socket
import ssl
import time
from collections.abc import Sequence

from services.contracts.camera_address import CameraAddress
from services.ingest.core.camera_link import Broken
from services.ingest.core.reasons import Fault

Found = tuple[socket.AddressFamily, tuple[object, ...]]


def looked_up(address: CameraAddress) -> list[Found]:
    """Where the camera's host is. Blocks on the system's resolver. Raises Broken."""
    try:
        found = socket.getaddrinfo(address.place.host, address.port, type=socket.SOCK_STREAM)
    except OSError:
        raise Broken(Fault.UNREACHABLE) from None
    return [(family, where) for family, _, _, _, where in found]


def connected(found: Sequence[Found], *, within_s: float) -> socket.socket:
    """A connection to the first that answers. Raises Broken."""
    until_s = time.monotonic() + within_s
    fault = Fault.UNREACHABLE
    for family, where in found:
        connection = socket.socket(family, socket.SOCK_STREAM)
        connection.settimeout(max(0.1, until_s - time.monotonic()))
        try:
            connection.connect(where)
        except TimeoutError:
            fault = Fault.TIMED_OUT
        except OSError:
            pass
        else:
            return connection
        connection.close()
    raise Broken(fault)


def tls_context() -> ssl.SSLContext:
    """Whether anybody vouches for a certificate is not asked: where one matters the authority names it itself."""
    "".encode("idna")  # loads what a handshake needs while files can still be read
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def secured(
    connection: socket.socket, context: ssl.SSLContext, *, host: str, certificate_sha256: str | None
) -> ssl.SSLSocket:
    """The connection in TLS, with the camera that was authorised at its end; nothing was said to it yet.

    Raises Broken.
    """
    try:
        shown = context.wrap_socket(connection, server_hostname=host.partition("%")[0])
    except TimeoutError:
        raise Broken(Fault.TIMED_OUT) from None
    except OSError:
        raise Broken(Fault.NO_TLS) from None
    if certificate_sha256 is not None:
        found = hashlib.sha256(shown.getpeercert(binary_form=True) or b"").hexdigest()
        if not hmac.compare_digest(found, certificate_sha256):
            shown.close()
            raise Broken(Fault.NOT_AS_AUTHORISED)
    return shown
