"""A change as words for `apply.lua`, and what everything is called in the durable Redis."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from services.contracts import codec, topics
from services.contracts.decisions import CaseEvent
from services.contracts.ids import DeploymentId
from services.review.core.change import AlertAfter, CaseAfter, Change, SubjectAfter, Upkeep
from services.review.core.views import CaseState
from services.review.edges import stored
from services.review.edges.vault import Vault, begin

Word = bytes | str | int


@dataclass(frozen=True)
class Names:
    """The braces keep a deployment in one slot of a cluster: a script may touch no other."""

    deployment: DeploymentId

    def _name(self, rest: str) -> str:
        return f"review:{{{self.deployment}}}:{rest}"

    def case(self, case: str) -> str:
        return self._name(f"case:{case}")

    def subject(self, token: str) -> str:
        """A subject's newest case."""
        return self._name(f"subject:{token}")

    def seen(self, alert: str) -> str:
        """That an alert was handled: outlives its topic."""
        return self._name(f"seen:{alert}")

    def content(self, content: str) -> str:
        """An alert's sealed pictures, at one revision."""
        return self._name(f"content:{content}")

    @property
    def open(self) -> str:
        """Open cases by when they expire (ms)."""
        return self._name("open")

    @property
    def closed(self) -> str:
        """Closed cases by when they closed (ms)."""
        return self._name("closed")

    @property
    def fading(self) -> str:
        """Pictures that got a sooner end, by that end (ms)."""
        return self._name("fading")

    @property
    def outbox(self) -> str:
        """Events not yet delivered, in order, each sealed to `event`."""
        return self._name("outbox")

    def event(self, case: str) -> str:
        """What an event in the outbox is sealed to: its case is Kafka's key for it."""
        return f"{self.outbox}/{case}"

    @property
    def refused(self) -> str:
        """Entries of the outbox that are not ours, the newest, for whoever looks into it."""
        return self._name("refused")

    @property
    def minutes(self) -> str:
        """The audit requests of what waits in the outbox, by entry, each sealed to `requests`."""
        return self._name("minutes")

    def requests(self, entry: str) -> str:
        """What the requests of an entry are sealed to."""
        return f"{self.minutes}/{entry}"

    @property
    def counts(self) -> str:
        """What each process has counted, by its name there."""
        return self._name("counts")

    @property
    def relay(self) -> str:
        """The lease of the instance whose relay works."""
        return self._name("relay")

    @property
    def changes(self) -> str:
        """The channel on which a changed case is named."""
        return self._name("changes")

    def session(self, name: str) -> str:
        """`name` is one that only we can tell from a token."""
        return self._name(f"session:{name}")

    def ticket(self, place: str) -> str:
        return self._name(f"ticket:{place}")

    def tries(self, count: str) -> str:
        """Sign-ins tried of late, by what is counted."""
        return self._name(f"tries:{count}")


def ms(at: datetime) -> int:
    return int(at.timestamp() * 1000)


@dataclass(frozen=True)
class Words:
    """KEYS and ARGV of apply.lua; `new` are the names where nothing of ours should be yet."""

    keys: list[str]
    arguments: list[Word]
    new: frozenset[str]


def words(
    names: Names,
    change: Change,
    vault: Vault,
    *,
    counts: tuple[str, bytes] | None,
    overruled: Mapping[str, bytes],
) -> Words:
    """The change, sealed. `counts`: a field and what it becomes. `overruled`: how values begin that are not ours.

    Raises DeadlinePassed, Transient.
    """
    plan = _Plan(names, vault, overruled)
    if change.case is not None:
        plan.put_case(change.case)
    if change.subject is not None:
        plan.put_subject(change.subject)
    if change.alert is not None:
        plan.put_alert(change.alert)
    for content in change.contents:
        plan.run("SET", names.content(content.name), content.sealed, "PXAT", ms(content.keep_until))
    plan.retime(change.upkeep)
    if change.case is not None:
        plan.end_indexes(change.case)
    for event in change.events:
        plan.tell(event)
    if counts is not None:
        plan.run("HSET", names.counts, *counts)
    return plan.words()


@dataclass
class _Plan:
    """Grows while the words are put together; one call owns it."""

    names: Names
    vault: Vault
    overruled: Mapping[str, bytes]
    expects: list[tuple[str, bytes]] = field(default_factory=list)
    commands: list[tuple[Word, ...]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    new: list[str] = field(default_factory=list)

    def put_case(self, after: CaseAfter) -> None:
        """The case, its index, and word of it."""
        case, name = after.case, self.names.case(after.case.id)
        self._replace(name, case.version, stored.dump(case), after.keep_until)
        if case.state is CaseState.OPEN:
            self.run("ZADD", self.names.open, ms(case.expires_at), case.id)
            self.run("ZREM", self.names.closed, case.id)
        else:
            self.run("ZREM", self.names.open, case.id)
            self.run("ZADD", self.names.closed, ms(case.closed_at or case.expires_at), case.id)
        self.run("PUBLISH", self.names.changes, case.id)

    def end_indexes(self, after: CaseAfter) -> None:
        """They stay no longer than the newest case, should nobody sweep any more."""
        for index in (self.names.open, self.names.closed, self.names.fading):
            self.run("PEXPIREAT", index, ms(after.indexed_until))

    def put_subject(self, after: SubjectAfter) -> None:
        plain = json.dumps({"case": after.case.id}).encode()
        self._replace(self.names.subject(after.case.subject), after.version + 1, plain, after.keep_until)

    def put_alert(self, after: AlertAfter) -> None:
        plain = stored.dump_seen(after.seen)
        self._replace(self.names.seen(after.alert), after.seen.version, plain, after.keep_until)

    def retime(self, upkeep: Upkeep) -> None:
        for one in upkeep.sooner:
            self.run("PEXPIREAT", self.names.content(one.name), ms(one.at), "LT")
            self.run("ZADD", self.names.fading, "LT", ms(one.at), one.name)
        for one in upkeep.later:
            self.run("PEXPIREAT", self.names.content(one.name), ms(one.at), "GT")
            self.run("ZREM", self.names.fading, one.name)

    def tell(self, event: CaseEvent) -> None:
        """Encoded here and now: a relay that sends it twice sends the same bytes."""
        value = codec.encode(event, topic=topics.DECISIONS.name)
        sealed = self.vault.seal(self.names.event(event.case), value, until=None)
        self.run("XADD", self.names.outbox, "*", "case", event.case, "event", sealed)

    def run(self, command: str, key: str, *rest: Word) -> None:
        self.commands.append((command, key, *rest))
        if command != "PUBLISH":
            self.keys.append(key)

    def words(self) -> Words:
        arguments: list[Word] = [len(self.expects)]
        for key, beginning in self.expects:
            arguments += (key, beginning)
        for command in self.commands:
            arguments += (len(command), *command)
        return Words(list(dict.fromkeys(self.keys)), arguments, frozenset(self.new))

    def _replace(self, name: str, version: int, plain: bytes, until: datetime) -> None:
        """The version before, or none yet if that is 0, or what is not ours."""
        before = begin(version - 1) if version > 1 else b""
        if not before:
            self.new.append(name)
        self.expects.append((name, self.overruled.get(name, before)))
        self.run("SET", name, self.vault.seal(name, plain, version=version, until=until), "PXAT", ms(until))
