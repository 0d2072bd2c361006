"""Proofs over the Merkle tree: that an entry is in it, and that a later tree only grew (RFC 6962, 2.1.1, 2.1.2).

Making a proof takes all leaf hashes and reads each once; checking one takes the proof and the two roots.
"""

from __future__ import annotations

from collections.abc import Sequence

from services.contracts.audit.merkle import EMPTY_ROOT, Frontier, node_hash

Proof = tuple[bytes, ...]


def inclusion_proof(leaves: Sequence[bytes], index: int) -> Proof:
    """The path from leaf `index` (from 0) to the root of the tree over all `leaves` (leaf hashes).

    Raises ValueError for an index outside the tree.
    """
    if not 0 <= index < len(leaves):
        raise ValueError("index lies within the tree")
    if len(leaves) == 1:
        return ()
    split = _split(len(leaves))
    left, right = leaves[:split], leaves[split:]
    if index < split:
        return (*inclusion_proof(left, index), _root(right))
    return (*inclusion_proof(right, index - split), _root(left))


def consistency_proof(leaves: Sequence[bytes], earlier: int) -> Proof:
    """That the tree over `leaves` (leaf hashes) begins with the tree of `earlier` leaves. ValueError beyond it."""
    if not 0 <= earlier <= len(leaves):
        raise ValueError("the earlier tree is no larger than the later")
    if earlier in (0, len(leaves)):
        return ()
    return _subproof(leaves, earlier, whole=True)


def includes(root: bytes, size: int, index: int, leaf: bytes, proof: Proof) -> bool:
    """Whether `proof` shows leaf hash `leaf` at `index` (from 0) of the tree of `size` leaves and this root."""
    if not 0 <= index < size:
        return False
    node, place, last = leaf, index, size - 1
    for sibling in proof:
        if last == 0:
            return False
        if place & 1 or place == last:
            node = node_hash(sibling, node)
            place, last = _climb(place, last)
        else:
            node = node_hash(node, sibling)
        place, last = place >> 1, last >> 1
    return last == 0 and node == root


def extends(earlier: tuple[int, bytes], later: tuple[int, bytes], proof: Proof) -> bool:
    """Whether `proof` shows that the `later` (size, root) holds all the `earlier` one held, in its place."""
    (size, root), (later_size, later_root) = earlier, later
    if not 0 <= size <= later_size:
        return False
    if size == later_size:
        return not proof and root == later_root
    if size == 0:
        return not proof and root == EMPTY_ROOT
    path = (root, *proof) if size.bit_count() == 1 else proof
    return bool(path) and _both_roots(size, later_size, path) == (root, later_root)


def _both_roots(size: int, later_size: int, path: Proof) -> tuple[bytes, bytes] | None:
    place, last = size - 1, later_size - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    old = new = path[0]
    for node in path[1:]:
        if last == 0:
            return None
        if place & 1 or place == last:
            old, new = node_hash(node, old), node_hash(node, new)
            place, last = _climb(place, last)
        else:
            new = node_hash(new, node)
        place, last = place >> 1, last >> 1
    return (old, new) if last == 0 else None


def _climb(place: int, last: int) -> tuple[int, int]:
    """Up the levels at which a rightmost subtree has no sibling."""
    while place and not place & 1:
        place, last = place >> 1, last >> 1
    return place, last


def _subproof(leaves: Sequence[bytes], earlier: int, *, whole: bool) -> Proof:
    """SUBPROOF of RFC 6962: `whole` while the earlier tree's own root is still known to who checks."""
    if earlier == len(leaves):
        return () if whole else (_root(leaves),)
    split = _split(len(leaves))
    left, right = leaves[:split], leaves[split:]
    if earlier <= split:
        return (*_subproof(left, earlier, whole=whole), _root(right))
    return (*_subproof(right, earlier - split, whole=False), _root(left))


def _split(size: int) -> int:
    """The largest power of two below `size`."""
    return 1 << (size - 1).bit_length() - 1


def _root(leaves: Sequence[bytes]) -> bytes:
    tree = Frontier()
    for leaf in leaves:
        tree = tree.grown(leaf)
    return tree.root
