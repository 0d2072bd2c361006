"""The Merkle tree of RFC 6962 (section 2.1) over a list's records: leaf and node hashes never meet."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

_LEAF, _NODE = b"\x00", b"\x01"


def leaf(record: bytes) -> bytes:
    """The hash of one record."""
    return hashlib.sha256(_LEAF + record).digest()


def root(leaves: Sequence[bytes]) -> bytes:
    """The tree's head over leaf hashes, in order; of none, the hash of nothing.

    Level by level: pairs join, an odd last one rises as it is, which gives the RFC's split at the largest
    power of two without recursion.
    """
    if not leaves:
        return hashlib.sha256(b"").digest()
    level = list(leaves)
    while len(level) > 1:
        joined = [hashlib.sha256(_NODE + a + b).digest() for a, b in zip(level[::2], level[1::2], strict=False)]
        level = joined + level[len(level) - len(level) % 2 :]
    return level[0]
