"""`signpost share` against a real oversight: agreed, exported, traced, followed up, asked about, corrected."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import cv2
import numpy as np
import pytest
import yaml
from typer.testing import CliRunner, Result

from console.authority import key_file
from console.commands import keys, share
from console.edges.grpc_oversight import OversightClient
from console.edges.kafka_admin import KafkaAdmin
from console.edges.kafka_read import KafkaReader
from console.run.service import ServiceProcess
from console.stack.kafka import KafkaCluster
from console.stack.ports import free_ports
from console.topics.apply import apply
from console.topics.groups import groups_of
from console.watchlist import revoking, sealing, storing
from services.contracts import codec_audit, codec_authority, topics
from services.contracts.audit.requests import Action
from services.contracts.authorisation.enums import RevocationReason
from services.contracts.authorisation.records import SharingRecorded
from services.contracts.authorisation.registry import Registry, open_registry
from services.contracts.codec import Sealing
from services.contracts.events import ScoreKind
from services.contracts.scoring import raw_scores
from services.contracts.sealed.bundle.read import open_draft
from services.contracts.sealed.bundle.write import write_draft
from services.contracts.sealed.draft import Draft, compose
from services.contracts.sealed.manifest import Limits, Manifest, file_sha256, parse
from services.runtime.clock import SystemClock
from services.runtime.keys.cipher import AesGcm
from services.runtime.keys.folder import FolderKeys
from tests.sealed import a_listed
from tests.unit.console.sharing.test_mark import a_portrait, encoded
from tests.unit.contracts.authorisation.builders import a_camera, an_exercise, approval, key, secret
from tests.unit.contracts.authorisation.builders import a_list as listed_as
from tests.unit.contracts.sealed.lists_builder import MANAGER, OFFICER, SIZE, a_plan, matched, rows

PEOPLE = {
    "liz": "list_manager",
    "olu": "authorising_officer",
    "cen": "sharing_approver",
    "aud": "auditor",
    "ann": "author",
    "oversight": "oversight",
}
LISTED = {"e-1": encoded(a_portrait(seed=1)), "e-2": encoded(a_portrait(seed=2))}
LONG_AGO = "--since=2016-01-01"


@dataclass
class Town:
    """An organisation with its root, its people's keys, an oversight, and a sealed list of two people."""

    folder: Path
    address: str
    organisation: str
    bootstrap: str
    oversight: ServiceProcess
    root: str
    deployment: str

    def ask(self, word: str, *words: str, by: str = "") -> Result:
        own = [f"--key={self.folder / f'{by}.pem'}"] if by else []
        return ran(share.app, word, *words, *own, f"--oversight={self.address}")

    def done(self, word: str, *words: str, by: str = "") -> str:
        found = self.ask(word, *words, by=by)
        assert found.exit_code == 0, found.output
        return found.output

    @property
    def registry(self) -> Registry:
        return open_registry((self.folder / "registry.jws").read_text().strip(), root_fingerprint=self.root)

    @property
    def given(self) -> list[Path]:
        return sorted((self.folder / "out").glob("*")) if (self.folder / "out").exists() else []

    def agree(self, **changes: object) -> None:
        fields = {
            "agreement": "robbery-2026",
            "party": "north-police",
            "party_entity": "The Chief Constable of North Police",
            "party_contact": "Head of the custody imaging unit",
            "legal_basis": "DPA 2018 s. 35; agreement of 1 May 2026",
            "purpose": "locate_wanted_on_warrant",
            "grounds": "The same group robs in both areas.",
            "directions": ["out", "in"],
            "begins_at": datetime.now(UTC) - timedelta(hours=1),
            "expires_at": datetime.now(UTC) + timedelta(days=30),
            "kept_d": 14,
            "outcome_d": 30,
        }
        path = self.folder / "agreement.yaml"
        path.write_text(yaml.safe_dump(fields | changes))
        self.done("agree", str(path), by="cen")

    def export(self, *entries: str, by: str = "liz") -> Result:
        return self.ask(
            "export",
            str(self.folder / "oxford.splist"),
            *(f"--entry={entry}" for entry in entries),
            "--agreement=robbery-2026",
            "--reason=seen in their area on Monday",
            "--method=their secure mailbox",
            f"--out={self.folder / 'out'}",
            f"--registry={self.folder / 'registry.jws'}",
            f"--root={self.root}",
            f"--keys-dir={self.folder / 'keys'}",
            by=by,
        )

    def submit(self) -> None:
        """The authority that names the list; it need not be in force."""
        now = datetime.now(UTC)
        document = an_exercise(
            id=self.deployment,
            organisation=self.organisation,
            created_at=now - timedelta(days=1),
            cameras=[a_camera(owner=self.organisation, controller=self.organisation)],
            watchlist=listed_as(categories=["consenting_volunteer"], digest=self.of.digest),
            window={"start": now + timedelta(hours=1), "end": now + timedelta(hours=3)},
        )
        with OversightClient(self.address) as client:
            client.submit(document, [approval(document, "ann", now)])

    @property
    def of(self) -> Manifest:
        return parse((self.folder / "oxford.manifest").read_bytes())

    def take_off(self, entry: str) -> None:
        """As `watchlist revoke` does it."""
        with OversightClient(self.address) as client:
            revoking.take_off(
                self.of,
                [entry],
                RevocationReason.LOCATED,
                token_of=storing.token_of(self.deployment, self.folder / "keys"),
                key=key("liz"),
                oversight=client,
            )

    def asked_into_the_chain(self, what: Action) -> set[bytes]:
        """Digests of the records that such entries were asked for: the broker's other tests have theirs there."""
        reader = KafkaReader(self.bootstrap)
        try:
            requests = [codec_audit.read_request(one).content for one in reader.values(topics.AUDIT_REQUESTS.name)]
        finally:
            reader.close()
        return {one.seen_sha256 for one in requests if one.what is what}

    def last_record(self) -> bytes:
        """Digest of the register's last line, as it lies on `authority`."""
        with OversightClient(self.address) as client:
            token = client.sharing().known.tokens[-1]
        return hashlib.sha256(codec_authority.encode(SharingRecorded(token))).digest()


