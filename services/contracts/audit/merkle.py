"""The Merkle tree of RFC 6962 (section 2.1), grown a leaf at a time and kept as its O(log n) frontier.

A leaf is H(0x00 | leaf), a node H(0x01 | left | right), H is SHA-256; the left subtree of n leaves holds the
largest power of two below n. Proofs are made and checked in `proofs.py`.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

EMPTY_ROOT = hashlib.sha256(b"").digest()
HASH_BYTES = 32


def leaf_hash(leaf: bytes) -> bytes:
    """The hash that stands in the tree for a leaf's bytes."""
    return hashlib.sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of a node over its two subtrees. The prefix keeps a node from being taken for a leaf."""
    return hashlib.sha256(b"\x01" + left + right).digest()


@dataclass(frozen=True)
class Frontier:
    """A tree of `size` leaves as the roots of its full subtrees, largest first: one a set bit of `size`."""

    size: int = 0
    peaks: tuple[bytes, ...] = ()

    def __post_init__(self) -> None:
        if self.size < 0 or len(self.peaks) != self.size.bit_count():
            raise ValueError("a frontier has one peak for each set bit of its size")

    def grown(self, leaf: bytes) -> Frontier:
        """The tree with one more leaf, whose leaf hash is `leaf`."""
        peaks, node, full = list(self.peaks), leaf, self.size
        while full & 1:
            node = node_hash(peaks.pop(), node)
            full >>= 1
        return Frontier(self.size + 1, (*peaks, node))

    @property
    def root(self) -> bytes:
        """The tree's head; SHA-256 of nothing while it is empty."""
        if not self.peaks:
            return EMPTY_ROOT
        root = self.peaks[-1]
        for left in reversed(self.peaks[:-1]):
            root = node_hash(left, root)
        return root
