"""`signpost watchlist build` against a gRPC enrolment and Redis: what is written, what is refused, exit codes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import redis
import yaml
from typer.testing import CliRunner, Result

from console.authority import files, first_draft
from console.authority.first_draft import FirstCamera, FirstList, Who
from console.commands.watchlist import app
from console.edges.grpc_enrolment import GrpcEnrolment
from console.watchlist.enrolment import Refused
from services.contracts import codec_lists, keys, lists
from services.contracts.authority import SourceKind
from services.contracts.codec import Sealing
from services.contracts.errors import Misconfigured
from services.contracts.events import ScoreKind
from services.contracts.lists import Gallery
from services.runtime.clock import SystemClock
from services.runtime.keys.cipher import AesGcm
from services.runtime.keys.folder import FolderKeys
from tests.integration.console.grpc_toy import toy_server
from tests.unit.console.watchlist.toy import ToyEnrolment, write_subject

DEPLOYMENT = "oxford-street-1"


class Desk:
    """An operator's desk: a folder of subjects, an authority's draft, a key store, and the command."""

    def __init__(self, folder: Path, redis_url: str, address: str) -> None:
        self.subjects = folder / "subjects"
        self.keys = folder / "keys"
        self._file = folder / "draft.yaml"
        self._redis_url = redis_url
        self.address = address
        self.deploy()

    def deploy(self, **watchlist: Any) -> None:
        draft = first_draft.exercise(
            DEPLOYMENT,
            [FirstCamera("gate-1", SourceKind.FOLDER)],
            FirstList(id="blue-list", max_entries=10, score_kind=ScoreKind.RAW),
            who=Who(organisation="club", author="p-1", accountable_person="p-2"),
            papers=files.papers_path(self._file).name,
            now=datetime.now(UTC),
            lasts=timedelta(hours=1),
        )
        draft["watchlist"] |= {"thresholds": {1: 0.5}} | watchlist
        files.write_first(self._file, draft, first_draft.stubs(DEPLOYMENT))

    def build(self, *options: str) -> Result:
        return CliRunner().invoke(
            app,
            [
                "build",
                str(self.subjects),
                f"--draft={self._file}",
                f"--redis-durable-url={self._redis_url}",
                f"--keys-dir={self.keys}",
                f"--enrolment={self.address}",
                *options,
            ],
        )

    def current(self) -> str | None:
        with redis.Redis.from_url(self._redis_url) as client:
            found = client.get(lists.current(DEPLOYMENT, "blue-list"))
        return found.decode() if isinstance(found, bytes) else None

    def opened(self) -> tuple[Gallery, Sealing]:
        """The list as match opens it."""
        bounds = files.read_draft(self._file).bounds()
        spec = keys.watchlist(bounds)
        key = FolderKeys(self.keys, SystemClock()).get_many([spec.id])[0]
        assert key is not None, "the list's key was not made"
        sealing = Sealing(spec.id, key, AesGcm())
        digest = self.current()
        assert digest is not None, "no list is current"
        sealed = self.raw(lists.templates(DEPLOYMENT, digest))
        return codec_lists.open_list(sealed, deployment=DEPLOYMENT, digest=digest, sealing=sealing), sealing

    def raw(self, name: str) -> bytes:
        with redis.Redis.from_url(self._redis_url) as client:
            found = client.get(name)
        assert isinstance(found, bytes), f"{name} is not in Redis"
        return found

    def everything(self) -> dict[bytes, bytes]:
        with redis.Redis.from_url(self._redis_url) as client:
            return {name: client.get(name) or b"" for name in client.keys()}  # noqa: SIM118 - KEYS, not a dict

    def ttl_s(self, name: str) -> int:
        with redis.Redis.from_url(self._redis_url) as client:
            return int(client.ttl(name))


@pytest.fixture
def address() -> Iterator[str]:
    with toy_server(ToyEnrolment()) as address:
        yield address


@pytest.fixture
def desk(tmp_path: Path, redis_durable: str, address: str) -> Desk:
    return Desk(tmp_path, redis_durable, address)


def test_a_folder_becomes_the_list_that_match_and_review_open(desk: Desk) -> None:
    write_subject(desk.subjects, "anna", ["anna/1", "anna/2"])
    write_subject(desk.subjects, "berta", ["berta/1", "!no_face"])
    result = desk.build()
    assert result.exit_code == 0, result.output
    gallery, sealing = desk.opened()
    assert gallery.subjects == 2
    assert gallery.digest in result.output
    for entry in gallery.entries:
        sealed = desk.raw(lists.images(DEPLOYMENT, gallery.digest, entry.token))
        images = codec_lists.open_images(
            sealed, deployment=DEPLOYMENT, digest=gallery.digest, token=entry.token, sealing=sealing
        )
        assert images.sha256 == entry.images_sha256
        assert len(images.images) == (2 if entry.reference == "ref-anna" else 1)
    assert 0 < desk.ttl_s(lists.templates(DEPLOYMENT, gallery.digest)) <= 25 * 3600 + 60


def test_nothing_of_a_subject_lies_in_redis_in_clear(desk: Desk) -> None:
    write_subject(desk.subjects, "anna", ["anna/1"])
    assert desk.build().exit_code == 0
    text = b"\n".join(part for pair in desk.everything().items() for part in pair)
    for word in (b"anna", b"ref-", b"wanted", b"custody", b"recall"):
        assert word not in text


def test_the_table_says_what_became_of_each_picture(desk: Desk) -> None:
    write_subject(desk.subjects, "anna", ["anna/1", "!too_small", "berta/7", "anna/2"])
    output = desk.build().output
    assert "2.jpg: too_small (as the toy says)" in output
    assert "3.jpg: does_not_match_others" in output


def test_fillers_make_scores_normalised_and_are_named_so(desk: Desk) -> None:
    write_subject(desk.subjects, "anna", ["anna/1"])
    desk.deploy(score_kind="gallery_normalised")
    refused = desk.build()
    assert (refused.exit_code, desk.current()) == (2, None)
    assert "add --fillers 29" in refused.output
    result = desk.build("--fillers=40")
    assert result.exit_code == 0, result.output
    assert "1 subjects and 40 fillers (nobody)" in result.output
    assert sum(entry.filler for entry in desk.opened()[0].entries) == 40


def test_building_again_gives_the_same_list_and_a_change_another(desk: Desk) -> None:
    write_subject(desk.subjects, "anna", ["anna/1"])
    digests = [desk.current() for _ in range(2) if desk.build().exit_code == 0]
    write_subject(desk.subjects, "berta", ["berta/1"])
    assert desk.build().exit_code == 0
    assert digests[0] == digests[1]
    assert desk.current() not in (None, digests[0])


def test_where_nothing_is_built_the_old_list_stays(desk: Desk) -> None:
    folder = write_subject(desk.subjects, "anna", ["anna/1"])
    assert desk.build().exit_code == 0
    before = desk.current()
    (folder / "1.jpg").write_text("!no_face")
    result = desk.build()
    assert result.exit_code == 1
    assert "nothing was built" in result.output
    assert desk.current() == before


@pytest.mark.parametrize("spoil", ["card", "folder", "deployment", "server", "redis"])
def test_what_has_to_be_put_right_first_ends_in_exit_2_and_a_message(
    desk: Desk, tmp_path: Path, redis_durable: str, redis_volatile: str, spoil: str
) -> None:
    card = "reference: a" if spoil == "card" else None
    if spoil != "folder":
        write_subject(desk.subjects, "anna", ["anna/1"], card=card)
    if spoil == "deployment":
        desk.deploy(max_entries=0)
    if spoil == "server":
        desk = _moved(desk, tmp_path, redis_durable, "127.0.0.1:1")
    if spoil == "redis":
        desk = _moved(desk, tmp_path, redis_volatile, desk.address)
    result = desk.build()
    said = {
        "card": "subject.yaml: category: Field required",
        "folder": "is no folder",
        "deployment": "watchlist.max_entries",
        "server": "enrolment at 127.0.0.1:1 does not answer: UNAVAILABLE; is embed running?",
        "redis": "REDIS_DURABLE_URL: appendonly is 'no'",
    }
    assert result.exit_code == 2
    assert said[spoil] in result.output


def _moved(desk: Desk, folder: Path, redis_url: str, address: str) -> Desk:
    """The same subjects, elsewhere connected."""
    other = Desk(folder, redis_url, address)
    other.subjects = desk.subjects
    return other


def test_a_picture_above_the_servers_limit_is_too_large(desk: Desk) -> None:
    write_subject(desk.subjects, "anna", ["anna/1", "x" * (2 * 1024 * 1024)])
    result = desk.build()
    assert result.exit_code == 0, result.output
    assert "2.jpg: too_large" in result.output


def test_a_model_that_is_not_known_needs_its_limits_said(tmp_path: Path, redis_durable: str) -> None:
    with toy_server(ToyEnrolment(name="my-own")) as address:
        desk = Desk(tmp_path, redis_durable, address)
        write_subject(desk.subjects, "anna", ["anna/1"])
        refused = desk.build()
        assert refused.exit_code == 2
        assert "nothing is known of the cosines of my-own" in refused.output
        assert desk.build("--same-person=0.3", "--duplicate=0.5").exit_code == 0


def test_a_deployment_that_is_over_has_no_list_built(desk: Desk) -> None:
    write_subject(desk.subjects, "anna", ["anna/1"])
    document = yaml.safe_load(desk._file.read_text())
    document["window"] |= {"start": "2020-01-01T00:00:00Z", "end": "2020-01-01T01:00:00Z"}
    desk._file.write_text(yaml.safe_dump(document))
    result = desk.build()
    assert result.exit_code == 2
    assert "its window and purge are over" in result.output


def test_a_reason_or_a_model_that_changes_midway_stops_the_build(address: str) -> None:
    with GrpcEnrolment(address) as client:
        client.model()
        with pytest.raises(Misconfigured, match="changed its model"):
            client.enrol(b"#another-model")
        with pytest.raises(Misconfigured, match="does not know: no_mood"):
            client.enrol(b"#no_mood")
        assert isinstance(client.enrol(b"!no_face"), Refused)
