"""What the holder of a claim is shown, in which order, and the digest of exactly that."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from services.contracts.events import AlertRaised
from services.review.core.case import Case, Shown
from services.review.core.listed import Listed
from services.review.core.views import PictureKind, PictureRef, Resemblance

# What the digest is over; a change of meaning or order takes a new number.
_DIGEST_VERSION = "signpost-displayed-2"


@dataclass(frozen=True, kw_only=True)
class Score:
    """The best of the alerts shown, and what it had to reach."""

    score: float = field(repr=False)
    threshold: float = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Display:
    """Put together from the opened alerts and the list; `shown` says where each picture lies."""

    category: str
    resembles: tuple[Resemblance, ...]
    handling: str
    risk_flags: tuple[str, ...]
    pictures: tuple[PictureRef, ...]
    shown: tuple[Shown, ...]
    alerts: tuple[str, ...]
    digest: str


def compose(case: Case, alerts: Sequence[AlertRaised], listed: Listed) -> Display:
    """All best shots, best first, all references in the list's order, then each alert's context.

    Never a score: that is for whoever has judged, once the case is closed.
    """
    pairs = [*_probes(alerts), *_references(listed), *_contexts(alerts)]
    pictures = tuple(picture for picture, _ in pairs)
    return Display(
        category=listed.category,
        resembles=listed.resembles,
        handling=listed.handling,
        risk_flags=listed.risk_flags,
        pictures=pictures,
        shown=tuple(shown for _, shown in pairs),
        alerts=tuple(alert.alert for alert in alerts),
        digest=_digest(case, listed, pictures),
    )


def best_score(alerts: Sequence[AlertRaised]) -> Score | None:
    """Of the alert furthest above its threshold."""
    if not alerts:
        return None
    best = max(alerts, key=lambda alert: alert.score - alert.threshold)
    return Score(score=best.score, threshold=best.threshold)


def _probes(alerts: Sequence[AlertRaised]) -> Iterator[tuple[PictureRef, Shown]]:
    shots = [(shot, alert, index) for alert in alerts for index, shot in enumerate(alert.shots)]
    shots.sort(key=lambda found: -found[0].quality)
    for number, (shot, alert, index) in enumerate(shots):
        name = f"{PictureKind.PROBE}/{number}"
        yield _taken(name, PictureKind.PROBE, shot.jpeg, shot.captured_at, alert), _at(name, alert, index)


def _contexts(alerts: Sequence[AlertRaised]) -> Iterator[tuple[PictureRef, Shown]]:
    for number, alert in enumerate(alert for alert in alerts if alert.context_jpeg):
        name = f"{PictureKind.CONTEXT}/{number}"
        picture = _taken(name, PictureKind.CONTEXT, alert.context_jpeg, alert.captured_at, alert)
        yield picture, _at(name, alert, -1)


def _references(listed: Listed) -> Iterator[tuple[PictureRef, Shown]]:
    for index, image in enumerate(listed.pictures):
        name = f"{PictureKind.REFERENCE}/{index}"
        picture = PictureRef(
            name=name,
            kind=PictureKind.REFERENCE,
            sha256=hashlib.sha256(image.jpeg).hexdigest(),
            taken_on=image.taken_on.isoformat(),
        )
        yield picture, Shown(name=name, content="", index=index)


def _taken(name: str, kind: PictureKind, jpeg: bytes, at: datetime, alert: AlertRaised) -> PictureRef:
    sha256 = hashlib.sha256(jpeg).hexdigest()
    return PictureRef(name=name, kind=kind, sha256=sha256, captured_at=at, camera=alert.camera)


def _at(name: str, alert: AlertRaised, index: int) -> Shown:
    return Shown(name=name, content=alert.event_id, index=index)


def _digest(case: Case, listed: Listed, pictures: Sequence[PictureRef]) -> str:
    digest = hashlib.sha256()
    head = [_DIGEST_VERSION, case.id, str(case.round), case.first.camera, case.first.captured_at.isoformat()]
    for text in [*head, *_of_list(listed), *_texts(pictures)]:
        raw = text.encode()
        digest.update(len(raw).to_bytes(8, "big"))
        digest.update(raw)
    return digest.hexdigest()


def _of_list(listed: Listed) -> Iterator[str]:
    # The numbers keep a flag from passing for a likeness.
    yield from (listed.category, listed.handling)
    yield from (str(len(listed.risk_flags)), *listed.risk_flags)
    yield str(len(listed.resembles))
    for one in listed.resembles:
        yield from (one.likeness, one.other)


def _texts(pictures: Sequence[PictureRef]) -> Iterator[str]:
    for one in pictures:
        at = one.captured_at.isoformat() if one.captured_at else ""
        yield from (one.name, one.kind, one.sha256, at, one.taken_on, one.camera)
