"""The service layer's values as the JSON that the page reads; times are milliseconds since 1970."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from services.review.core.people import Person
from services.review.core.views import CaseStatus, CaseSummary, CaseView, Claim, Judged, PictureRef

Json = dict[str, object]


def ms(at: datetime) -> int:
    return int(at.timestamp() * 1000)


def person(who: Person, *, csrf: str, now: datetime) -> Json:
    return {"name": who.name, "roles": sorted(who.roles), "csrf": csrf, "now": ms(now)}


def claim(held: Claim) -> Json:
    return {"case": held.case, "fence": held.fence, "expires_at": ms(held.expires_at)}


def summary(line: CaseSummary) -> Json:
    """Without the version: it would tell one reviewer that another has done something."""
    return {
        "case": line.case,
        "state": line.state,
        "round": line.round,
        "camera": line.camera,
        "captured_at": ms(line.captured_at),
        "opened_at": ms(line.opened_at),
        "expires_at": ms(line.expires_at),
        "alerts": line.alerts,
        "claimable": line.claimable,
        "mine": None if line.mine is None else claim(line.mine),
    }


def view(seen: CaseView, addresses: Mapping[str, str], *, now: datetime) -> Json:
    """`addresses`: of each picture, by its name. No field for a score: it comes with the answer to a judgement."""
    return {
        "case": seen.case,
        "round": seen.round,
        "camera": seen.camera,
        "captured_at": ms(seen.captured_at),
        "category": seen.category,
        "resembles": [{"likeness": one.likeness, "is_listed": bool(one.other)} for one in seen.resembles],
        "handling": seen.handling,
        "risk_flags": list(seen.risk_flags),
        "pictures": [picture(one, addresses[one.name]) for one in seen.pictures],
        "displayed_digest": seen.displayed_digest,
        "claim": claim(seen.claim),
        "expires_at": ms(seen.expires_at),
        "now": ms(now),
    }


def picture(one: PictureRef, address: str) -> Json:
    return {
        "name": one.name,
        "kind": one.kind,
        "captured_at": None if one.captured_at is None else ms(one.captured_at),
        "camera": one.camera,
        "taken_on": one.taken_on,
        "address": address,
    }


def status(case: CaseStatus) -> Json:
    return {
        "case": case.case,
        "state": case.state,
        "round": case.round,
        "camera": case.camera,
        "captured_at": ms(case.captured_at),
        "alerts": case.alerts,
        "engagements": case.engagements,
        "outcomes": case.outcomes,
    }


def judged(told: Judged) -> Json:
    return {"status": status(told.status), "score": told.score, "threshold": told.threshold}
