"""A service that cannot be built before its authority is known, as the service that a process runs."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from typing import Protocol

from services.contracts.authorisation.approvals import Verified
from services.contracts.errors import Transient
from services.contracts.standing import Standing
from services.runtime.authority_watch import AuthorityWatch
from services.runtime.health import Heartbeat
from services.runtime.process import Service
from services.runtime.purging import Purging, obey

log = logging.getLogger(__name__)

Build = Callable[[Verified, Standing], Service]
# Between two looks for a stop or an order to purge.
_LOOK_S = 0.1
# Between two tries to answer an order that could not be answered.
_AGAIN_S = 2.0
_JOIN_S = 10.0
# Between two looks whether our key is in force: a registry of thousands of keys is laid out for each. A key counts
# as over 30 s before its end, so that what is in hand can still be signed.
_KEY_EVERY_S = 2.0


class Witness(Protocol):
    """A `ClockWitness`, as who runs it needs it."""

    def start(self) -> None: ...
    def stop(self) -> None: ...


class SigningKeyOf(Protocol):
    """An `OwnKey`, as who waits for it needs it."""

    def in_force(self) -> bool: ...


class UnderAuthority:
    """`Service` around another: waits in `run` for the authority, then builds, starts and runs the other one.

    It waits as well until its own key is in the registry: a purge would wait for ever for the word of a holder
    that nobody believes, so such a one gets nothing to hold.

    When that key ends or is revoked the service is drained and the process ends with OK: what it would sign from
    then on nobody believes. Started anew it waits for the next key.

    When another document comes into force the service is drained and the process ends with OK: what it knows of
    the old one went into how it was built, and who runs it starts it anew.

    At a stop the keys of frames are destroyed. At an order to purge the other one is drained and closed, all keys
    are destroyed and the order is answered; then the process ends, for what its memory held is only gone with it.
    Started anew it builds nothing, and answers again.
    """

    def __init__(
        self,
        watch: AuthorityWatch,
        build: Build,
        heartbeat: Heartbeat,
        purge: Purging,
        *,
        own_key: SigningKeyOf,
        witness: Witness,
    ) -> None:
        """`witness`: who tells of the machine's clock for as long as the process runs."""
        self._own_key = own_key
        self._witness = witness
        self._purge = purge
        self._orders: threading.Thread | None = None
        self._closed = threading.Event()
        self._obeyed = 0
        self._watch = watch
        self._build = build
        self._heartbeat = heartbeat
        self._inner: Service | None = None
        self._running = False

    def start(self) -> None:
        self._watch.start()
        self._witness.start()

    def run(self, stop: threading.Event) -> None:
        verified = self._wait(stop)
        if verified is None:
            return
        document = verified.document
        if self._watch.purge_ordered():
            self._answer_only(stop)
            return
        log.info("built on an authority", extra={"version": document.version, "digest": verified.digest})
        self._heartbeat.begin_again()
        self._inner = self._build(verified, self._watch.built_for(verified, stop.set))
        self._inner.start()
        self._orders = threading.Thread(
            target=self._obey_orders, args=(stop,), name="signpost-orders", daemon=True
        )
        self._orders.start()
        self._running = True
        self._inner.run(stop)
        self._running = False

    def drain(self, within_s: float) -> bool:
        return self._inner is None or self._inner.drain(within_s)

    def close(self) -> None:
        self._closed.set()
        if self._orders is not None:
            self._orders.join(_JOIN_S)
        if self._inner is not None:
            self._inner.close()
        self._obey()
        self._witness.stop()
        self._watch.stop()

    def ready(self) -> Mapping[str, bool]:
        inner, running = self._inner, self._running
        checks = inner.ready() if inner is not None and running else {"running": False}
        return {"authority": self._watch.ready(), **checks}

    def _wait(self, stop: threading.Event) -> Verified | None:
        """The authority, once it is there and this process is believed; None if stopped."""
        told = False
        while True:
            verified = self._watch.wait(stop, self._heartbeat.beat)
            if verified is None or self._own_key.in_force():
                return verified
            if not told:
                log.warning("the registry does not have this process's key: it waits to be enrolled")
                told = True
            stop.wait(_LOOK_S)

    def _obey_orders(self, stop: threading.Event) -> None:
        """Beside the service: shed keys at a stop; end the service at an order to purge."""
        shed = ends = False
        looks_at_key_s = time.monotonic()
        while not ends:
            # Looks once more as the service ends: a stop may bring the next version, and with it that end.
            ends = stop.wait(_LOOK_S) or self._closed.is_set()
            if not shed and self._watch.stopped():
                shed = self._shed()
            if not ends and self._watch.purge_ordered():
                log.info("a purge is ordered: this process ends, to be started anew")
                stop.set()
            if not ends and time.monotonic() >= looks_at_key_s:
                looks_at_key_s = time.monotonic() + _KEY_EVERY_S
                self._end_without_key(stop)

    def _end_without_key(self, stop: threading.Event) -> None:
        if not self._own_key.in_force():
            log.warning("the registry has this process's key no more: it ends, to be started anew with another")
            stop.set()

    def _shed(self) -> bool:
        try:
            self._purge.shed()
        except Transient as away:
            log.warning("keys not destroyed yet", extra={"reason": str(away)})
            return False
        return True

    def _answer_only(self, stop: threading.Event) -> None:
        while not stop.is_set():
            self._heartbeat.beat()
            self._obey()
            stop.wait(_LOOK_S if self._answered() else _AGAIN_S)

    def _answered(self) -> bool:
        order = self._watch.purge_ordered()
        return order is None or order.sequence <= self._obeyed

    def _obey(self) -> None:
        """The newest order, if there is one that is not obeyed yet."""
        order = self._watch.purge_ordered()
        if order is None or order.sequence <= self._obeyed:
            return
        if obey(self._purge, order.version, order.sequence):
            self._obeyed = order.sequence
        self._watch.unanswered(order.sequence > self._obeyed)
