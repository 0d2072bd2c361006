"""The tree against the vectors of Certificate Transparency and against RFC 6962's own recursive definition."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.contracts.audit.merkle import EMPTY_ROOT, Frontier, leaf_hash, node_hash
from services.contracts.audit.proofs import consistency_proof, extends, includes, inclusion_proof

# Inputs and roots of the reference implementation of RFC 6962 (google/certificate-transparency, its tests).
LEAVES = [
    bytes.fromhex(leaf)
    for leaf in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = (
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)
PATHS = [
    (
        8,
        0,
        [
            "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
        ],
    ),
    (
        8,
        5,
        [
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ],
    ),
    (3, 2, ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"]),
    (
        5,
        1,
        [
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        ],
    ),
]
GROWTHS = [
    (
        1,
        8,
        [
            "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
        ],
    ),
    (
        6,
        8,
        [
            "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ],
    ),
    (
        2,
        5,
        [
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        ],
    ),
]


# --- RFC 6962, section 2.1, word for word: slow, over the leaves themselves, sharing no line with ours.


def mth(leaves: list[bytes]) -> bytes:
    if not leaves:
        return hashlib.sha256().digest()
    if len(leaves) == 1:
        return hashlib.sha256(bytes([0]) + leaves[0]).digest()
    k = largest_power_of_two_below(len(leaves))
    return hashlib.sha256(bytes([1]) + mth(leaves[:k]) + mth(leaves[k:])).digest()


def path(m: int, leaves: list[bytes]) -> list[bytes]:
    if len(leaves) == 1:
        return []
    k = largest_power_of_two_below(len(leaves))
    if m < k:
        return [*path(m, leaves[:k]), mth(leaves[k:])]
    return [*path(m - k, leaves[k:]), mth(leaves[:k])]


def subproof(m: int, leaves: list[bytes], b: bool) -> list[bytes]:
    n = len(leaves)
    if m == n:
        return [] if b else [mth(leaves)]
    k = largest_power_of_two_below(n)
    if m <= k:
        return [*subproof(m, leaves[:k], b), mth(leaves[k:])]
    return [*subproof(m - k, leaves[k:], False), mth(leaves[:k])]


def largest_power_of_two_below(n: int) -> int:
    k = 1
    while 2 * k < n:
        k *= 2
    return k


def grown(leaves: list[bytes]) -> Frontier:
    tree = Frontier()
    for leaf in leaves:
        tree = tree.grown(leaf_hash(leaf))
    return tree


def hashes(leaves: list[bytes]) -> list[bytes]:
    return [leaf_hash(leaf) for leaf in leaves]


some_leaves = st.lists(st.binary(max_size=8), min_size=1, max_size=70)


@pytest.mark.parametrize("size", range(1, 9))
def test_the_roots_are_those_of_certificate_transparency(size: int) -> None:
    assert grown(LEAVES[:size]).root.hex() == ROOTS[size - 1]


def test_the_empty_tree_has_the_hash_of_nothing() -> None:
    assert Frontier().root.hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert Frontier().root == EMPTY_ROOT


@pytest.mark.parametrize(("size", "index", "expected"), PATHS)
def test_the_inclusion_proofs_are_those_of_certificate_transparency(
    size: int, index: int, expected: list[str]
) -> None:
    assert [node.hex() for node in inclusion_proof(hashes(LEAVES[:size]), index)] == expected


@pytest.mark.parametrize(("earlier", "size", "expected"), GROWTHS)
def test_the_consistency_proofs_are_those_of_certificate_transparency(
    earlier: int, size: int, expected: list[str]
) -> None:
    assert [node.hex() for node in consistency_proof(hashes(LEAVES[:size]), earlier)] == expected


@given(some_leaves)
def test_a_tree_grown_leaf_by_leaf_has_the_root_of_the_definition(leaves: list[bytes]) -> None:
    tree = grown(leaves)
    assert tree.root == mth(leaves)
    assert len(tree.peaks) <= len(leaves).bit_length()


@given(some_leaves, st.data())
def test_every_leaf_is_proven_in_and_no_other(leaves: list[bytes], data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(leaves) - 1))
    proof = inclusion_proof(hashes(leaves), index)
    assert list(proof) == path(index, leaves)
    root, size = mth(leaves), len(leaves)
    assert includes(root, size, index, leaf_hash(leaves[index]), proof)
    assert not includes(root, size, index, leaf_hash(leaves[index] + b"x"), proof)
    assert not includes(node_hash(root, root), size, index, leaf_hash(leaves[index]), proof)
    assert not includes(root, size, index, leaf_hash(leaves[index]), (*proof, root))
    assert not includes(root, size, size, leaf_hash(leaves[index]), proof)
    if proof:
        assert not includes(root, size, index, leaf_hash(leaves[index]), proof[1:])
        assert not includes(root, size, index, leaf_hash(leaves[index]), proof[:-1])


@given(some_leaves, st.data())
def test_a_tree_that_only_grew_is_proven_and_one_that_changed_is_not(
    leaves: list[bytes], data: st.DataObject
) -> None:
    earlier = data.draw(st.integers(1, len(leaves)))
    proof = consistency_proof(hashes(leaves), earlier)
    assert list(proof) == subproof(earlier, leaves, True)
    old, new = (earlier, mth(leaves[:earlier])), (len(leaves), mth(leaves))
    assert extends(old, new, proof)
    assert not extends((earlier, node_hash(old[1], old[1])), new, proof)
    assert not extends(old, (new[0], node_hash(new[1], new[1])), proof)
    assert not extends(old, new, (*proof, old[1]))
    if proof:
        assert not extends(old, new, proof[:-1])
    changed = [leaves[0] + b"x", *leaves[1:]]
    other = (len(leaves), mth(changed))
    assert not extends(old, other, consistency_proof(hashes(changed), earlier))


def test_every_tree_extends_the_empty_one_and_none_extends_a_larger() -> None:
    root = mth(LEAVES)
    assert extends((0, EMPTY_ROOT), (8, root), ())
    assert not extends((0, root), (8, root), ())
    assert not extends((9, root), (8, root), ())
    assert not extends((4, mth(LEAVES[:4])), (8, root), ())


def test_a_proof_is_made_within_the_tree_only() -> None:
    with pytest.raises(ValueError, match="within the tree"):
        inclusion_proof(hashes(LEAVES), 8)
    with pytest.raises(ValueError, match="no larger"):
        consistency_proof(hashes(LEAVES), 9)


def test_a_frontier_that_cannot_be_is_refused() -> None:
    with pytest.raises(ValueError, match="one peak"):
        Frontier(3, (bytes(32),))
