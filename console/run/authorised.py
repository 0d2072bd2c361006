"""Brings an exercise's authority into force: a sample authority's people sign, oversight activates."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from console.authority.standing import Standing
from console.edges.grpc_oversight import OversightClient
from console.run.sample_authority import SampleAuthority
from console.stack.errors import StackError
from services.contracts.authorisation.document import Document
from services.contracts.authorisation.enums import Move, Role, State
from services.contracts.errors import SignpostError

# Oversight joins its group, reads `authority` and looks for the list; a few seconds on an idle machine.
_PATIENCE_S = 60.0
_ACTIVE_WITHIN_S = 30.0
_LOOK_EVERY_S = 0.25


def authorise(oversight: str, sample: SampleAuthority, document: Document) -> None:
    """Submit, approve, attest: it is in force as soon as its list is loaded. Raises StackError."""
    try:
        with OversightClient(oversight, patience_s=_PATIENCE_S) as client:
            client.put_registry(sample.registry())
            client.submit(document, [sample.approval(document, Role.AUTHOR, at=_now())])
            client.approve(sample.approval(document, Role.AUTHORISING_OFFICER, at=_now()))
            client.attest(sample.attestation(document, at=_now()))
    except SignpostError as error:
        raise StackError(f"the authority was not given: {error}") from error


def await_active(oversight: str, document: Document) -> Standing:
    """Wait until it is ACTIVE. Raises StackError naming what it still waits for."""
    try:
        with OversightClient(oversight, patience_s=_PATIENCE_S) as client:
            return _await_active(client, document.id)
    except SignpostError as error:
        raise StackError(f"the authority is not in force: {error}") from error


def order(oversight: str, sample: SampleAuthority, move: Move, document: Document, *, reason: str) -> Standing:
    """Have the sample's supervisor order a move of the authority. Raises SignpostError."""
    with OversightClient(oversight, patience_s=_PATIENCE_S) as client:
        standing = client.newest(document.id).standing
        token = sample.order(document, move, sequence=standing.state_sequence + 1, reason=reason, at=_now())
        return client.order(token)


def _await_active(client: OversightClient, deployment: str) -> Standing:
    give_up_s = time.monotonic() + _ACTIVE_WITHIN_S
    while True:
        standing = client.newest(deployment).standing
        if standing.state == State.ACTIVE:
            return standing
        if time.monotonic() > give_up_s:
            why = "; ".join(str(finding) for finding in standing.waits_for)
            raise StackError(f"the authority is still {standing.state} after {_ACTIVE_WITHIN_S:.0f} s: {why}")
        time.sleep(_LOOK_EVERY_S)


def _now() -> datetime:
    return datetime.now(UTC)
