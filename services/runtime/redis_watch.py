"""Watches that the volatile Redis goes on to forget: somebody may give it a replica, or a log, while it runs."""

from __future__ import annotations

import logging
from collections.abc import Callable

import redis

from services.contracts.errors import Misconfigured, Transient
from services.runtime.looking import Looking
from services.runtime.redis_client import check_volatile

log = logging.getLogger(__name__)

# How long keys could be kept by somebody before anybody is woken.
LOOK_EVERY_S = 15.0


class VolatileWatch(Looking):
    """`told` gets 1 while the server would be refused, else 0.

    The process goes on: what is written there by now is not undone by stopping, and people are woken instead.
    """

    def __init__(self, client: redis.Redis, told: Callable[[int], None], *, every_s: float = LOOK_EVERY_S) -> None:
        super().__init__(name="volatile-watch", every_s=every_s)
        self._client = client
        self._told = told

    def look(self) -> None:
        """Once. A server that does not answer keeps its last word: others see that it is away."""
        try:
            check_volatile(self._client)
        except Misconfigured as faults:
            log.warning("the volatile Redis may keep what it must forget", extra={"reason": str(faults)})
            self._told(1)
        except Transient:
            return
        else:
            self._told(0)
