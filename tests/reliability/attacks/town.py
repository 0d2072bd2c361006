"""A town under attack: an authority, matchers, a crowd; and what it was allowed, as the attack goes on."""

from __future__ import annotations

import os
import re
import signal
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from console.edges.kafka_admin import KafkaAdmin
from console.topics.apply import apply
from services.contracts.authorisation.enums import Move
from services.contracts.counts import Count
from tests.integration.match.lists import PEOPLE, SealedList
from tests.integration.match.world import World
from tests.integration.oversight.world import GROUP as OVERSIGHT_GROUP
from tests.integration.running import Running, answer
from tests.integration.signed import SignedAuthority
from tests.reliability.attacks.crowd import Crowd
from tests.reliability.attacks.judge import Bounds, Sighting, Span, Verdict, hidden, judge
from tests.reliability.attacks.lookout import Lookout
from tests.support import eventually
from tests.unit.contracts.authorisation.builders import a_camera

# A stop, a suspension, a revocation are in effect within this; without a lease the search ends within that.
EFFECT_S, LEASE_LIFE_S = 2.0, 10.0
# How long an attack is given to succeed, once what was allowed is over.
DWELL_S = 3.0
# Enough that the matchers' partitions all have some.
CAMERAS = tuple(f"gate-{number}" for number in range(8))
RATE_HZ = 60.0
# Seen in the same town while it may search: fewer and one might say that it never worked.
LEAST_SEARCHES = 30
WITHIN_S = 40.0
# After the last face: until what was searched can be read.
_SETTLED_S = 1.5


@dataclass(frozen=True)
class Servers:
    """Where everything runs, and who looks on."""

    bootstrap: str
    volatile_url: str
    durable_url: str
    folder: Path
    lookout: Lookout


@contextmanager
def looked_on(bootstrap: str, volatile_url: str, durable_url: str, folder: Path) -> Iterator[Servers]:
    """Servers with their topics, and somebody who looks on."""
    apply(KafkaAdmin(bootstrap), groups=[OVERSIGHT_GROUP])
    lookout = Lookout(bootstrap)
    lookout.start()
    try:
        yield Servers(bootstrap, volatile_url, durable_url, folder, lookout)
    finally:
        lookout.stop()


@dataclass(frozen=True)
class Outcome:
    """What came of an attack; `told` is what the matchers say that they did not believe or take."""

    verdict: Verdict
    told: str

    def __add__(self, other: Outcome) -> Outcome:
        return Outcome(self.verdict + other.verdict, "; ".join(filter(None, (self.told, other.told))))


class Unfinished(AssertionError):
    """An attack that could not be played to its end, and what had come of it by then."""

    def __init__(self, why: AssertionError, outcome: Outcome) -> None:
        super().__init__(str(why) or type(why).__name__)
        self.outcome = outcome


