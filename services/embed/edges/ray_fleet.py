"""Ray's only door: one actor a slot, detached and named, so that it outlives whoever supervises it."""

from __future__ import annotations

import logging
import pkgutil
import signal
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Protocol, cast

import ray
from ray.actor import ActorHandle
from ray.exceptions import GetTimeoutError, RayActorError, RayError

from services.contracts.errors import Misconfigured, Transient
from services.embed.ports import WorkerStatus

log = logging.getLogger(__name__)

_NAMESPACE = "signpost"


class Hosted(Protocol):
    """What an actor hosts: a worker on a thread of its own."""

    def status(self) -> WorkerStatus:
        """How it stands. Never blocks."""
        ...

    def metrics_text(self) -> str:
        """Its metrics in Prometheus' text format."""
        ...

    def drain(self) -> None:
        """Finish what is in hand and end; returns at once."""
        ...


class SlotActor:
    """The actor: what it does is the hosted worker's. Frames and faces never are arguments or results here."""

    def __init__(self, host: str, slot: str) -> None:
        """`host` names a function that makes the worker of `slot`: an edge knows no wiring."""
        self._hosted: Hosted = pkgutil.resolve_name(host)(slot)

    def status(self) -> WorkerStatus:
        return self._hosted.status()

    def metrics_text(self) -> str:
        return self._hosted.metrics_text()

    def drain(self) -> None:
        self._hosted.drain()


class RayFleet:
    """`ports.Fleet`. One thread. A call may take as long as its timeout; raises Transient if Ray is away."""

    def __init__(self, address: str, *, prefix: str, host: str, cpus: float) -> None:
        self._address = address
        self._prefix = prefix
        self._host = host
        self._cpus = cpus
        self._actors: dict[int, ActorHandle[Any]] = {}

    def connect(self) -> None:
        """Raises Misconfigured if no head answers, or refuses the token."""
        try:
            with _signals_kept():
                ray.init(address=self._address, namespace=_NAMESPACE, log_to_driver=False, configure_logging=False)
        except (ConnectionError, RayError, RuntimeError) as error:
            raise Misconfigured(
                f"RAY_ADDRESS: no Ray answers at {self._address} with this token ({type(error).__name__})"
            ) from error

    def disconnect(self) -> None:
        """Leave Ray; the actors stay."""
        ray.shutdown()

    def slots(self) -> list[int]:
        """The slots that have an actor now, whoever started it."""
        with _away():
            names: list[str] = ray.util.list_named_actors()
        found = [name.removeprefix(self._prefix) for name in names if name.startswith(self._prefix)]
        return sorted(int(number) for number in found if number.isdigit())

    def start(self, slot: int) -> None:
        """See that this slot has an actor; returns before it runs."""
        name = f"{self._prefix}{slot}"
        with _away():
            actor = ray.remote(SlotActor).options(
                name=name, lifetime="detached", get_if_exists=True, num_cpus=self._cpus, max_restarts=0
            )
            self._actors[slot] = cast("ActorHandle[Any]", actor.remote(self._host, name))

    def status(self, slots: Sequence[int], *, timeout_s: float) -> Mapping[int, WorkerStatus | None]:
        """How each stands; None for one that does not answer in time, absent for one that is dead."""
        return self._ask("status", slots, timeout_s)

    def metrics(self, slots: Sequence[int], *, timeout_s: float) -> Mapping[int, str]:
        """The metrics of those that answer in time."""
        answers: Mapping[int, str | None] = self._ask("metrics_text", slots, timeout_s)
        return {slot: text for slot, text in answers.items() if text is not None}

    def drain(self, slots: Sequence[int]) -> None:
        """Tell these to finish; returns at once."""
        for slot in slots:
            with _away():
                self._actor(slot).drain.remote()

    def kill(self, slot: int) -> None:
        """End this slot's actor at once, if it has one."""
        with _away():
            try:
                ray.kill(self._actor(slot))
            except ValueError:
                log.debug("no actor to end")
        self._actors.pop(slot, None)

    def _actor(self, slot: int) -> ActorHandle[Any]:
        if slot not in self._actors:
            self._actors[slot] = ray.get_actor(f"{self._prefix}{slot}")
        return self._actors[slot]

    def _ask(self, method: str, slots: Sequence[int], timeout_s: float) -> Mapping[int, Any]:
        with _away():
            asked = {}
            for slot in slots:
                try:
                    asked[slot] = getattr(self._actor(slot), method).remote()
                except ValueError:
                    continue
            ready, _ = (
                ray.wait(list(asked.values()), num_returns=max(1, len(asked)), timeout=timeout_s)
                if asked
                else ([], [])
            )
            answers: dict[int, Any] = {}
            for slot, ref in asked.items():
                if ref not in ready:
                    answers[slot] = None
                    continue
                try:
                    answers[slot] = ray.get(ref, timeout=timeout_s)
                except RayActorError:
                    self._actors.pop(slot, None)
                except GetTimeoutError:
                    answers[slot] = None
            return answers


@contextmanager
def _away() -> Iterator[None]:
    """Ray not answering is Transient; an actor's death is told apart before."""
    try:
        yield
    except (RayError, ConnectionError) as error:
        raise Transient(f"Ray did not answer ({type(error).__name__})") from error


@contextmanager
def _signals_kept() -> Iterator[None]:
    """Ray takes the signals when it connects; the process's own order of ending must stand."""
    kept = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in kept.items():
            signal.signal(number, handler)
