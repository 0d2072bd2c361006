"""`signpost purge` and `signpost hold`: a real oversight, real stores; the test answers for the services."""

from __future__ import annotations

import hashlib
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import redis
from typer.testing import CliRunner, Result

from console.__main__ import build
from console.authority.standing import ran_last
from console.commands import keys
from console.edges.grpc_oversight import OversightClient
from console.edges.kafka_read import KafkaReader
from console.stack.kafka import KafkaCluster
from services.contracts import codec_authority, topics
from services.contracts.authorisation.enums import Move
from services.contracts.authorisation.purging import SERVICES, Holder, PurgeAnswer, PurgeAnswered, What, key_of
from services.contracts.authorisation.records import StateRecorded
from services.contracts.authorisation.signing import SigningKey, take_apart, unchecked_payload
from services.contracts.authorisation.statements import StateChanged, sign
from services.runtime.clock import SystemClock
from services.runtime.kafka.config import Connection
from services.runtime.kafka.types import Output
from services.runtime.keys.folder import FolderKeys
from services.runtime.keys.volatile import VolatileKeys
from services.runtime.purging import publish
from services.runtime.signing_key import read_signing_key
from tests.integration.console.test_authority_commands import PEOPLE, Town, ran, town
from tests.support import eventually

__all__ = ["town"]

CLOCK = SystemClock()
APP = build(["purge", "hold", "deployment"])
IN_STORE = ("alert/20261122T10", "deployment")


class Desk:
    """The operator's, with keys of the town's deployment in both stores."""

    def __init__(self, town: Town, kafka: KafkaCluster, volatile_url: str, durable_url: str) -> None:
        self.town, self._bootstrap = town, kafka.bootstrap
        self._urls = [f"--redis-volatile-url={volatile_url}", f"--redis-durable-url={durable_url}"]
        self._folder = town.folder / "keys"
        self._volatile_url = volatile_url
        until = CLOCK.now() + timedelta(hours=1)
        self.store = FolderKeys(self._folder, CLOCK)
        for one in IN_STORE:
            self.store.get_or_create(f"{town.deployment}/{one}", expires_at=until)
        with redis.Redis.from_url(volatile_url) as client:
            VolatileKeys(client, CLOCK).get_or_create(f"{town.deployment}/face/one", expires_at=until)

    def purge(self, *options: str, by: str = "p-supervisor") -> Result:
        told = [f"--keys-dir={self._folder}", *self._urls, f"--bootstrap={self._bootstrap}"]
        return self._ran("purge", self.town.deployment, *told, *self._signed(by), *options)

    def hold(self, case: str, *, until: datetime, by: str) -> Result:
        options = [f"--deployment={self.town.deployment}", "--reason=a complaint was made"]
        return self._ran("hold", case, *options, f"--until={until:%Y-%m-%dT%H:%M:%S}", *self._signed(by))

    def report(self, out: Path, *, by: str = "p-supervisor") -> Result:
        told = [f"--bootstrap={self._bootstrap}", f"--root={self.town.root_fingerprint}", f"--out={out}"]
        return self._ran("deployment", "report", self.town.deployment, *told, *self._signed(by))

    def evidence(self, *moves: Move) -> list[str | None]:
        """What each of these moves was recorded on."""
        with closing(KafkaReader(self._bootstrap)) as reader:
            records = [codec_authority.decode(value) for value in reader.values(topics.AUTHORITY.name)]
        # Other organisations' stand on the same topic.
        said = [
            StateChanged.from_canonical(unchecked_payload(signed))
            for signed in (take_apart(one.token) for one in records if isinstance(one, StateRecorded))
            if signed.kid == self._key("oversight-1", "oversight").kid
        ]
        return [one.evidence for move in moves for one in said if one.move is move]

    def answer(self, *holders: Holder, signed_by: Holder | None = None) -> None:
        """As the services would, to the newest order."""
        with OversightClient(self.town.address) as client:
            standing = ran_last(client.versions(self.town.deployment)).standing
        for holder in holders:
            answer = PurgeAnswer(
                deployment=standing.deployment,
                version=standing.version,
                order=standing.state_sequence,
                holder=holder,
                instance="one",
                at=CLOCK.now(),
                destroyed={What.FACE_KEYS: 1},
                left={},
            )
            said = PurgeAnswered(deployment=answer.deployment, signed_at=answer.at, answer=answer)
            token = sign(said, self._key(signed_by or holder, "service"))
            publish(
                Connection(self._bootstrap, "tests"), Output(topics.PURGES.name, key_of(answer), token.encode())
            )

    def keys(self) -> int:
        """How many there are."""
        with redis.Redis.from_url(self._volatile_url) as client:
            volatile = VolatileKeys(client, CLOCK)
            return sum(len(one.lives_s(f"{self.town.deployment}/")) for one in (self.store, volatile))

    def _key(self, person: str, role: str) -> SigningKey:
        return read_signing_key(self.town.folder / f"{person}-{role}.pem", variable="KEY")

    def _ran(self, *words: str) -> Result:
        return CliRunner().invoke(APP, [*words, f"--oversight={self.town.address}"])

    def _signed(self, by: str) -> list[str]:
        return [f"--key={self.town.folder / f'{by}-{PEOPLE[by]}.pem'}"] if by else []


