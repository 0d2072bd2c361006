"""`signpost keys` and the offline half of `signpost authority`, as an operator runs them."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner, Result

from console.authority import files
from console.authority.key_file import write_key
from console.commands import authority, keys
from services.contracts.authorisation.document import Document
from services.contracts.authorisation.registry import open_registry
from services.contracts.authorisation.signing import SigningKey
from services.runtime.signing_key import read_signing_key
from tests.unit.console.authority.drafts import FACTS

ADDRESS = "rtsp://viewer:secret@10.0.0.21:8554/stream1"
PASSPHRASE = "four words, all long"


@pytest.fixture
def draft(tmp_path: Path) -> Path:
    path = tmp_path / "try.yaml"
    done = CliRunner().invoke(
        authority.app, ["new", "try-1", "--camera=front", f"--out={path}"], input=f"{ADDRESS}\n"
    )
    assert done.exit_code == 0, done.output
    return path


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "passphrase").write_text(PASSPHRASE)
    done = keys_(tmp_path, "root", "--organisation=club")
    assert done.exit_code == 0, done.output
    return tmp_path / "root"


def keys_(folder: Path, word: str, *options: str) -> Result:
    given = [word, str(folder / "root"), *options]
    return CliRunner().invoke(keys.app, [*given, f"--passphrase-file={folder / 'passphrase'}"])


def check(draft: Path, *options: str) -> Result:
    return CliRunner().invoke(authority.app, ["check", str(draft), *options])


def fingerprint(output: str) -> str:
    (found,) = (line.removeprefix("AUTHORITY_ROOT=") for line in output.splitlines() if "ROOT=" in line)
    return found


def test_a_new_draft_is_an_exercise_that_keeps_every_rule(draft: Path) -> None:
    done = check(draft)
    assert done.exit_code == 0, done.output
    assert "keeps every rule; its list is not built yet" in done.output


def test_each_field_of_a_new_draft_is_spelt_out_where_it_stands(draft: Path) -> None:
    aliases = [event for event in yaml.parse(draft.read_text()) if isinstance(event, yaml.AliasEvent)]
    assert aliases == []


def test_the_address_with_its_password_is_in_the_private_file_alone(draft: Path) -> None:
    assert "secret" not in draft.read_text()
    assert yaml.safe_load(draft.read_text())["cameras"][0]["host"] == "10.0.0.21:8554"
    cameras = files.cameras_path(draft)
    assert ADDRESS in cameras.read_text()
    assert cameras.stat().st_mode & 0o077 == 0


def new(tmp_path: Path, *options: str, answers: str = "", name: str = "try-1") -> Result:
    words = ["new", name, f"--out={tmp_path / 'try.yaml'}", *options]
    return CliRunner().invoke(authority.app, words, input=answers)


@pytest.mark.parametrize(
    ("address", "host"),
    [
        (" RTSP://Viewer:secret@Cam-1.Local./x ", "cam-1.local"),
        ("rtsp://[2001:DB8::21]:554/x", "[2001:db8::21]:554"),
        ("rtsp://[::1]/x", "[::1]"),
        ("rtsp://[fe80::21%25eth0]/x", "[fe80::21%eth0]"),
        ("rtsp://a:pa%23%2F%5B@10.0.0.21/Zoë", "10.0.0.21"),
    ],
)
def test_what_is_taken_for_an_address_is_read_by_ingest(tmp_path: Path, address: str, host: str) -> None:
    """Some of these were taken here, and ingest then said that it was another host than authorised."""
    done = new(tmp_path, "--camera=front", answers=f"{address}\n")
    assert done.exit_code == 0, done.output
    assert yaml.safe_load((tmp_path / "try.yaml").read_text())["cameras"][0]["host"] == host
    assert check(tmp_path / "try.yaml").exit_code == 0


@pytest.mark.parametrize(
    ("address", "advice"),
    [
        ("http://10.0.0.21/v.mjpg", "the address of front must be rtsp://host/... or rtsps://host/..."),
        ("rtsp://admin:pa\\ss@10.0.0.21/x", "%5C"),
        ("rtsp://admin:pa#ss@10.0.0.21/x", "%23"),
        ("rtsp://admin:pa/ss@10.0.0.21/x", "%2F"),
        ("rtsp://admin:pa[ss@10.0.0.21/x", "%5B"),
        ("rtsp://10.0.0.21/a b", "%20"),
        ("rtsp://my host/x", "the address of front must name its host"),
        ("rtsp://::1/x", "in brackets"),
        ("file:nowhere.mp4", "nowhere.mp4 cannot be read (FileNotFoundError)"),
        ("folder:empty", "empty has nothing in it"),
        ("file:empty", "is no file; a folder of pictures is given as folder:PATH"),
        ("folder:film.mp4", "is no folder; a video is given as file:PATH"),
        ("file:torn.mp4", "torn.mp4 has nothing in it"),
        ("file:~nobody-of-that-name/film.mp4", "front: ~ stands for no folder here"),
    ],
)
def test_what_ingest_would_not_read_is_refused_with_advice_and_nothing_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, address: str, advice: str
) -> None:
    """A host that broke a rule was told as `cameras: Tuple should have at least 1 item`; files stayed behind."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / ".DS_Store").write_bytes(b"x")
    (tmp_path / "empty" / "Thumbs.db").write_bytes(b"x")
    (tmp_path / "film.mp4").write_bytes(b"x")
    (tmp_path / "torn.mp4").write_bytes(b"")
    before = set(tmp_path.rglob("*"))
    done = new(tmp_path, "--camera=front", answers=f"{address}\n")
    assert done.exit_code == 2
    assert advice in done.output
    assert "Tuple" not in done.output
    assert set(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    ("options", "name", "field"),
    [
        (["--camera=Front Door"], "try-1", "cameras.0.id"),
        (["--camera=front", "--camera=front"], "try-1", "cameras.1.id"),
        (["--camera=front"], "Try 1", "id"),
        (["--camera=front", "--author=a-1", "--accountable=a-1"], "try-1", "author"),
    ],
)
def test_a_draft_that_breaks_a_rule_is_not_written(
    tmp_path: Path, options: list[str], name: str, field: str
) -> None:
    done = new(tmp_path, *options, answers=f"{ADDRESS}\n" * 2, name=name)
    assert done.exit_code == 1
    assert f"{field}: " in done.output
    assert "Tuple" not in done.output
    assert list(tmp_path.iterdir()) == []