def ran(app: object, *words: str) -> Result:
    return CliRunner().invoke(app, list(words))  # type: ignore[arg-type]


def on_root(folder: Path, word: str, *options: str) -> Result:
    done = ran(keys.app, word, str(folder), f"--passphrase-file={folder / 'passphrase'}", *options)
    assert done.exit_code == 0, done.output
    return done


def a_list(deployment: str) -> tuple[Draft, dict[str, tuple[bytes, ...]]]:
    now = datetime.now(UTC)
    vectors = {name: rows(number, 1) for number, name in enumerate(LISTED, 11)}
    entries = []
    for name, jpeg in LISTED.items():
        entry = matched(a_listed(name, now=now), vectors[name])
        entries.append(replace(entry, pictures=(replace(entry.pictures[0], shown_sha256=file_sha256(jpeg)),)))
    plan = a_plan(
        deployment=deployment,
        created_at=now - timedelta(minutes=10),
        score_kind=ScoreKind.RAW,
        cohort_size=0,
        cohort_weight=0.0,
        limits=Limits(same_person=0.4, alike=0.45),
    )
    made = compose(
        plan,
        entries,
        vectors,
        fillers=np.zeros((0, SIZE), np.float32),
        resolutions=(),
        similarity=raw_scores,
    )
    return made, {name: (jpeg,) for name, jpeg in LISTED.items()}


def seal(town: Town) -> None:
    now = datetime.now(UTC)
    key_id = f"{town.deployment}/list/blue-list"
    store = FolderKeys(town.folder / "keys", SystemClock())
    until = now + timedelta(days=1)
    own = Sealing(key_id, store.get_or_create(key_id, expires_at=until), AesGcm())
    store.get_or_create(f"{town.deployment}/deployment", expires_at=until)
    draft, shown = a_list(town.deployment)
    contents = open_draft(write_draft(draft, shown, sealing=own))
    signed = [sealing.approved(contents, own, one, at=now) for one in (MANAGER, OFFICER)]
    made = sealing.sealed(contents, own, signed, MANAGER, registry=town.registry, now=now)
    (town.folder / "oxford.splist").write_bytes(made.bundle)
    (town.folder / "oxford.manifest").write_bytes(made.manifest)


@pytest.fixture
def town(tmp_path: Path, kafka: KafkaCluster, redis_durable: str) -> Iterator[Town]:
    assert not apply(KafkaAdmin(kafka.bootstrap), groups=groups_of([])).refused
    (port,) = free_ports(1)
    organisation = f"club-{uuid4().hex[:8]}"
    (tmp_path / "passphrase").write_text("four words, all long")
    told = on_root(tmp_path, "root", f"--organisation={organisation}")
    root = told.output.strip().removeprefix("AUTHORITY_ROOT=")
    for person, role in PEOPLE.items():
        public = key(person).public
        on_root(tmp_path, "enrol", f"--person={person}", f"--role={role}", f"--public={public}")
        key_file.write_key(tmp_path / f"{person}.pem", secret(person))
    settings = {
        "KAFKA_BOOTSTRAP": kafka.bootstrap,
        "REDIS_DURABLE_URL": redis_durable,
        "ORGANISATION": organisation,
        "AUTHORITY_ROOT": root,
        "OVERSIGHT_KEY_FILE": str(tmp_path / "oversight.pem"),
        "GRPC_PORT": str(port),
    }
    oversight = ServiceProcess("oversight", ("services.oversight",), home=tmp_path, settings=settings)
    deployment = f"street-{uuid4().hex[:8]}"
    town = Town(tmp_path, f"127.0.0.1:{port}", organisation, kafka.bootstrap, oversight, root, deployment)
    seal(town)
    oversight.start()
    try:
        oversight.await_ready(within_s=60)
        published = ran(keys.app, "publish", str(tmp_path / "registry.jws"), f"--oversight={town.address}")
        assert published.exit_code == 0, published.output
        town.submit()
        yield town
    finally:
        oversight.stop()


