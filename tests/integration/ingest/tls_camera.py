"""The door of a camera behind TLS: it shows a certificate, which can be swapped, and says nothing more."""

from __future__ import annotations

import hashlib
import socket
import ssl
import threading
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

_WITHIN_S = 5.0


class TlsCamera:
    """A context manager; `address` is rtsps. One certificate from the beginning, another after each `swap`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.certificate_sha256 = ""
        self.swap()

    @property
    def address(self) -> str:
        return f"rtsps://127.0.0.1:{self._listening.getsockname()[1]}/camera"

    def __enter__(self) -> Self:
        threading.Thread(target=self._serve, name="tls-camera", daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listening.close()

    def swap(self) -> None:
        """Another camera stands there now."""
        self._context, self.certificate_sha256 = a_certificate(self._folder)

    def _serve(self) -> None:
        with suppress(OSError):  # closed
            while True:
                plain, _ = self._listening.accept()
                plain.settimeout(_WITHIN_S)
                with suppress(OSError), self._context.wrap_socket(plain, server_side=True) as shown:
                    shown.recv(1)


def a_certificate(folder: Path) -> tuple[ssl.SSLContext, str]:
    """A camera's side of TLS with a new certificate, and the certificate's SHA-256."""
    key = Ed25519PrivateKey.generate()
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a camera")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, None)
    )
    sha256 = hashlib.sha256(certificate.public_bytes(Encoding.DER)).hexdigest()
    pem = folder / f"{sha256}.pem"
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    pem.write_bytes(secret + certificate.public_bytes(Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    return context, sha256
