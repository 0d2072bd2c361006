"""The alert that a face and a hit make."""

from __future__ import annotations

from datetime import datetime

from services.contracts import ids
from services.contracts.authority import Authority
from services.contracts.events import AlertRaised, FaceObserved
from services.match.core.matrix import ListMatrix
from services.match.core.search import Hit


def alert(
    face: FaceObserved, hit: Hit, *, matrix: ListMatrix, authority: Authority, searched_at: datetime
) -> AlertRaised:
    """One a track, list and subject: its id does not depend on when, or how often, the track is searched."""
    return AlertRaised(
        deployment=face.deployment,
        trace_id=face.trace_id,
        captured_at=face.captured_at,
        alert=ids.alert_id(face.track, matrix.digest, hit.subject),
        subject=hit.subject,
        camera=face.camera,
        track=face.track,
        revision=face.revision,
        model_id=face.model_id,
        list_digest=matrix.digest,
        score_kind=matrix.score_kind,
        searched_at=searched_at,
        authority_version=authority.version,
        shots=face.shots,
        context_jpeg=face.context_jpeg,
        raw_score=hit.raw_score,
        score=hit.score,
        threshold=authority.watchlist.threshold(len(face.shots)),
    )
