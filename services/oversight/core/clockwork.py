"""What time brings: authorities begin, end and lapse by themselves, and leases are renewed."""

from __future__ import annotations

from datetime import timedelta

from services.contracts.authorisation.enums import Move, State
from services.contracts.authorisation.findings import NotAuthorised
from services.oversight.core import purging
from services.oversight.core.clerk import Clerk, Decision, Now, weighed
from services.oversight.core.register import Register, Version

# A list is looked for this long before it is needed, so that Show can say that it is missing.
_AHEAD = timedelta(days=1)
_RUNNING = frozenset({State.ACTIVE, State.SUSPENDED})
_SUPERSEDED = "superseded by a later version"


def keep(clerk: Clerk, register: Register, now: Now) -> Decision:
    """Every move that is due, and a lease for whatever is live. Nothing if what is signed would not count."""
    decision = Decision(register)
    if not clerk.may_sign(register, now.wall):
        return decision
    for version in register.versions():
        for move in _due(decision.after, version, now):
            decision = _moved(clerk, decision, version, move, now)
        if version.state is State.ENDED:
            decision = clerk.purged(decision, version, now)
    for name in register.deployments:
        decision = clerk.leased(decision, name, now)
    return decision


def lists_wanted(register: Register, now: Now) -> frozenset[tuple[str, str]]:
    """Which sealed lists, as (deployment, digest), a decision may depend on: now, or once somebody suspends."""
    return frozenset(
        (version.document.id, version.document.watchlist.digest)
        for version in register.versions()
        if version.state in (State.AUTHORISED, State.ACTIVE, State.SUSPENDED)
        and version.document.window.start - _AHEAD <= now.wall < version.document.window.end
    )


def _due(register: Register, version: Version, now: Now) -> tuple[Move, ...]:
    """Moves that time may ask for; whether they are allowed is the table's to say."""
    document, state = version.document, version.state
    over = now.wall >= document.window.end
    late = document.urgent is not None and now.wall >= document.urgent.deadline
    if state in (State.SUBMITTED, State.AUTHORISED) and over:
        return (Move.EXPIRE,)
    if state in _RUNNING and over:
        return (Move.END,)
    if (state is State.AUTHORISED or state in _RUNNING) and late:
        return (Move.LAPSE, Move.ACTIVATE)
    if state is State.AUTHORISED and document.window.covers(now.wall):
        return (Move.ACTIVATE,)
    if purging.is_due(version, now.wall) or _never_approved(register, version, now):
        return (Move.ORDER_PURGE,)
    return ()


def _never_approved(register: Register, version: Version, now: Now) -> bool:
    """Whether it was begun in urgency, is over, and its day to be approved has passed."""
    urgent = version.document.urgent
    if version.state is not State.ENDED or urgent is None or now.wall < urgent.deadline:
        return False
    found, why = weighed(register, version, now)
    unjudged = any(finding.field.startswith("registry") for finding in why)
    return found is None and not unjudged and purging.order_of(version) is None


def _moved(clerk: Clerk, decision: Decision, version: Version, move: Move, now: Now) -> Decision:
    """With the move, if it may be made; without it, if something else is waited for."""
    known = decision.after.deployment(version.document.id)
    version = known.versions[version.number]
    if move is Move.ACTIVATE:
        if version.state is not State.AUTHORISED or known.supersedes(version):
            return decision
        if clerk.waits_for(decision.after, version, now):
            return decision
        for earlier in known.versions.values():
            if earlier.state in _RUNNING:
                decision = clerk.move(decision, earlier, Move.STOP, now, reason=_SUPERSEDED)
    try:
        return clerk.move(decision, version, move, now)
    except NotAuthorised:
        return decision
