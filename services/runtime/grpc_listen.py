"""Where a gRPC server listens: this machine in clear, anything beyond it under TLS."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import grpc

from services.contracts.errors import Misconfigured
from services.runtime.addresses import is_loopback


@dataclass(frozen=True, kw_only=True)
class Tls:
    """PEM files. With `client_ca` a client must show a certificate of it (mTLS)."""

    cert: Path
    key: Path
    client_ca: Path | None = None


def refuse_in_clear(host: str, tls: Tls | None) -> None:
    """Raises Misconfigured for an address beyond this machine without TLS."""
    if tls is None and not is_loopback(host):
        raise Misconfigured(
            f"GRPC_HOST: {host} is beyond this machine: give TLS_CERT and TLS_KEY, or use 127.0.0.1"
        )


def credentials(tls: Tls) -> grpc.ServerCredentials:
    """What a server shows, and asks for. Raises Misconfigured if a file cannot be read."""
    try:
        pair = (tls.key.read_bytes(), tls.cert.read_bytes())
        roots = None if tls.client_ca is None else tls.client_ca.read_bytes()
    except OSError as error:
        raise Misconfigured(
            f"TLS_CERT, TLS_KEY, TLS_CLIENT_CA: {error.filename} cannot be read ({type(error).__name__})"
        ) from error
    return grpc.ssl_server_credentials([pair], roots, require_client_auth=roots is not None)
