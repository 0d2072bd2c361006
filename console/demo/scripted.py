"""Reviewers that follow a script: they know who walks past which camera when, because we wrote it.

They exist so that a demo nobody watches ends in decisions, and are marked as scripted on every judgement. They
are no model of how people decide.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from console.edges.grpc_review import NotForUsError, OpenCase, ReviewClient
from console.sample.passages import Passage
from services.contracts.events import Judgement

# How far capture times may lie from the script's: opening a film takes a moment.
_TOLERANCE_S = 1.5
_LOOK_EVERY_S = 0.5
_LOOK_S = 1.0


def by_the_script(case: OpenCase, script: Mapping[str, Sequence[Passage]], film_began: datetime) -> Judgement:
    """MATCH if the script has somebody listed before that camera at that moment, else NOT_A_MATCH."""
    at_s = (case.captured_at - film_began) / timedelta(seconds=1)
    listed = any(
        passage.sitter.reference and passage.start_s - _TOLERANCE_S <= at_s <= passage.end_s + _TOLERANCE_S
        for passage in script[case.camera]
    )
    return Judgement.MATCH if listed else Judgement.NOT_A_MATCH


class ScriptedReviewer(threading.Thread):
    """One scripted reviewer at work until `idle`; owns its client. `decided` counts its judgements."""

    def __init__(
        self,
        address: str,
        user: str,
        password: str,
        *,
        script: Mapping[str, Sequence[Passage]],
        film_began: datetime,
    ) -> None:
        super().__init__(name=f"signpost-{user}", daemon=True)
        self._address, self._user, self._password = address, user, password
        self._script, self._film_began = script, film_began
        self._stopping = threading.Event()
        self.decided = 0

    def finish(self, *, within_s: float) -> None:
        """Ask it to stop after the case in hand, and wait."""
        self._stopping.set()
        self.join(within_s)

    def run(self) -> None:
        with ReviewClient(self._address, self._user, self._password) as client:
            while not self._stopping.is_set():
                for case in list(client.watch(for_s=_LOOK_S)):
                    if case.is_open and case.claimable:
                        self._decide(client, case)
                time.sleep(_LOOK_EVERY_S)

    def _decide(self, client: ReviewClient, case: OpenCase) -> None:
        try:
            client.decide(case.id, by_the_script(case, self._script, self._film_began))
        except NotForUsError:
            return
        self.decided += 1
