"""Which certificate a camera shows: one TLS handshake, and nothing said after it."""

from __future__ import annotations

import hashlib
import socket
import ssl
from urllib.parse import urlsplit

# Where nothing else is said (RFC 7826).
_RTSPS_PORT = 322
# A camera's thread waits for it, and a stop waits for the thread.
_WITHIN_S = 3.0


def shown_at(address: str) -> str | None:
    """The SHA-256 of the certificate in DER, in hex; None for an address without TLS. Blocks up to some seconds.

    Raises OSError if nobody answers, or not in TLS. Whether anybody vouches for the certificate is not asked: the
    authority names it itself.
    """
    parts = urlsplit(address)
    if parts.scheme != "rtsps" or parts.hostname is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    where = (parts.hostname, parts.port or _RTSPS_PORT)
    with (
        socket.create_connection(where, timeout=_WITHIN_S) as plain,
        context.wrap_socket(plain, server_hostname=parts.hostname) as connection,
    ):
        found = connection.getpeercert(binary_form=True)
    return hashlib.sha256(found).hexdigest() if found else None
