"""Two people who find a match in everything, whatever review is doing: only listed people raise alerts here."""

from __future__ import annotations

import threading

import grpc

from console.edges.grpc_review import NotForUsError, ReviewClient
from services.contracts.events import Judgement
from tests.fakes.casework import FakeSessions

_LOOK_S = 1.0
_PAUSE_S = 0.5


class Reviewer(threading.Thread):
    """Signs in anew after each loss of the connection. `decided` counts its judgements."""

    def __init__(self, address: str, user: str) -> None:
        super().__init__(name=f"reviewer-{user}", daemon=True)
        self._address, self._user = address, user
        self._stopping = threading.Event()
        self.decided = 0

    def finish(self) -> None:
        self._stopping.set()
        self.join()

    def run(self) -> None:
        while not self._stopping.wait(_PAUSE_S):
            try:
                with ReviewClient(self._address, self._user, FakeSessions.PASSWORD) as client:
                    self._work(client)
            except grpc.RpcError:  # review has died, or its store: the next one is asked
                continue

    def _work(self, client: ReviewClient) -> None:
        while not self._stopping.is_set():
            for case in list(client.watch(for_s=_LOOK_S)):
                if case.is_open and case.claimable:
                    self._decide(client, case.id)

    def _decide(self, client: ReviewClient, case: str) -> None:
        try:
            client.decide(case, Judgement.MATCH)
        except NotForUsError:
            return
        self.decided += 1
