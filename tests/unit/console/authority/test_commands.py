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
