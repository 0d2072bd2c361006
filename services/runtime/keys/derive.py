"""One key out of several parts, so that the loss of any part is the loss of the key."""

from __future__ import annotations

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from services.runtime.keys.port import KEY_BYTES


def derive(*parts: bytes, info: str) -> bytes:
    """HKDF-SHA256 over the parts, for the purpose `info`. 32 bytes; parts of 32 bytes each.

    Raises ValueError for a part of another length: then joined parts could be read two ways.
    """
    if not parts or any(len(part) != KEY_BYTES for part in parts):
        raise ValueError(f"each part of a key has {KEY_BYTES} bytes")
    return HKDF(hashes.SHA256(), KEY_BYTES, salt=None, info=info.encode()).derive(b"".join(parts))
