"""Two people put their names under a list's digest; without both, by keys of their own, it is no list."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from services.contracts.authorisation import enums
from services.contracts.errors import Undecodable
from services.contracts.sealed.canonical import decode, encode
from services.contracts.sealed.draft import Draft, draft_faults
from services.contracts.sealed.faults import Altered, Fault, refuse
from services.contracts.sealed.likeness import Similarity
from services.contracts.sealed.manifest import Leaf, Manifest, check, root_of
from services.contracts.sealed.rules import is_sha256, same_person

FORMAT = "signpost-seal-1"
SIGNATURE_BYTES = 64


class Role(StrEnum):
    """Who signs a list, by the registry's names of roles; nobody holds both. The authorising officer answers for
    who is on it (C-26), so theirs is the second name."""

    MANAGER = enums.Role.LIST_MANAGER.value
    APPROVER = enums.Role.AUTHORISING_OFFICER.value


class Signer(Protocol):
    """One person's Ed25519 key. Blocks on arithmetic, unless it stands in a KMS or on a card."""

    @property
    def person(self) -> str:
        """Whose key it is, as the registry knows them."""
        ...

    @property
    def key_id(self) -> str:
        """How the registry knows the key."""
        ...

    def sign(self, message: bytes) -> bytes:
        """64 bytes."""
        ...


class Verifier(Protocol):
    """The registry of keys, persons and roles, as its reader has it now. Never blocks, never raises."""

    def person(
        self, *, key_id: str, role: Role, signed_at: datetime, message: bytes, signature: bytes
    ) -> str | None:
        """Who signed `message`; None unless the signature is good, and the key was that person's, held the role
        and was in force at `signed_at`, and is not revoked."""
        ...


@dataclass(frozen=True, kw_only=True)
class Signature:
    """One person's name under one digest. `value` is the signature in hex."""

    person: str
    role: Role
    key_id: str
    signed_at: datetime
    value: str = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class _Statement:
    """What is signed: also who signs as what and when, so that no signature can be passed off as another's."""

    format: str
    list_name: str
    digest: str
    person: str
    role: Role
    key_id: str
    signed_at: datetime


@dataclass(frozen=True, kw_only=True)
class Seal:
    """A list's digest, its signatures, and the leaves that name what was altered. Kept beside the manifest."""

    format: str = FORMAT
    list_name: str
    digest: str
    leaves: tuple[Leaf, ...] = field(repr=False)
    signatures: tuple[Signature, ...]

    def to_bytes(self) -> bytes:
        return encode(self)


def sign(of: Manifest, signer: Signer, role: Role, *, at: datetime) -> Signature:
    """That person's signature under the list. Each signs for themselves, where their key is."""
    statement = _Statement(
        format=FORMAT,
        list_name=of.head.name,
        digest=of.digest,
        person=signer.person,
        role=role,
        key_id=signer.key_id,
        signed_at=at,
    )
    value = signer.sign(encode(statement)).hex()
    return Signature(person=signer.person, role=role, key_id=signer.key_id, signed_at=at, value=value)


def seal(
    draft: Draft, signatures: Sequence[Signature], *, similarity: Similarity, verifier: Verifier, at: datetime
) -> Seal:
    """The seal, if the list breaks no rule and two people signed it. Raises Refused with every fault found."""
    of = draft.manifest
    made = Seal(
        list_name=of.head.name,
        digest=of.digest,
        leaves=of.leaves,
        signatures=tuple(sorted(signatures, key=lambda one: (one.role, one.key_id))),
    )
    faults = [*draft_faults(draft, similarity=similarity, at=at), *signature_faults(made, verifier, at=at)]
    if any(one.signed_at < of.head.created_at for one in signatures):
        faults.append(Fault("", "signatures", "must be younger than the list", "G10"))
    refuse(faults)
    return made


def signature_faults(of: Seal, verifier: Verifier, *, at: datetime) -> Iterator[Fault]:
    """Why the signatures do not make a seal: exactly two, one a role, two people, two keys, all good."""
    if [one.role for one in of.signatures] != sorted(Role):
        yield Fault("", "signatures", "must be two: one of a manager, one of an approver", "G10")
    for one in of.signatures:
        statement = _Statement(
            format=FORMAT,
            list_name=of.list_name,
            digest=of.digest,
            person=one.person,
            role=one.role,
            key_id=one.key_id,
            signed_at=one.signed_at,
        )
        found = _person(verifier, one, encode(statement))
        if found is None or found != one.person or one.signed_at > at:
            yield Fault("", f"signatures.{one.role}", "must be by a key in force that holds the role", "G10")
    if len(of.signatures) == 2:
        yield from _separation(*of.signatures)


def check_manifest(raw: bytes, sealed: Seal, verifier: Verifier, *, at: datetime) -> Manifest:
    """The manifest that two people sealed, from its kept bytes. Raises Refused for the signatures, Altered naming
    each line that is not theirs."""
    refuse(signature_faults(sealed, verifier, at=at))
    if not names_its_leaves(sealed):
        raise Altered(["leaves"], "not those of the digest that was signed")
    found = check(raw, leaves=sealed.leaves, digest=sealed.digest)
    # The digest binds the leaves' hashes, not their names.
    if found.leaves != sealed.leaves:
        raise Altered(["leaves"], "not named as the entries are")
    if found.head.name != sealed.list_name:
        raise Altered(["head"], "another list's name")
    return found


def parse_seal(raw: bytes) -> Seal:
    """The seal of `to_bytes`; says nothing of its signatures. Raises Undecodable."""
    found = decode(Seal, raw)
    hashes = (found.digest, *(one.sha256 for one in found.leaves))
    if found.format != FORMAT or not all(is_sha256(one) for one in hashes):
        raise Undecodable("not a seal")
    return found


def names_its_leaves(of: Seal) -> bool:
    """Whether the leaves are those of the digest; if not they cannot say what was altered."""
    return root_of(of.leaves) == of.digest


def _separation(one: Signature, other: Signature) -> Iterator[Fault]:
    if same_person(one.person, other.person):
        yield Fault("", "signatures", "must be of two people", "G10, B 3.13")
    if one.key_id == other.key_id:
        yield Fault("", "signatures", "must be by two keys", "G10, B 3.13")


def _person(verifier: Verifier, one: Signature, message: bytes) -> str | None:
    try:
        value = bytes.fromhex(one.value)
    except ValueError:
        return None
    if len(value) != SIGNATURE_BYTES or value.hex() != one.value:
        return None
    return verifier.person(
        key_id=one.key_id, role=one.role, signed_at=one.signed_at, message=message, signature=value
    )
