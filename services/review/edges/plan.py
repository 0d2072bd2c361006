"""One atomic step in the durable Redis, as a value: what must still hold, then what is written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from services.contracts import codec, topics
from services.contracts.decisions import CaseEvent
from services.contracts.ids import DeploymentId
from services.review.core.case import Case
from services.review.core.folding import Seen
from services.review.core.views import CaseState
from services.review.edges import stored

Word = bytes | str | int


@dataclass(frozen=True)
class Names:
    """What each thing is called in the durable Redis. The braces keep a deployment in one slot of a cluster."""

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
    def outbox(self) -> str:
        return self._name("outbox")

    @property
    def counts(self) -> str:
        return self._name("counts")

    @property
    def relay(self) -> str:
        return self._name("relay")

    @property
    def changes(self) -> str:
        """The channel on which a changed case is named."""
        return self._name("changes")

    def session(self, token_hash: str) -> str:
        return self._name(f"session:{token_hash}")

    def failures(self, user_hash: str) -> str:
        return self._name(f"failures:{user_hash}")


def ms(at: datetime) -> int:
    return int(at.timestamp() * 1000)


@dataclass
class Plan:
    """Grows while a step is put together; then it is handed over and not touched again."""

    names: Names
    expects: list[tuple[str, str]] = field(default_factory=list)
    commands: list[tuple[Word, ...]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)

    def put_case(self, case: Case, *, keep_until: datetime) -> None:
        """The case at its new version, if it is still at the one before; its index; word of it."""
        name = self.names.case(case.id)
        self._expect(name, "" if case.version == 1 else str(case.version - 1))
        self._run("HSET", name, "version", case.version, "body", stored.dump(case))
        self._run("PEXPIREAT", name, ms(keep_until))
        if case.state is CaseState.OPEN:
            self._run("ZADD", self.names.open, ms(case.expires_at), case.id)
            self._run("ZREM", self.names.closed, case.id)
        else:
            self._run("ZREM", self.names.open, case.id)
            self._run("ZADD", self.names.closed, ms(case.closed_at or case.expires_at), case.id)
        self._run("PUBLISH", self.names.changes, case.id)

    def put_subject(self, case: Case, *, version: int, keep_until: datetime) -> None:
        """That this is its subject's newest case; `version` is what was read (0: none)."""
        name = self.names.subject(case.subject)
        self._expect(name, str(version) if version else "")
        self._run("HSET", name, "version", version + 1, "case", case.id)
        self._run("PEXPIREAT", name, ms(keep_until))

    def put_seen(self, alert: str, seen: Seen, *, keep_until: datetime) -> None:
        """What is remembered of an alert, one version on."""
        name = self.names.seen(alert)
        self._expect(name, "" if seen.version == 1 else str(seen.version - 1))
        partition, offset = seen.position
        fields = ("version", seen.version, "revision", seen.revision, "case", seen.case)
        self._run("HSET", name, *fields, "partition", partition, "offset", offset)
        self._run("PEXPIREAT", name, ms(keep_until))

    def put_content(self, content: str, sealed: bytes, *, keep_until: datetime) -> None:
        """Sealed pictures, until their key dies."""
        self._run("SET", self.names.content(content), sealed, "PXAT", ms(keep_until))

    def end_content(self, content: str, *, at: datetime) -> None:
        """These pictures go earlier than they would have."""
        self._run("PEXPIREAT", self.names.content(content), ms(at), "LT")

    def tell(self, event: CaseEvent) -> None:
        """An event for the decisions topic, encoded here and now: a relay that repeats it changes nothing."""
        value = codec.encode(event, topic=topics.DECISIONS.name)
        self._run("XADD", self.names.outbox, "*", "case", event.case, "event", value)

    def count(self, counts: Mapping[str, int]) -> None:
        """Counts that hold exactly if this step holds."""
        for name, amount in counts.items():
            self._run("HINCRBY", self.names.counts, name, amount)

    def words(self) -> tuple[list[str], list[Word]]:
        """KEYS and ARGV of apply.lua."""
        arguments: list[Word] = [len(self.expects)]
        for key, version in self.expects:
            arguments += (key, version)
        for command in self.commands:
            arguments += (len(command), *command)
        return list(dict.fromkeys(self.keys)), arguments

    def _expect(self, key: str, version: str) -> None:
        self.expects.append((key, version))
        self.keys.append(key)

    def _run(self, name: str, key: str, *rest: Word) -> None:
        self.commands.append((name, key, *rest))
        if name != "PUBLISH":
            self.keys.append(key)