def test_a_draft_that_is_there_and_its_cameras_stay_as_they_are(draft: Path, tmp_path: Path) -> None:
    cameras = files.cameras_path(draft).read_text()
    assert new(tmp_path, "--camera=back", answers=f"{ADDRESS}\n").exit_code == 2
    draft.unlink()
    done = new(tmp_path, "--camera=back", answers=f"{ADDRESS}\n")
    assert (done.exit_code, draft.exists()) == (2, False)
    assert f"{files.cameras_path(draft)}: is there already" in done.output
    assert files.cameras_path(draft).read_text() == cameras


def test_an_exercise_on_a_film_and_a_folder_needs_no_hand_edited_file(tmp_path: Path) -> None:
    film, folder = tmp_path / "walk.mp4", tmp_path / "pictures"
    film.write_bytes(b"a film")
    folder.mkdir()
    (folder / "1.jpg").write_bytes(b"a picture")
    given = ("--camera=front", "--camera=back", "--camera=side")
    done = new(tmp_path, *given, f"--source=file:{film}", f"--source=folder:{folder}", answers=f"file:{film}\n")
    assert done.exit_code == 0, done.output
    signed = yaml.safe_load((tmp_path / "try.yaml").read_text())["cameras"]
    assert [(one["id"], one["source"], one.get("host")) for one in signed] == [
        ("front", "file", None),
        ("back", "folder", None),
        ("side", "file", None),
    ]
    read = yaml.safe_load((tmp_path / "try.cameras.yaml").read_text())["cameras"]
    assert [one["address"] for one in read] == [str(film), str(folder), str(film)]
    assert check(tmp_path / "try.yaml").exit_code == 0


def test_a_stream_s_address_is_not_taken_from_the_command_line(tmp_path: Path) -> None:
    done = new(tmp_path, "--camera=front", f"--source={ADDRESS}")
    assert done.exit_code == 2
    assert "must be file:PATH or folder:PATH" in done.output
    assert "secret" not in done.output


def test_check_holds_the_file_of_cameras_against_the_draft_as_ingest_does(draft: Path) -> None:
    cameras = files.cameras_path(draft)
    cameras.write_text(cameras.read_text().replace("10.0.0.21", "10.0.0.22"))
    done = check(draft)
    assert done.exit_code == 1
    assert "cameras: front: is read from another host than authorised, 10.0.0.21:8554 [C-28]" in done.output
    cameras.write_text(cameras.read_text().replace("rtsp://", "http://"))
    assert check(draft).exit_code == 2
    cameras.unlink()
    assert check(draft).exit_code == 0


def test_an_address_without_a_host_is_refused(tmp_path: Path) -> None:
    words = ["new", "try-1", "--camera=front", f"--out={tmp_path / 'try.yaml'}"]
    done = CliRunner().invoke(authority.app, words, input="front door\n")
    assert done.exit_code == 2
    assert "the address of front must be rtsp://host/..." in done.output
    assert not (tmp_path / "try.yaml").exists()


def test_once_the_list_is_built_the_document_can_be_written(draft: Path, tmp_path: Path) -> None:
    files.facts_path(draft).write_text(yaml.safe_dump(FACTS))
    out = tmp_path / "document.json"
    done = check(draft, f"--out={out}")
    assert done.exit_code == 0, done.output
    document = Document.from_canonical(out.read_bytes())
    assert f"digest {document.digest}" in done.output
    assert document.watchlist.digest == FACTS["digest"]


