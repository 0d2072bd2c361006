"""The consumer groups whose sessions are set on the broker, so that a death is noticed in seconds."""

from __future__ import annotations

from collections.abc import Iterable

from services.contracts.counts import Stage

# In it instances of oversight agree on who leads; it is the organisation's, not a deployment's.
OVERSIGHT = "signpost-oversight"


def groups_of(deployments: Iterable[str]) -> list[str]:
    """Every group of these deployments, and oversight's."""
    stages = (Stage.EMBED, Stage.MATCH, Stage.REVIEW)
    return [OVERSIGHT, *(f"signpost-{stage}-{name}" for name in deployments for stage in stages)]
