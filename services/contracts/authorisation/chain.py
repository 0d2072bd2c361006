"""The moves of one version of an authority, put together from records that may come in any order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from services.contracts.authorisation.enums import Move, State
from services.contracts.authorisation.registry import Registry
from services.contracts.authorisation.statements import (
    AboutVersion,
    Attestation,
    NotBelieved,
    Order,
    Rejection,
    StateChanged,
    open_as,
)
from services.contracts.authorisation.states import TABLE


@dataclass(frozen=True)
class Change:
    """One believed move, and who ordered it, where the table asks for a person."""

    statement: StateChanged
    ordered_by: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Chain:
    """All moves known of one version. Gapless from 1 and consistent, or it allows nothing.

    What it comes to is worked out once: it is asked for every frame and every face.
    """

    changes: Mapping[int, Change] = field(default_factory=dict)
    forked: bool = False

    def with_change(self, change: Change) -> Chain:
        """Two different moves under one number fork the chain for good: one of them was kept from somebody."""
        known = self.changes.get(change.statement.sequence)
        if known is not None:
            return Chain(self.changes, self.forked or known != change)
        return Chain({**self.changes, change.statement.sequence: change}, self.forked)

    @cached_property
    def gapless(self) -> bool:
        return max(self.changes, default=0) == len(self.changes)

    @cached_property
    def consistent(self) -> bool:
        """Whether each move starts where the one before ended, the first from DRAFT, none back in time."""
        state, at = State.DRAFT, None
        for sequence in sorted(self.changes):
            now = self.changes[sequence].statement
            if now.before is not state or (at is not None and now.signed_at < at):
                return False
            state, at = now.after, now.signed_at
        return not self.forked

    def said(self, move: Move) -> tuple[StateChanged, ...]:
        """Every record of that move, in no order."""
        return tuple(one.statement for one in self.changes.values() if one.statement.move is move)

    def state_after(self, sequence: int) -> State | None:
        change = self.changes.get(sequence)
        return change.statement.after if change else None

    @property
    def state(self) -> State:
        return self.state_after(len(self.changes)) or State.DRAFT

    @cached_property
    def resumed_by(self) -> frozenset[str]:
        return frozenset(
            change.ordered_by
            for change in self.changes.values()
            if change.statement.move is Move.RESUME and change.ordered_by is not None
        )

    def begun_by(self, at: datetime) -> bool:
        """Whether it had been ACTIVE by then."""
        return any(
            c.statement.after is State.ACTIVE and c.statement.signed_at <= at for c in self.changes.values()
        )

    def active_at(self, at: datetime) -> bool:
        """Whether it was ACTIVE then; the instant of a stop is not."""
        active = False
        for sequence in sorted(self.changes):
            now = self.changes[sequence].statement
            if now.signed_at > at:
                break
            active = now.after is State.ACTIVE
        return active


def open_change(token: str, *, registry: Registry, now: datetime) -> Change:
    """The move in `token`, if oversight signed it, the table has it, and what must go with it does.

    To stop, oversight's word is enough; to search, a person's is needed: a resumption carries their order, an
    activation the attestation of notice and signs. Raises NotBelieved.
    """
    change = open_as(StateChanged, token, registry=registry, now=now).statement
    step = TABLE.get((change.before, change.move))
    if step is None or step.after is not change.after:
        raise NotBelieved(Rejection.ILLEGAL_MOVE, f"{change.move} from {change.before} to {change.after}: no move")
    if change.move is Move.ACTIVATE:
        _open_attestation(change, registry, now)
    if not step.ordered:
        return Change(change)
    if change.order is None:
        raise NotBelieved(Rejection.ILLEGAL_MOVE, f"{change.move} needs a person's signed order")
    opened = open_as(Order, change.order, registry=registry, now=now)
    order = opened.statement
    meant = (order.sequence, order.move, order.evidence)
    if not _same(order, change) or meant != (change.sequence, change.move, change.evidence):
        raise NotBelieved(Rejection.ILLEGAL_MOVE, f"{change.move}: the order is for something else")
    if not order.is_of(change.signed_at):
        raise NotBelieved(Rejection.ILLEGAL_MOVE, f"{change.move}: the order is of another time")
    if opened.key.role not in step.by:
        raise NotBelieved(Rejection.WRONG_ROLE, f"{change.move}: a {opened.key.role} may not order it")
    return Change(change, opened.key.person)


def _open_attestation(change: StateChanged, registry: Registry, now: datetime) -> None:
    if change.attestation is None:
        raise NotBelieved(Rejection.ILLEGAL_MOVE, "activate needs the attestation of notice and signs")
    said = open_as(Attestation, change.attestation, registry=registry, now=now).statement
    if not _same(said, change) or max(said.notice_published_at, said.signs_up_at) > change.signed_at:
        raise NotBelieved(Rejection.ILLEGAL_MOVE, "activate: the attestation is for something else, or later")


def _same(one: AboutVersion, other: AboutVersion) -> bool:
    return (one.deployment, one.version, one.digest) == (other.deployment, other.version, other.digest)
