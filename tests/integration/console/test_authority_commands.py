"""`signpost keys` and `signpost authority` against a real oversight, from the root to the stop."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest
import redis
import yaml
from typer.testing import CliRunner, Result

from console.authority import files
from console.commands import authority, keys
from console.edges.grpc_oversight import OversightClient
from console.edges.kafka_admin import KafkaAdmin
from console.run.service import ServiceProcess
from console.stack.kafka import KafkaCluster
from console.stack.ports import free_ports
from console.topics.apply import apply
from console.topics.groups import groups_of
from services.contracts import lists
from tests.support import eventually
from tests.unit.console.authority.drafts import digest_of

# It joins its group and reads `authority` first.
_ACTIVE_WITHIN_S = 20.0
PEOPLE = {
    "p-author": "author",
    "p-officer": "authorising_officer",
    "p-supervisor": "supervisor",
    "p-auditor": "auditor",
    "oversight-1": "oversight",
}


@dataclass
class Town:
    """An organisation with its root, its people's keys, an oversight, and a draft whose list is built."""

    folder: Path
    address: str
    organisation: str
    root_fingerprint: str = ""
    deployment: str = "try-1"

    @property
    def draft(self) -> Path:
        return self.folder / "try.yaml"

    def root(self, word: str, *options: str) -> Result:
        return ran(keys.app, word, str(self.folder), f"--passphrase-file={self.folder / 'passphrase'}", *options)

    def ask(self, word: str, *options: str, by: str = "") -> Result:
        key = [f"--key={self.folder / f'{by}-{PEOPLE[by]}.pem'}"] if by else []
        return ran(authority.app, word, *options, *key, f"--oversight={self.address}")

    def state(self) -> str:
        with OversightClient(self.address) as client:
            return client.newest(self.deployment).standing.state

    def states(self) -> list[str]:
        """Of every version, oldest first."""
        with OversightClient(self.address) as client:
            return [one.standing.state for one in client.versions(self.deployment)]

    def next_version(self) -> None:
        """The draft becomes that of version 2, which supersedes what was submitted."""
        fields = yaml.safe_load(self.draft.read_text())
        self.draft.write_text(yaml.safe_dump(fields | {"version": 2, "supersedes": self.digest}))

    def authorised(self) -> None:
        for word, options, by in (
            ("submit", [str(self.draft)], "p-author"),
            ("approve", [self.deployment, "--person=p-officer", f"--digest={self.digest}"], "p-officer"),
        ):
            done = self.ask(word, *options, by=by)
            assert done.exit_code == 0, done.output

    def active(self) -> None:
        self.authorised()
        (self.folder / "notice.md").write_text("Faces are searched here.")
        notice = f"--notice={self.folder / 'notice.md'}"
        done = self.ask("attest", self.deployment, notice, "--address=https://example.org/n", by="p-supervisor")
        assert done.exit_code == 0, done.output
        eventually(lambda: self.state() == "active", "it to be ACTIVE", within_s=_ACTIVE_WITHIN_S)

    @property
    def digest(self) -> str:
        facts = files.read_facts(files.facts_path(self.draft))
        return files.read_draft(self.draft).document(facts).digest


def ran(app: object, *words: str) -> Result:
    return CliRunner().invoke(app, list(words))  # type: ignore[arg-type]


@pytest.fixture
def town(tmp_path: Path, kafka: KafkaCluster, redis_durable: str) -> Iterator[Town]:
    assert not apply(KafkaAdmin(kafka.bootstrap), groups=groups_of([])).refused
    (port,) = free_ports(1)
    town = Town(tmp_path, f"127.0.0.1:{port}", f"club-{uuid4().hex[:8]}")
    (tmp_path / "passphrase").write_text("four words, all long")
    told = town.root("root", f"--organisation={town.organisation}")
    assert told.exit_code == 0, told.output
    town.root_fingerprint = told.output.strip().removeprefix("AUTHORITY_ROOT=")
    for person, role in PEOPLE.items():
        enrolled = town.root("enrol", f"--person={person}", f"--role={role}")
        assert enrolled.exit_code == 0, enrolled.output
    words = ["new", town.deployment, "--camera=front", f"--out={town.draft}", "--author=p-author"]
    new = CliRunner().invoke(
        authority.app, [*words, f"--organisation={town.organisation}"], input="rtsp://10.0.0.21/1\n"
    )
    assert new.exit_code == 0, new.output
    digest = digest_of(town.organisation)
    facts = {"deployment": town.deployment, "id": "faces", "digest": digest, "model": "m-1", "score_kind": "raw"}
    files.facts_path(town.draft).write_text(yaml.safe_dump(facts | {"thresholds": {1: 0.454}}))
    with redis.Redis.from_url(redis_durable) as client:
        client.set(lists.front(town.deployment, digest), b"sealed elsewhere")
    settings = {
        "KAFKA_BOOTSTRAP": kafka.bootstrap,
        "REDIS_DURABLE_URL": redis_durable,
        "ORGANISATION": town.organisation,
        "AUTHORITY_ROOT": town.root_fingerprint,
        "OVERSIGHT_KEY_FILE": str(tmp_path / "oversight-1-oversight.pem"),
        "GRPC_PORT": str(port),
    }
    oversight = ServiceProcess("oversight", ("services.oversight",), home=tmp_path, settings=settings)
    oversight.start()
    try:
        oversight.await_ready(within_s=60)
        published = ran(keys.app, "publish", str(tmp_path / "registry.jws"), f"--oversight={town.address}")
        assert published.exit_code == 0, published.output
        yield town
    finally:
        oversight.stop()


