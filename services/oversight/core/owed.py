"""What an authority owes after its end and has not given in time, before it blocks the next one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from enum import StrEnum

from services.contracts.authorisation.enums import State
from services.contracts.authorisation.states import Earlier
from services.oversight.core import purging
from services.oversight.core.register import Register, Version

# Holders drain and close before they answer; a service that takes longer than this is not answering.
_PURGE_WITHIN = timedelta(minutes=15)


class Owed(StrEnum):
    """A metric label."""

    PURGE = "purge"
    REPORT = "report"
    REVIEW = "review"


def overdue(register: Register, now: datetime) -> Iterator[Owed]:
    """One for each authority's version and what is overdue of it."""
    for version in register.versions():
        if _is_unpurged(register, version, now):
            yield Owed.PURGE
        owed = Earlier.of(version.document, version.state).overdue(now)
        if owed is not None:
            yield Owed(owed)


def _is_unpurged(register: Register, version: Version, now: datetime) -> bool:
    """A version whose successor lives is purged with it."""
    if version.state is not State.ENDED or any(later.live for later in register.later(version)):
        return False
    order = purging.order_of(version)
    return now > (order.signed_at if order else purging.purge_at(version.document)) + _PURGE_WITHIN