class Town:
    """A context manager. One thread drives it; the crowd, the leases and the lookout have their own.

    `fields` are of the document, `watchlist` of its list, as the document has it, and `plan` as it was sealed.
    """

    def __init__(
        self,
        servers: Servers,
        *,
        watchlist: Mapping[str, Any] | None = None,
        plan: Mapping[str, Any] | None = None,
        **fields: Any,
    ) -> None:
        folder = servers.folder / f"town-{time.monotonic_ns()}"
        folder.mkdir()
        cameras = [a_camera(name, source="folder", host=None) for name in CAMERAS]
        self.servers = servers
        self.world = World(
            servers.bootstrap,
            servers.volatile_url,
            servers.durable_url,
            folder,
            dict(watchlist or {}),
            {"cameras": cameras} | fields,
        )
        self.listed = SealedList(self.world, **(plan or {}))
        self.matchers: list[Running] = []
        self.crowd: Crowd
        self._spans: list[Span] = []
        self._open_since: datetime | None = None
        self._known: Counter[str] = Counter()
        self._subjects: frozenset[str] = frozenset()
        self._ended = ExitStack()

    @property
    def signed(self) -> SignedAuthority:
        return self.world.signed

    @property
    def deployment(self) -> str:
        return str(self.world.deployment)

    def __enter__(self) -> Self:
        try:
            self._ended.callback(self.world.close)
            self.opens()
            self.authorise()
            # Now: an attack may end the authority that the keys of tokens are found by.
            self._subjects = self.listed.tokens()
            self.crowd = Crowd(self.world, tuple(PEOPLE.values()), rate_hz=RATE_HZ)
            self.crowd.start()
            self._ended.callback(self.crowd.stop)
        except BaseException:
            self._ended.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if isinstance(error, AssertionError) and not isinstance(error, Unfinished):
                raise Unfinished(error, Outcome(self.verdict(), "")) from error
        finally:
            self._ended.close()

    def authorise(self) -> None:
        """Sign, bring into force, load the list."""
        self.world.sign_for(self.listed.digest)
        self.listed.load(self.signed.registry)

    def matcher(
        self,
        *,
        ready: bool = True,
        module: Sequence[str] = ("services.match",),
        settings: Mapping[str, str] | None = None,
    ) -> Running:
        """One more, until the town ends."""
        number = str(len(self.matchers) + 1)
        started = self.world.match(number, ready=ready, module=module, settings=settings)
        self.matchers.append(self._ended.enter_context(started))
        return self.matchers[-1]

    def opens(self) -> None:
        """What is done next may lead to searches."""
        self._open_since = self._open_since or datetime.now(UTC)

    def opens_at(self, at: datetime) -> None:
        """Not now, as was said, but then."""
        self._open_since = at

    def closes(self, *, within_s: float = EFFECT_S, at: datetime | None = None) -> datetime:
        """What was just done ends it, within so long of now (or `at`); returns that moment."""
        assert self._open_since is not None, "it is closed already"
        end = (at or datetime.now(UTC)) + timedelta(seconds=within_s)
        self._spans.append(Span(self._open_since, end))
        self._open_since = None
        return end

    def suspend(self) -> None:
        self.signed.move(Move.SUSPEND)
        self.closes()
        self.signed.renew()

    def resume(self, **changes: Any) -> None:
        self.opens()
        self.signed.move(Move.RESUME, **changes)
        self.signed.renew()

    def searches(self, *, least: int = LEAST_SEARCHES) -> None:
        """Wait until faces that are written from now on are searched: the town is alive, and under load."""
        since, fresh = datetime.now(UTC), not self._known
        eventually(lambda: self._searched(since) >= least, f"{least} searches", within_s=WITHIN_S)
        if fresh:  # what the topics held before the town
            self._known = self.refused()

    def dwell(self, seconds: float = DWELL_S) -> None:
        """Let the crowd walk past for so long after everything that was allowed is over."""
        over = max((span.end for span in self._spans), default=datetime.now(UTC))
        time.sleep(max(0.0, (over - datetime.now(UTC)).total_seconds()) + seconds)

    def backlog(self) -> int:
        """Faces that were written and not yet taken."""
        return len(self.crowd.walks) - self.totals(Count.FACES_RECEIVED)

    def totals(self, count: Count) -> int:
        return self.servers.lookout.totals(self.deployment)[count]

    def sightings(self, *, since: datetime | None = None) -> list[Sighting]:
        """Alerts on faces that were written since, and on faces that nobody wrote."""
        walks = self.crowd.walks
        return [
            one
            for one in self.servers.lookout.sightings(self.deployment)
            if since is None or one.track not in walks or walks[one.track].at >= since
        ]

    def verdict(self, *, since: datetime | None = None) -> Verdict:
        """Of what was searched of those who walked past since, or ever."""
        spans = list(self._spans)
        if self._open_since is not None:
            spans.append(Span(self._open_since, datetime.max.replace(tzinfo=UTC)))
        bounds = Bounds(
            spans=tuple(spans),
            cameras=frozenset(CAMERAS),
            subjects=self._subjects,
            list_digest=self.listed.digest,
            score_kind=self.listed.score_kind,
        )
        return judge(dict(self.crowd.walks), self.sightings(since=since), bounds)

    def outcome(self) -> Outcome:
        """Of the town's whole life, which ends with it."""
        told = self.refused() - self._known
        return Outcome(self.verdict() + self.books(), words(told))

    def refused(self) -> Counter[str]:
        """What the matchers that run now did not believe, take or open so far, by their metrics."""
        found: Counter[str] = Counter()
        for matcher in self.matchers:
            if matcher.process.poll() is None:
                found.update(_refusals(answer(matcher.port, "/metrics")[1]))
        return found

    def books(self) -> Verdict:
        """Once the crowd is gone: searches that were counted and that nothing shows, in the town's whole life."""
        self.crowd.stop()
        time.sleep(_SETTLED_S)
        searched, walks = self.totals(Count.FACES_SEARCHED), self.crowd.walks.values()
        return Verdict(0, (), hidden(searched=searched, sightings=self.sightings(), walks=walks))

    def _searched(self, since: datetime) -> int:
        return len(self.sightings(since=since))


def words(told: Mapping[str, int]) -> str:
    """The figures on one line."""
    return ", ".join(f"{name} {number}" for name, number in sorted(told.items()) if number > 0)


_REFUSALS = re.compile(
    r"^signpost_match_(authority_rejected_records|faces_refused|faces_expired|faces_dead_lettered|lists_refused)_total"
    r'\{reason="(\w+)"\} (\S+)$',
    re.MULTILINE,
)
_SAID = {
    "authority_rejected_records": "records",
    "faces_refused": "faces",
    "faces_expired": "faces",
    "faces_dead_lettered": "dead letters",
    "lists_refused": "lists",
}


def _refusals(metrics: str) -> Counter[str]:
    return Counter({f"{_SAID[kind]} {why}": int(float(value)) for kind, why, value in _REFUSALS.findall(metrics)})


def pause(matcher: Running) -> None:
    """It stands still, with whatever it has in hand."""
    os.kill(matcher.process.pid, signal.SIGSTOP)


def wake(matcher: Running) -> None:
    os.kill(matcher.process.pid, signal.SIGCONT)