@pytest.fixture
def desk(town: Town, kafka: KafkaCluster, redis_volatile: str, redis_durable: str) -> Desk:
    for service in SERVICES:
        enrolled = town.root("enrol", f"--person={service}", "--role=service")
        assert enrolled.exit_code == 0, enrolled.output
    told = ran(keys.app, "publish", str(town.folder / "registry.jws"), f"--oversight={town.address}")
    assert told.exit_code == 0, told.output
    town.active()
    return Desk(town, kafka, redis_volatile, redis_durable)


def test_a_purge_is_looked_at_ordered_waited_for_and_certified_once(desk: Desk, tmp_path: Path) -> None:
    looked = desk.purge("--dry-run", by="")
    assert looked.exit_code == 0, looked.output
    assert "1 face_keys" in looked.output
    assert "nothing destroyed; the authority is active" in looked.output
    early = desk.purge()
    assert early.exit_code == 1, "nothing is purged that still runs"
    assert desk.keys() == 3

    assert desk.town.ask("stop", desk.town.deployment, "--reason=over", by="p-supervisor").exit_code == 0
    nowhere = desk.purge(f"--out={tmp_path}")
    assert (nowhere.exit_code, f"--out: {tmp_path} is a folder" in nowhere.output) == (2, True)
    assert desk.town.state() == "ended", "nothing is ordered whose certificate could not be written"
    waited = desk.purge("--within-s=2")
    assert waited.exit_code == 1
    for service in SERVICES:
        assert f"waits for {service}" in waited.output
    desk.answer(Holder.MATCH, signed_by=Holder.REVIEW)
    desk.answer(*SERVICES - {Holder.MATCH})
    eventually(
        lambda: _waits_for(desk) == ["waits for match"],
        "all but one heard, and no word for another",
        within_s=20,
    )

    desk.answer(Holder.MATCH)
    certificate = tmp_path / "certificate.jws"
    eventually(lambda: desk.town.state() == "purged", "the certificate signed", within_s=30)
    again = desk.purge(f"--out={certificate}")
    assert again.exit_code == 0, again.output
    assert "purge certificate" in again.output
    assert certificate.read_text()
    assert desk.keys() == 0
    assert desk.purge().output == again.output, "done twice it says the same"


def test_a_case_is_held_by_one_in_charge_and_before_the_purge_is_ordered(desk: Desk) -> None:
    until = datetime.now(UTC) + timedelta(days=3)
    held = desk.hold("c0ffee", until=until, by="p-supervisor")
    assert held.exit_code == 0, held.output
    assert f"case c0ffee is held until {until:%Y-%m-%d %H:%M} UTC" in held.output
    assert desk.hold("c0ffee", until=until, by="p-author").exit_code == 1
    assert desk.hold("c0ffee", until=until - timedelta(days=9), by="p-supervisor").exit_code == 1
    assert desk.town.ask("stop", desk.town.deployment, "--reason=over", by="p-supervisor").exit_code == 0
    desk.purge("--within-s=1")
    late = desk.hold("cafe", until=until, by="p-supervisor")
    assert late.exit_code == 1
    assert "comes too late" in late.output


def test_what_ran_is_purged_reported_and_reviewed_though_a_later_version_was_cancelled(
    desk: Desk, tmp_path: Path
) -> None:
    town = desk.town
    town.next_version()
    town.authorised()
    assert town.ask("stop", town.deployment, "--reason=over", by="p-supervisor").exit_code == 0
    cancelled = town.ask("cancel", town.deployment, "--reason=not needed", by="p-officer")
    assert cancelled.exit_code == 0, cancelled.output
    assert town.states() == ["ended", "cancelled"]

    early = desk.report(tmp_path / "early.json")
    assert early.exit_code == 1, "nothing is reported that is not purged"
    assert not (tmp_path / "early.json").exists()
    assert desk.purge("--within-s=1").exit_code == 1
    desk.answer(*SERVICES)
    eventually(lambda: town.states() == ["purged", "cancelled"], "the certificate signed", within_s=30)

    held = tmp_path / "review.md"
    held.write_text("What was found, and what is to be done better.")
    soon = town.ask("review", town.deployment, f"--review={held}", by="p-auditor")
    assert soon.exit_code == 1, "nothing is reviewed that was not reported"
    report = tmp_path / "report.json"
    reported = desk.report(report)
    assert reported.exit_code == 0, reported.output
    assert town.states() == ["reported", "cancelled"]
    assert town.ask("review", town.deployment, f"--review={held}", by="p-supervisor").exit_code == 1
    reviewed = town.ask("review", town.deployment, f"--review={held}", by="p-auditor")
    assert reviewed.exit_code == 0, reviewed.output
    assert town.states() == ["reviewed", "cancelled"]
    digests = [hashlib.sha256(one.read_bytes()).hexdigest() for one in (report, held)]
    assert desk.evidence(Move.REPORT, Move.REVIEW) == digests


def _waits_for(desk: Desk) -> list[str]:
    with OversightClient(desk.town.address) as client:
        return [finding.rule for finding in client.newest(desk.town.deployment).standing.waits_for]
