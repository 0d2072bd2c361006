"""Where a gRPC server listens: this machine in clear, anything beyond it under TLS."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import grpc

from services.contracts.errors import Misconfigured
from services.runtime.addresses import is_loopback


@dataclass(frozen=True, kw_only=True)
class Tls:
    """PEM files. With `client_ca` a client must show a certificate of it (mTLS)."""

    cert: Path
    key: Path
    client_ca: Path | None = None


class Server(Protocol):
    """What grpc's blocking and its asyncio servers have in common."""

    def add_insecure_port(self, address: str) -> int: ...
    def add_secure_port(self, address: str, server_credentials: grpc.ServerCredentials) -> int: ...


def listen(server: Server, host: str, port: int, tls: Tls | None) -> int:
    """The port in use, also where 0 was asked for.

    Raises Misconfigured: the address cannot be had, or is served beyond this machine without TLS.
    """
    if tls is None and not is_loopback(host):
        raise Misconfigured(
            f"GRPC_HOST: {host} is beyond this machine: give TLS_CERT and TLS_KEY, or use 127.0.0.1"
        )
    address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    try:
        if tls is None:
            return server.add_insecure_port(address)
        return server.add_secure_port(address, _credentials(tls))
    except RuntimeError as error:
        raise Misconfigured(f"GRPC_HOST, GRPC_PORT: cannot listen on {host}:{port}") from error


def _credentials(tls: Tls) -> grpc.ServerCredentials:
    try:
        pair = (tls.key.read_bytes(), tls.cert.read_bytes())
        roots = None if tls.client_ca is None else tls.client_ca.read_bytes()
    except OSError as error:
        raise Misconfigured(
            f"TLS_CERT, TLS_KEY, TLS_CLIENT_CA: {error.filename} cannot be read ({type(error).__name__})"
        ) from error
    return grpc.ssl_server_credentials([pair], roots, require_client_auth=roots is not None)
