"""How long each thing that review writes may stay."""

from __future__ import annotations

from datetime import datetime, timedelta

from services.contracts import keys, topics
from services.contracts.authority import Authority
from services.review.core.case import Case, Policy, Sighting
from services.review.core.views import CaseState

# A tombstone outlives the last record that it must recognise: the topic keeps an alert for its retention and,
# because Kafka deletes whole segments, up to one segment more; an hour is to spare.
_TO_SPARE = timedelta(hours=1)
TOMBSTONE = topics.ALERTS.retention + topics.ALERTS.segment + _TO_SPARE


class Keeping:
    """Deadlines of a deployment. Pure."""

    def __init__(self, authority: Authority) -> None:
        self._authority = authority

    def case(self, case: Case, now: datetime) -> datetime:
        """No pictures in it. A match may be engaged, and its outcome known, for as long as its evidence stays."""
        if case.state is CaseState.AGREED_MATCH:
            return max(self.evidence(), now + TOMBSTONE)
        return max(now, case.expires_at) + TOMBSTONE

    def tombstone(self, now: datetime) -> datetime:
        return now + TOMBSTONE

    def pictures(self, sighting: Sighting) -> datetime:
        """Adjudication's: the hour's alert key dies then. Until then a supervisor may ask for a second look."""
        return keys.alert(self._authority, sighting.searched_at).expires_at

    def evidence(self) -> datetime:
        return keys.evidence(self._authority).expires_at


def policy_of(authority: Authority) -> Policy:
    """How people decide in this deployment."""
    how = authority.verification
    return Policy(
        reviewers=how.reviewers,
        decide_within=timedelta(seconds=how.decide_within_s),
        claim=timedelta(seconds=how.claim_s),
        fold_within=timedelta(seconds=how.fold_within_s),
    )
