"""What the topic `authority` carries, as the gate takes it: bytes and tokens, nothing of them checked yet."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class RegistryIssued:
    """The root's list of keys."""

    token: str = field(repr=False)


@dataclass(frozen=True)
class DocumentPublished:
    """A document's canonical bytes with all approvals it has so far; published again when it has more."""

    document: bytes = field(repr=False)
    approvals: tuple[str, ...] = field(repr=False)


@dataclass(frozen=True)
class StateRecorded:
    """A `StateChanged`."""

    token: str = field(repr=False)


@dataclass(frozen=True)
class LeaseRenewed:
    """A `Lease`."""

    token: str = field(repr=False)


@dataclass(frozen=True)
class RevocationRecorded:
    """An `EntriesRevoked`."""

    token: str = field(repr=False)


@dataclass(frozen=True)
class HoldRecorded:
    """A `CaseHeld`."""

    token: str = field(repr=False)


@dataclass(frozen=True)
class CertificateIssued:
    """A `PurgeCertificate`."""

    token: str = field(repr=False)


@dataclass(frozen=True)
class SharingRecorded:
    """A line of the sharing register; no gate asks for it."""

    token: str = field(repr=False)


Record = (
    RegistryIssued
    | DocumentPublished
    | StateRecorded
    | LeaseRenewed
    | RevocationRecorded
    | HoldRecorded
    | CertificateIssued
    | SharingRecorded
)