def test_an_authority_is_signed_comes_into_force_and_is_stopped(town: Town) -> None:
    town.active()
    shown = town.ask("show", town.deployment, "--document")
    assert "try-1 version 1, serial 1: ACTIVE" in shown.output
    assert "approved  full" in shown.output
    assert town.digest in shown.output
    stopped = town.ask("stop", town.deployment, "--reason=the exercise is over", by="p-supervisor")
    assert stopped.exit_code == 0, stopped.output
    assert town.state() == "ended"
    listed = town.ask("list")
    assert "ended" in listed.output


def test_it_waits_for_what_is_missing_and_says_so(town: Town) -> None:
    town.authorised()
    shown = town.ask("show", town.deployment)
    assert "AUTHORISED" in shown.output
    assert "waits for attestation" in shown.output


def test_only_who_approved_a_suspended_one_resumes_it(town: Town) -> None:
    town.active()
    assert town.ask("suspend", town.deployment, "--reason=a fault", by="p-supervisor").exit_code == 0
    assert town.state() == "suspended"
    refused = town.ask("resume", town.deployment, "--reason=mended", by="p-supervisor")
    assert refused.exit_code == 1
    assert "[C-18]" in refused.output
    assert town.state() == "suspended"
    resumed = town.ask("resume", town.deployment, "--reason=mended", by="p-officer")
    assert resumed.exit_code == 0, resumed.output
    assert town.state() == "active"


def test_an_author_does_not_approve_their_own_document(town: Town) -> None:
    submitted = town.ask("submit", str(town.draft), by="p-author")
    assert submitted.exit_code == 0, submitted.output
    options = [town.deployment, "--person=p-author", f"--digest={town.digest}"]
    refused = town.ask("approve", *options, by="p-author")
    assert refused.exit_code == 1
    assert town.state() == "submitted"


def test_a_digest_that_is_not_the_document_s_is_not_signed(town: Town) -> None:
    assert town.ask("submit", str(town.draft), by="p-author").exit_code == 0
    other = f"--digest={digest_of('other')}"
    refused = town.ask("approve", town.deployment, "--person=p-officer", other, by="p-officer")
    assert refused.exit_code == 1
    assert "digest: is not that of the newest version" in refused.output


def test_a_refused_draft_stays_refused(town: Town) -> None:
    assert town.ask("submit", str(town.draft), by="p-author").exit_code == 0
    refused = town.ask("refuse", town.deployment, "--reason=grounds too thin", by="p-officer")
    assert refused.exit_code == 0, refused.output
    assert town.state() == "refused"
    options = [town.deployment, "--person=p-officer", f"--digest={town.digest}"]
    assert town.ask("approve", *options, by="p-officer").exit_code == 1
    assert town.state() == "refused"


def test_a_serial_that_leaves_a_gap_is_refused_by_field(town: Town) -> None:
    fields = yaml.safe_load(town.draft.read_text())
    fields["serial"] = 2
    town.draft.write_text(yaml.safe_dump(fields))
    refused = town.ask("submit", str(town.draft), by="p-author")
    assert refused.exit_code == 1
    assert "serial: must be 1, the next of the organisation" in refused.output


def test_a_deployment_that_nobody_submitted_is_unknown(town: Town) -> None:
    refused = town.ask("show", "no-such")
    assert refused.exit_code == 1
    assert "deployment: " in refused.output
