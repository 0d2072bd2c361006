"""The register: every version of every authority of the organisation, as recorded. Values only."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from services.contracts.authorisation import enums
from services.contracts.authorisation.document import Document
from services.contracts.authorisation.enums import State
from services.contracts.authorisation.purging import CaseHeld
from services.contracts.authorisation.records import DocumentPublished
from services.contracts.authorisation.registry import Registry
from services.contracts.authorisation.revocations import Revocations
from services.contracts.authorisation.statements import Lease, StateChanged
from services.contracts.authorisation.states import HAS_RUN, Earlier
from services.contracts.sharing.register import SharingRegister

_LIVE = frozenset({State.AUTHORISED, State.ACTIVE, State.SUSPENDED})
_HALTS = frozenset({enums.Move.STOP, enums.Move.SUSPEND})


@dataclass(frozen=True)
class Move:
    """One recorded change of state, with its token."""

    said: StateChanged
    token: str = field(repr=False)


@dataclass(frozen=True)
class Version:
    """One version of an authority with all that was signed about it. `attestations` oldest first."""

    document: Document
    approvals: tuple[str, ...] = field(default=(), repr=False)
    attestations: tuple[str, ...] = field(default=(), repr=False)
    moves: tuple[Move, ...] = ()
    certificate: str = field(default="", repr=False)

    @property
    def number(self) -> int:
        return self.document.version

    @property
    def state(self) -> State:
        return self.moves[-1].said.after if self.moves else State.DRAFT

    @property
    def halted_at(self) -> datetime | None:
        """When a person stopped or suspended it, unless it was resumed."""
        at = None
        for said in (move.said for move in self.moves):
            if said.move in _HALTS and said.order is not None:
                at = said.signed_at
            elif said.move is enums.Move.RESUME:
                at = None
        return at

    @property
    def authorised_at(self) -> datetime | None:
        return next((move.said.signed_at for move in self.moves if move.said.move is enums.Move.APPROVE), None)

    @property
    def live(self) -> bool:
        """Whether anything may yet be searched under it."""
        return self.state in _LIVE

    def published(self) -> DocumentPublished:
        """As it is recorded. The attestations go with the approvals, so that a successor has them: a gate passes
        over what is no approval."""
        return DocumentPublished(self.document.canonical_bytes(), (*self.approvals, *self.attestations))


@dataclass(frozen=True)
class Deployment:
    """All versions of one deployment's authority, by number, and what is said about all of them."""

    versions: Mapping[int, Version] = field(default_factory=dict)
    revocations: Revocations = field(default_factory=Revocations)
    lease: Lease | None = None
    holds: tuple[CaseHeld, ...] = ()

    def latest(self) -> Version | None:
        return self.versions[max(self.versions)] if self.versions else None

    def ran_last(self) -> Version | None:
        """The newest version that has begun."""
        ran = (version for version in self.versions.values() if version.state in HAS_RUN)
        return max(ran, key=lambda version: version.number, default=None)

    def in_force(self) -> Version | None:
        """The one version that a lease may name. Never a lower one than before: the services would refuse it."""
        floor = self.lease.version if self.lease else 1
        live = [version for version in self.versions.values() if version.live and version.number >= floor]
        running = [version for version in live if version.state is not State.AUTHORISED]
        return max(running or live, key=lambda version: version.number, default=None)

    def supersedes(self, version: Version) -> bool:
        """Whether a later version has been authorised, so that this one does not begin any more."""
        floor = self.lease.version if self.lease else 1
        later = (other for other in self.versions.values() if other.number > version.number)
        return version.number < floor or any(other.live for other in later)

    def with_version(self, version: Version) -> Deployment:
        return replace(self, versions={**self.versions, version.number: version})


@dataclass(frozen=True)
class Register:
    """A value: recording something gives a new one. `registry` is the newest; without one nothing is believed."""

    organisation: str
    root_fingerprint: str
    registry: Registry | None = None
    deployments: Mapping[str, Deployment] = field(default_factory=dict)
    sharing: SharingRegister = field(default_factory=SharingRegister)

    @property
    def registry_floor(self) -> int:
        """The newest registry has at least this number: leases have named it."""
        return max((one.lease.registry_sequence for one in self.deployments.values() if one.lease), default=0)

    def deployment(self, name: str) -> Deployment:
        """An empty one where none is known."""
        return self.deployments.get(name, Deployment())

    def version(self, name: str, number: int) -> Version | None:
        return self.deployment(name).versions.get(number)

    def versions(self) -> Iterator[Version]:
        """Every version, in order of serial and number."""
        every = (version for one in self.deployments.values() for version in one.versions.values())
        yield from sorted(
            every, key=lambda version: (version.document.serial, version.document.id, version.number)
        )

    def later(self, than: Version) -> tuple[Version, ...]:
        """The versions of the same deployment that came after it."""
        known = self.deployment(than.document.id).versions.values()
        return tuple(version for version in known if version.number > than.number)

    def others(self, document: Document) -> tuple[Earlier, ...]:
        """Every version but this one, and what it owes."""
        itself = (document.id, document.version)
        return tuple(
            Earlier.of(version.document, version.state, halted_at=version.halted_at)
            for version in self.versions()
            if (version.document.id, version.number) != itself
        )

    def with_deployment(self, name: str, deployment: Deployment) -> Register:
        return replace(self, deployments={**self.deployments, name: deployment})

    def with_version(self, version: Version) -> Register:
        name = version.document.id
        return self.with_deployment(name, self.deployment(name).with_version(version))


def with_tokens(known: tuple[str, ...], more: Iterable[str]) -> tuple[str, ...]:
    """All of them, each once, in the order in which they came."""
    return tuple(dict.fromkeys((*known, *more)))
