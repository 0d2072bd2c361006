"""A process that sequences on Apache Kafka, and kills itself at a named point if asked to.

Lives are forked off a server that has imported all of this and has no client yet: a new one works at once.
"""

from __future__ import annotations

import multiprocessing
import signal
import sys
import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from multiprocessing.process import BaseProcess

from services.contracts.audit.registry import KeyRegistry, Role, SignedKeys, registry
from services.contracts.audit.sequencer import Conflict, Gap
from services.oversight.edges.kafka_chain import ChainLoop, Names
from services.runtime import logs
from services.runtime.clock import SystemClock
from services.runtime.kafka.broker import Fenced
from services.runtime.kafka.commit import no_fault
from services.runtime.kafka.config import Connection
from tests.integration.dying import DiesAt
from tests.unit.contracts.audit.builders import ROOT, SEQUENCER, SERVICES, a_key, sign_keys
from tests.unit.runtime.kafka.rig import Meters

POINTS = (
    "before_recovery",
    "after_recovery",
    "appended",
    "before_produce",
    "after_produce",
    "before_commit",
    "after_commit",
)

# How a sequencer ends that finds another in its place.
FENCED = 3

_FROM, _UNTIL = datetime(2020, 1, 1, tzinfo=UTC), datetime(2120, 1, 1, tzinfo=UTC)
_LIVES = multiprocessing.get_context("forkserver")
_LIVES.set_forkserver_preload([__name__])


@dataclass(frozen=True, kw_only=True)
class Life:
    """What one sequencer is told."""

    bootstrap: str
    names: Names
    head_every_s: float = 0.5
    die_at: str = ""
    die_after: int = 1


def preload(*modules: str) -> None:
    """Have lives import these no more: those of a program's own, which each would import at its start."""
    _LIVES.set_forkserver_preload([__name__, *modules])


class NobodyCounts:
    """`PassedOver` of a process that nobody asks."""

    def disbelieved(self) -> None: ...
    def unchained(self, why: Gap | Conflict) -> None: ...


@cache
def signed_keys() -> SignedKeys:
    """Keys that hold today."""
    return sign_keys(keys_of_today(), ROOT)


def begin(life: Life) -> BaseProcess:
    """A sequencer in a process of its own; SIGTERM makes it drain."""
    process = _LIVES.Process(target=_sequence, args=(life,), daemon=True)
    process.start()
    return process


def keys_of_today() -> KeyRegistry:
    term = {"valid_from": _FROM, "valid_until": _UNTIL}
    producers = [a_key(key, holder=name, **term) for name, key in SERVICES.items() if key is not SEQUENCER]
    return registry(1, a_key(SEQUENCER, role=Role.SEQUENCER, holder="oversight", **term), *producers)


def _sequence(life: Life) -> None:
    logs.configure("sequencer", life.names.fence, "ERROR")
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    chain = ChainLoop(
        Connection(life.bootstrap, "sequencer"),
        registry=keys_of_today,
        signer=SEQUENCER,
        anchor=lambda heads: None,
        passed_over=NobodyCounts(),
        metrics=Meters(),
        on_error=lambda code: None,
        heartbeat=lambda: None,
        clock=SystemClock(),
        head_every_s=life.head_every_s,
        names=life.names,
        faults=DiesAt(life.die_at, life.die_after) if life.die_at else no_fault,
    )
    try:
        chain.run(stop)
    except Fenced:
        sys.exit(FENCED)
