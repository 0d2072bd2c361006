"""A list built by the real enrolment server from real photographs, searched with real templates."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml
from typer.testing import CliRunner

from console.commands.watchlist import app
from console.edges.grpc_enrolment import GrpcEnrolment
from console.stack.ports import accepts, free_ports
from console.watchlist import storing
from console.watchlist.enrolment import Template
from services.contracts.events import ScoreKind
from services.contracts.ids import SubjectToken
from services.match.core.matrix import of_sealed
from services.match.core.search import search
from tests.integration.console.test_watchlist_command import Desk
from tests.integration.stack import missing_server
from tests.support import eventually
from tests.unit.console.watchlist.toy import a_card

ROOT = Path(__file__).parents[3]
ASSETS = ROOT / ".cache" / "assets"
# A first start compiles the networks.
_READY_S = 120.0


@pytest.fixture
def desk(tmp_path: Path, redis_durable: str) -> Iterator[Desk]:
    """A desk whose enrolment is the real one."""
    if not (ASSETS / "pictures" / "obama.jpg").is_file():
        missing_server("the sample's pictures are not there: run `make assets`")
    port, http_port = free_ports(2)
    desk = Desk(tmp_path, redis_durable, f"127.0.0.1:{port}")
    desk.deploy(score_kind="gallery_normalised", thresholds={1: 0.365})
    environ = {
        "PATH": os.environ["PATH"],  # noqa: TID251 - a child's surroundings
        "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'proto' / 'gen'}",
        # Every process is told where this is; the enrolment server does not call at it.
        "KAFKA_BOOTSTRAP": "127.0.0.1:1",
        "MODELS_DIR": str(ASSETS / "models"),
        "MODEL_CACHE_DIR": str(ROOT / ".cache" / "compiled"),
        "GRPC_PORT": str(port),
        "HTTP_PORT": str(http_port),
    }
    command = [sys.executable, "-m", "services.embed.enrol"]
    with (
        (tmp_path / "log").open("wb") as log,
        subprocess.Popen(command, cwd=ROOT, env=environ, stdout=log, stderr=log) as process,
    ):
        try:
            eventually(lambda: _listens(port, process), "the enrolment server", within_s=_READY_S)
            yield desk
        finally:
            process.kill()


def _listens(port: int, process: subprocess.Popen[bytes]) -> bool:
    assert process.poll() is None, "the enrolment server has ended"
    return accepts(port)


def _subject(desk: Desk, name: str, **files: str) -> Path:
    folder = desk.subjects / name
    folder.mkdir(parents=True)
    for target, source in files.items():
        shutil.copy(ASSETS / "pictures" / source, folder / f"{target}{Path(source).suffix}")
    return folder


def _card(desk: Desk, folder: Path) -> None:
    card = a_card(folder.name, [one.name for one in folder.iterdir()], now=desk.now)
    (folder / "subject.yaml").write_text(yaml.safe_dump(card))


def test_the_samples_list_is_built_and_finds_who_is_on_it_and_nobody_else(desk: Desk) -> None:
    spoiled = _subject(desk, "forty-four", one="obama.jpg", turned="obama2.jpg", other="biden.jpg")
    _card(desk, _subject(desk, "forty-six", one="biden.jpg"))
    cv2.imwrite(str(spoiled / "empty-wall.png"), np.full((480, 640, 3), 128, np.uint8))
    both = [cv2.imread(str(spoiled / name)) for name in ("one.jpg", "other.jpg")]
    height = min(picture.shape[0] for picture in both if picture is not None)
    cv2.imwrite(str(spoiled / "two-of-them.png"), np.hstack([p[:height] for p in both if p is not None]))
    portrait = both[0]
    assert portrait is not None
    # Of one person there is one straight photograph beside the one to be found: a smaller copy stands in.
    cv2.imwrite(str(spoiled / "one-smaller.png"), cv2.resize(portrait, None, fx=0.7, fy=0.7))
    cv2.imwrite(str(spoiled / "blurred.png"), cv2.GaussianBlur(portrait, (0, 0), 15))
    cv2.imwrite(str(spoiled / "far-away.png"), cv2.resize(portrait, None, fx=0.08, fy=0.08))
    cv2.imwrite(str(spoiled / "on-its-head.png"), cv2.rotate(portrait, cv2.ROTATE_180))
    (spoiled / "torn.jpg").write_bytes((spoiled / "one.jpg").read_bytes()[:2000])
    _card(desk, spoiled)
    result = desk.build("--fillers=40")
    assert result.exit_code == 0, result.output
    for line in (
        "empty-wall.png: no_face",
        "other.jpg: does_not_match_others",
        "two-of-them.png: several_faces",
        "blurred.png: too_blurred",
        "far-away.png: too_small",
        "torn.jpg: unreadable",
        "on-its-head.png: not_upright",
    ):
        assert line in result.output, result.output
    # A portrait turned a little, of cosine .7 to the others: it was refused, and the list had one picture fewer.
    assert "turned.jpg" not in result.output
    of = desk.manifest()
    assert (of.head.entries, of.head.score_kind) == (2, ScoreKind.GALLERY_NORMALISED)
    found = {name: _found(desk, name) for name in ("obama3.jpg", "grace_hopper.jpg", "astronaut.png")}
    assert found == {"obama3.jpg": ["ref-forty-four"], "grace_hopper.jpg": [], "astronaut.png": []}


def test_a_past_list_is_made_again_from_its_manifest_when_all_else_is_purged(desk: Desk) -> None:
    people = {"forty-four": "obama.jpg", "forty-six": "biden.jpg"}
    for name, picture in people.items():
        _card(desk, _subject(desk, name, one=picture))
    desk.sealed("--fillers=40")
    assert desk.load().exit_code == 0
    digest = desk.manifest().digest
    shutil.rmtree(desk.keys)
    shutil.rmtree(desk.subjects)
    for gone in (desk.draft, desk.bundle):
        gone.unlink()
    # What the source systems hold, among others' pictures and under names of their own.
    fetched = desk.folder / "fetched"
    fetched.mkdir()
    for number, picture in enumerate((*people.values(), "astronaut.png")):
        shutil.copy(ASSETS / "pictures" / picture, fetched / str(number))
    words = [str(desk.bundle.with_suffix(".manifest")), str(fetched), f"--enrolment={desk.address}"]
    again = CliRunner().invoke(app, ["rebuild", *words, *desk.trust()])
    assert again.exit_code == 0, again.output
    assert f"{digest} again: 2 templates and 40 fillers, bit for bit" in again.output


def _found(desk: Desk, picture: str) -> list[str]:
    """Whom match would find in a picture that is not on the list, by their reference."""
    contents = desk.contents()
    own = storing.sealing_of(contents, desk.keys)
    of = contents.manifest(own)
    matrix = of_sealed(of, contents.templates(of, own), contents.fillers(of, own), SubjectToken)
    with GrpcEnrolment(desk.address) as client:
        answer = client.enrol((ASSETS / "pictures" / picture).read_bytes())
    assert isinstance(answer, Template), f"{picture}: {answer}"
    return [str(hit.subject) for hit in search(matrix, [answer.vector], [0.365], at=desk.now).hits[0]]