def test_what_breaks_a_rule_is_named_by_field_rule_and_source(draft: Path) -> None:
    fields = yaml.safe_load(draft.read_text())
    fields["fpir_budget"] = 0.01
    fields["cameras"][0]["zone"] = [[0, 0], [90, 0], [90, 90]]
    draft.write_text(yaml.safe_dump(fields))
    done = check(draft)
    assert done.exit_code == 1
    assert "fpir_budget: must be at most 1 in 1,000 [controls B 3.1, Bridges para 27]" in done.output
    assert "cameras.0.zone: must lie inside the site's polygon and its buffer [C-27" in done.output


def test_a_draft_that_is_not_there_is_said(tmp_path: Path) -> None:
    done = check(tmp_path / "none.yaml")
    assert done.exit_code == 2
    assert "none.yaml: cannot be read (FileNotFoundError)" in done.output


def test_the_root_enrols_and_revokes(root: Path, tmp_path: Path) -> None:
    enrolled = keys_(tmp_path, "enrol", "--person=p-1", "--role=author")
    assert enrolled.exit_code == 0, enrolled.output
    own = read_signing_key(root / "p-1-author.pem", variable="--key")
    told = CliRunner().invoke(keys.app, ["list", str(root)])
    token = (root / "registry.jws").read_text().strip()
    registry = open_registry(token, root_fingerprint=fingerprint(told.output))
    assert [(key.kid, key.person, key.revoked_at) for key in registry.keys] == [(own.kid, "p-1", None)]
    revoked = keys_(tmp_path, "revoke", "--kid", own.kid)
    assert revoked.exit_code == 0, revoked.output
    token = (root / "registry.jws").read_text().strip()
    (key,) = open_registry(token, root_fingerprint=registry.root_fingerprint).keys
    assert key.revoked_at is not None


def test_a_key_whose_id_begins_with_a_hyphen_is_revoked_as_any_other(root: Path, tmp_path: Path) -> None:
    """Every 64th id does; as an argument it was taken for an option, and the key could not be withdrawn."""
    seeds = (number.to_bytes(32, "big") for number in range(1, 1000))
    own = next(key for key in map(SigningKey, seeds) if key.kid.startswith("-"))
    done = keys_(tmp_path, "enrol", "--person=p-1", "--role=author", f"--public={own.public}")
    assert done.exit_code == 0, done.output
    revoked = keys_(tmp_path, "revoke", "--kid", own.kid)
    assert revoked.exit_code == 0, revoked.output


def test_a_person_s_own_key_is_enrolled_by_its_public_half(root: Path, tmp_path: Path) -> None:
    made = CliRunner().invoke(keys.app, ["new", str(tmp_path / "mine.pem")])
    assert made.exit_code == 0, made.output
    public = made.output.split()[-1]
    assert read_signing_key(tmp_path / "mine.pem", variable="--key").public == public
    done = keys_(tmp_path, "enrol", "--person=p-2", "--role=authorising_officer", f"--public={public}")
    assert done.exit_code == 0, done.output
    assert list(root.glob("p-2*")) == []


def test_nothing_is_enrolled_under_a_wrong_passphrase(root: Path, tmp_path: Path) -> None:
    before = (root / "registry.jws").read_text()
    (tmp_path / "passphrase").write_text("another passphrase")
    done = keys_(tmp_path, "enrol", "--person=p-1", "--role=author")
    assert done.exit_code == 2
    assert "the passphrase does not open it" in done.output
    assert (root / "registry.jws").read_text() == before
    assert list(root.glob("*.pem")) == []


def test_an_unknown_key_or_a_name_that_is_none_ends_in_exit_1(root: Path, tmp_path: Path) -> None:
    assert keys_(tmp_path, "revoke", "--kid", SigningKey(b"x" * 32).kid).exit_code == 1
    done = keys_(tmp_path, "enrol", "--person=Ann Smith", "--role=author")
    assert done.exit_code == 1
    assert "person:" in done.output
    assert "Smith" not in done.output


def test_a_draft_without_its_lists_facts_names_the_command_that_writes_them(draft: Path, tmp_path: Path) -> None:
    """`submit` named `watchlist build`, which writes no such file: `seal` does."""
    write_key(tmp_path / "author.pem", bytes(32))
    words = ["submit", str(draft), f"--key={tmp_path / 'author.pem'}", "--oversight=127.0.0.1:1"]
    done = CliRunner().invoke(authority.app, words)
    assert done.exit_code == 2
    assert f"{draft.with_suffix('.list.yaml')} is not there; `signpost watchlist seal` writes it" in done.output


@pytest.mark.parametrize("word", ["submit", "check"])
def test_the_help_of_list_names_the_command_that_writes_it(word: str) -> None:
    told = " ".join(CliRunner().invoke(authority.app, [word, "--help"], env={"COLUMNS": "300"}).output.split())
    assert "as `watchlist seal` wrote it" in told
    assert "watchlist build" not in told