def test_nothing_leaves_without_an_agreement_or_by_another_role(town: Town) -> None:
    refused = town.export("e-1")
    assert refused.exit_code == 1
    assert "agreement: is not in the register: nothing is shared without one [C-20]" in refused.output
    town.agree()
    for by in ("olu", "cen", "aud"):
        assert town.export("e-1", by=by).exit_code == 1
    town.done("end", "robbery-2026", "--reason=not needed any more", by="cen")
    refused = town.export("e-1")
    assert "agreement: is not in force" in refused.output
    assert town.given == []
    assert "0 recorded here; shares made outside this system are not covered" in town.done("query", LONG_AGO)


def test_who_was_taken_off_the_list_is_not_shared(town: Town) -> None:
    town.agree()
    town.take_off("e-1")
    refused = town.export("e-1", "e-2")
    assert refused.exit_code == 1
    assert "entry e-1: entry_id: was taken off the list [G10]" in refused.output
    assert town.given == []
    assert town.export("e-2").exit_code == 0


def test_a_share_is_recorded_chained_marked_traced_and_followed_up(town: Town) -> None:
    town.agree()
    exported = town.export("e-1", "e-2")
    assert exported.exit_code == 0, exported.output
    assert [one.name for one in town.given] == ["share-1-e-1-0.jpg", "share-1-e-2-0.jpg"]
    assert all(one.stat().st_mode & 0o077 == 0 for one in town.given)
    assert town.given[0].read_bytes() != LISTED["e-1"]
    assert town.last_record() in town.asked_into_the_chain(Action.SHARED)

    leaked = cv2.imread(str(town.given[1]))
    assert leaked is not None
    found = town.folder / "found.jpg"
    found.write_bytes(encoded(leaked[: leaked.shape[0] * 8 // 9], 60))
    assert "given to north-police by share 1 on" in town.done("trace", str(found))
    found.write_bytes(LISTED["e-1"])
    assert town.ask("trace", str(found)).exit_code == 1

    assert "1 shares of 2 pictures recorded here" in town.done("query", "north-police", LONG_AGO)
    assert "nothing is overdue" in town.done("overdue")
    letter = town.folder / "letter.pdf"
    letter.write_bytes(b"deleted on Monday")
    town.done("followup", "1", "deletion", f"--evidence={letter}", by="liz")
    town.done("followup", "1", "outcome", "--outcome=no_match", f"--evidence={letter}", by="cen")
    assert "deletion confirmed, outcome no_match" in town.done("query", "north-police", LONG_AGO)


def test_an_answer_that_an_old_share_proves_wrong_is_corrected(town: Town) -> None:
    told = town.done("answer", "estate-trust", LONG_AGO, "--asked-by=the assembly", by="cen")
    assert "0 recorded here; shares made outside this system are not covered" in told
    in_a_week = datetime.now(UTC) + timedelta(days=7)
    recorded = town.done(
        "record",
        "estate-trust",
        "--way=legacy",
        "--shared=2017-05-01",
        "--amount=7",
        "--reason=found in an old mailbox",
        "--method=by e-mail",
        f"--deletion-due={in_a_week:%Y-%m-%d}",
        f"--outcome-due={in_a_week:%Y-%m-%d}",
        by="liz",
    )
    assert "answer 1 is wrong now" in recorded
    overdue = town.ask("overdue")
    assert (overdue.exit_code, overdue.output) == (1, "answer 1: correction is overdue\n")
    corrected = town.done("correct", "1", "--reason=an old mailbox was found", by="aud")
    assert "answer 2, superseding 1" in corrected
    assert "1 shares of 7 pictures recorded here, 1 of them entered afterwards" in corrected
    assert "nothing is overdue" in town.done("overdue")
    with OversightClient(town.address) as client:
        assert [one.shares for one in client.sharing().known.answers.values()] == [0, 1]


def test_what_comes_in_is_recorded_before_it_is_there(town: Town) -> None:
    theirs = town.folder / "theirs.jpg"
    theirs.write_bytes(LISTED["e-2"])
    into = town.folder / "list" / "ada"
    words = (str(theirs), "--agreement=robbery-2026", "--reason=they ask us to look", "--method=their mailbox")
    assert town.ask("import", *words, f"--into={into}", by="liz").exit_code == 1
    assert not into.exists()
    town.agree()
    told = town.done("import", *words, f"--into={into}", by="liz")
    assert "its card must say `share: 1`" in told
    assert (into / "theirs.jpg").read_bytes() == LISTED["e-2"]
    with OversightClient(town.address) as client:
        (recorded,) = client.sharing().known.shares
    assert [one.sha256 for one in recorded.said.pictures] == [file_sha256(LISTED["e-2"])]
    assert "0 recorded here" in town.done("query", LONG_AGO)


def test_an_oversight_that_starts_anew_has_the_whole_register(town: Town) -> None:
    town.agree()
    assert town.export("e-1").exit_code == 0
    town.oversight.kill()
    town.oversight.start()
    town.oversight.await_ready(within_s=60)
    assert "1 shares of 1 pictures recorded here" in town.done("query", LONG_AGO)
    again = town.export("e-2")
    assert again.exit_code == 0, again.output
    assert "share 2: 1 pictures" in again.output
