"""Two people put their names under a list's digest; without both, by keys of their own, it is no list."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar

from services.contracts.authorisation.enums import Role
from services.contracts.authorisation.fields import Name, Sha256
from services.contracts.authorisation.registry import Registry
from services.contracts.authorisation.signing import SigningKey
from services.contracts.authorisation.statements import NotBelieved, Opened, Statement, open_as
from services.contracts.authorisation.statements import sign as signed_by
from services.contracts.errors import Undecodable
from services.contracts.sealed.canonical import decode, encode
from services.contracts.sealed.draft import Draft, draft_faults
from services.contracts.sealed.faults import Altered, Fault, refuse
from services.contracts.sealed.likeness import Similarity
from services.contracts.sealed.manifest import Leaf, Manifest, check, root_of
from services.contracts.sealed.rules import is_sha256, same_person

FORMAT = "signpost-seal-1"


class ListSealed(Statement):
    """One person's name under one list: who made it, or who answers for who is on it (C-26)."""

    TYP: ClassVar[str] = "signpost-list-seal+jws"
    SIGNERS: ClassVar[frozenset[Role]] = frozenset({Role.LIST_MANAGER, Role.AUTHORISING_OFFICER})

    name: Name
    digest: Sha256


@dataclass(frozen=True, kw_only=True)
class Seal:
    """A list's digest, the leaves that name what was altered, and its signatures: tokens, none in a draft. Kept
    beside the manifest."""

    format: str = FORMAT
    deployment: str
    name: str
    digest: str
    leaves: tuple[Leaf, ...] = field(repr=False)
    signatures: tuple[str, ...] = field(default=(), repr=False)

    def to_bytes(self) -> bytes:
        return encode(self)


def sign(of: Manifest, key: SigningKey, *, at: datetime) -> str:
    """That person's token under the list. Each signs for themselves, where their key is. Raises ValueError for
    a list that has no proper name."""
    head = of.head
    return signed_by(ListSealed(deployment=head.deployment, signed_at=at, name=head.name, digest=of.digest), key)


def unsealed(of: Manifest) -> Seal:
    """The seal of a list that nobody has signed."""
    return Seal(deployment=of.head.deployment, name=of.head.name, digest=of.digest, leaves=of.leaves)


def seal(
    draft: Draft, signatures: Sequence[str], *, similarity: Similarity, registry: Registry, now: datetime
) -> Seal:
    """The seal, if the list breaks no rule and two people signed it. Raises Refused with every fault found."""
    of = draft.manifest
    made = Seal(
        deployment=of.head.deployment,
        name=of.head.name,
        digest=of.digest,
        leaves=of.leaves,
        signatures=tuple(sorted(signatures)),
    )
    faults = [*draft_faults(draft, similarity=similarity, at=now), *signature_faults(made, registry, now=now)]
    if any(one.statement.signed_at < of.head.created_at for one in _believed(made, registry, now)):
        faults.append(Fault("", "signatures", "must be younger than the list", "G10"))
    refuse(faults)
    return made


def signature_faults(of: Seal, registry: Registry, *, now: datetime) -> Iterator[Fault]:
    """Why the signatures do not make a seal: exactly two, one a role, two people, both under this list.

    Whether `registry` is the root's and in force is for the caller to know.
    """
    found = list(_believed(of, registry, now))
    roles = [one.key.role for one in found]
    if len(of.signatures) != 2 or len(roles) != 2 or set(roles) != ListSealed.SIGNERS:
        rule = "must be two: a list manager's and an authorising officer's, by keys in force"
        yield Fault("", "signatures", rule, "G10")
        return
    one, other = found
    if same_person(one.key.person, other.key.person):
        yield Fault("", "signatures", "must be of two people", "G10, B 3.13")
    for believed in found:
        held = registry.roles_of(believed.key.person, start=believed.statement.signed_at, end=now)
        if held >= ListSealed.SIGNERS:
            yield Fault("", "signatures", "must be of people who hold one side only", "G10, C-18")
        told = believed.statement
        if (told.deployment, told.name, told.digest) != (of.deployment, of.name, of.digest):
            yield Fault("", "signatures", "must be under this list", "G10")


def check_manifest(raw: bytes, sealed: Seal, registry: Registry, *, now: datetime) -> Manifest:
    """The manifest that two people sealed, from its kept bytes. Raises Refused for the signatures, Altered naming
    each line that is not theirs."""
    refuse(signature_faults(sealed, registry, now=now))
    found = check(raw, leaves=sealed.leaves, digest=sealed.digest)
    check_told(found, sealed)
    return found


def check_told(of: Manifest, sealed: Seal) -> None:
    """What a seal says of a list beside its digest. Raises Altered: the digest binds the leaves' hashes only."""
    if of.leaves != sealed.leaves:
        raise Altered(["leaves"], "not named as the entries are")
    if (of.head.deployment, of.head.name) != (sealed.deployment, sealed.name):
        raise Altered(["head"], "another list's")


def parse_seal(raw: bytes) -> Seal:
    """The seal of `to_bytes`; says nothing of its signatures. Raises Undecodable."""
    found = decode(Seal, raw)
    if not well_formed(found):
        raise Undecodable("not a seal")
    return found


def well_formed(of: Seal) -> bool:
    """Whether its format is the one there is, and its hashes are hashes."""
    return of.format == FORMAT and all(is_sha256(one) for one in (of.digest, *(leaf.sha256 for leaf in of.leaves)))


def names_its_leaves(of: Seal) -> bool:
    """Whether the leaves are those of the digest; if not they cannot say what was altered."""
    return root_of(of.leaves) == of.digest


def _believed(of: Seal, registry: Registry, now: datetime) -> Iterator[Opened[ListSealed]]:
    for token in of.signatures:
        try:
            yield open_as(ListSealed, token, registry=registry, now=now)
        except NotBelieved:
            continue
