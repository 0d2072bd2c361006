"""Services' own keys, for tests that write as services do, and whom readers in tests believe."""

from __future__ import annotations

from datetime import datetime

from services.contracts import codec_authority
from services.contracts.authorisation.enums import Role
from services.contracts.authorisation.records import RegistryIssued
from services.contracts.authorisation.registry import Registry, sign_registry
from services.contracts.proof import Written
from services.runtime.clock import Clock, SystemClock
from services.runtime.kafka.types import Output, Record
from services.runtime.keys.ed25519 import Ed25519Signer
from services.runtime.proofs import Proven, Proving, written
from tests.builders import NOON
from tests.fakes.clock import ManualClock
from tests.unit.contracts.authorisation.builders import ROOT, a_registered_key, a_registry, secret

SERVICES = ("ingest", "embed", "match", "review")
ROOT_FINGERPRINT = ROOT.kid


def proving(service: str, clock: Clock | None = None) -> Proving:
    """Signs as that service, or as anybody else: whoever is named has a key."""
    return Proving(Ed25519Signer(secret(service)), clock or SystemClock())


def registry() -> Registry:
    """Every service has its key."""
    missing = (service for service in SERVICES if service != "review")
    return a_registry(*(a_registered_key(service, role=Role.SERVICE) for service in missing))


def registry_record() -> bytes:
    """The same, as it lies on `authority`."""
    return codec_authority.encode(RegistryIssued(sign_registry(registry(), ROOT)))


def proven() -> Proven:
    """Believes what `registry` names."""
    known = registry()
    return Proven(lambda: known)


def a_record(output: Output, *, by: str | None, at: datetime = NOON, offset: int = 0) -> Record:
    """As it is read, signed by that service then, or by nobody."""
    signed = output if by is None else proving(by, ManualClock(at))(output)
    return Record(
        signed.topic,
        signed.partition or 0,
        offset,
        signed.key,
        signed.value,
        signed.headers,
        round(at.timestamp() * 1000),
    )


def a_written(output: Output, *, by: str | None, at: datetime = NOON) -> Written:
    """The same, as its proof covers it."""
    return written(a_record(output, by=by, at=at))
