"""How long each thing that review writes may stay."""

from __future__ import annotations

from datetime import datetime, timedelta

from services.contracts import keys, topics
from services.contracts.authority import Authority
from services.review.core.case import Case, Policy, Sighting, needed, shown_in
from services.review.core.change import CaseAfter, Deadline, Upkeep
from services.review.core.views import CaseState

# A tombstone outlives the last record that it must recognise: the topic keeps an alert for its retention and,
# because Kafka deletes whole segments, up to one segment more; an hour is to spare.
_TO_SPARE = timedelta(hours=1)
TOMBSTONE = topics.ALERTS.retention + topics.ALERTS.segment + _TO_SPARE
# Pictures that no move can ask for any more wait for whoever reads them at this moment: a view being put together,
# the score for the judgement that decided.
READING = timedelta(seconds=10)


class Keeping:
    """Deadlines of a deployment. Pure."""

    def __init__(self, authority: Authority) -> None:
        self._authority = authority

    def after(self, case: Case, now: datetime, *, before: Case | None = None) -> CaseAfter:
        """The case as it is to be written; `before` is as it was, None for a new one."""
        return CaseAfter(
            case=case,
            keep_until=self.case(case, now),
            indexed_until=self.tombstone(now),
            past_until=self.case(before or case, now),
            came_from=None if before is None else before.turn,
        )

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

    def upkeep(self, before: Case, after: Case, now: datetime) -> Upkeep:
        """Pictures go soon after the move that makes them useless, and stay for a move that may need them."""
        had, has = needed(before), needed(after)
        useless = [Deadline(name=name, at=now + READING) for name in had if name not in has]
        if before.pictures_until is None and after.pictures_until is not None:
            # A match that is taken back is no evidence: it has the time of any other alert at most.
            until = min(after.pictures_until, self.pictures(after.first))
            return Upkeep(sooner=(*useless, *(Deadline(name=name, at=until) for name in has)))
        reopened = before.pictures_until is not None and after.pictures_until is None
        # Or a view was put together while its pictures became useless to everybody else.
        back = has if reopened else [name for name in shown_in(after) if name not in had]
        later = tuple(Deadline(name=name, at=self.pictures(_of(after, name))) for name in back)
        return Upkeep(sooner=tuple(useless), later=later)

    def evidence(self) -> datetime:
        return keys.evidence(self._authority).expires_at


def policy_of(authority: Authority, *, closed_pictures: timedelta) -> Policy:
    """How people decide in this deployment, and how long pictures wait for a second thought."""
    how = authority.verification
    return Policy(
        reviewers=how.reviewers,
        decide_within=timedelta(seconds=how.decide_within_s),
        claim=timedelta(seconds=how.claim_s),
        fold_within=timedelta(seconds=how.fold_within_s),
        closed_pictures=closed_pictures,
    )


def _of(case: Case, content: str) -> Sighting:
    """Whose pictures these are; an earlier revision's live as long as the later one's."""
    alert = content.rpartition(".r")[0]
    return next((sighting for sighting in case.sightings if sighting.alert == alert), case.first)
