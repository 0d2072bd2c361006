"""The root's registry grows by sequence, and a key's file opens for its owner only."""

from __future__ import annotations

import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from console.authority import key_file, keys
from services.contracts.authorisation.enums import Role
from services.contracts.authorisation.findings import NotAuthorised
from services.contracts.authorisation.registry import RegisteredKey, Registry, open_registry, sign_registry
from services.contracts.authorisation.signing import SigningKey
from services.contracts.errors import Misconfigured
from services.runtime.signing_key import read_signing_key

NOW = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
TERM = timedelta(days=90)
ROOT = SigningKey(bytes(range(32)))
PASSPHRASE = "four words, all long"


def a_registry() -> Registry:
    return keys.begun("club", ROOT.public, now=NOW, lasts=TERM)


def a_key(person: str = "p-1", secret: bytes = b"s" * 32) -> RegisteredKey:
    public = SigningKey(secret).public
    return keys.registered(public, person=person, role=Role.AUTHOR, valid_from=NOW, lasts=TERM)


def test_an_enrolled_key_is_in_the_next_registry_and_a_revoked_one_stays_in_it() -> None:
    enrolled = keys.enrolled(a_registry(), a_key(), now=LATER, lasts=TERM)
    revoked = keys.revoked(enrolled, a_key().kid, now=LATER, lasts=TERM)
    assert (enrolled.sequence, revoked.sequence) == (2, 3)
    assert [key.revoked(LATER) for key in enrolled.keys] == [False]
    assert [key.revoked(LATER) for key in revoked.keys] == [True]
    token = sign_registry(revoked, ROOT)
    assert open_registry(token, root_fingerprint=ROOT.kid) == revoked


def test_revoking_again_keeps_the_first_time() -> None:
    once = keys.revoked(
        keys.enrolled(a_registry(), a_key(), now=NOW, lasts=TERM), a_key().kid, now=NOW, lasts=TERM
    )
    again = keys.revoked(once, a_key().kid, now=LATER, lasts=TERM)
    assert [key.revoked_at for key in again.keys] == [NOW]


def test_a_key_is_enrolled_once() -> None:
    once = keys.enrolled(a_registry(), a_key(), now=NOW, lasts=TERM)
    with pytest.raises(NotAuthorised, match="a key is listed once"):
        keys.enrolled(once, a_key("p-2"), now=NOW, lasts=TERM)


def test_an_unknown_key_cannot_be_revoked() -> None:
    with pytest.raises(NotAuthorised, match="kid: the registry has no such key"):
        keys.revoked(a_registry(), a_key().kid, now=NOW, lasts=TERM)


def test_what_is_no_public_key_is_refused() -> None:
    with pytest.raises(NotAuthorised, match="public:"):
        keys.registered("AAAA", person="p-1", role=Role.AUTHOR, valid_from=NOW, lasts=TERM)


def test_a_key_file_is_its_owner_s_and_is_never_written_over(tmp_path: Path) -> None:
    path = tmp_path / "p-1.pem"
    key_file.write_key(path, b"s" * 32)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert read_signing_key(path, variable="--key").public == SigningKey(b"s" * 32).public
    with pytest.raises(Misconfigured, match="never written over"):
        key_file.write_key(path, b"t" * 32)


def test_a_key_file_that_others_may_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "p-1.pem"
    key_file.write_key(path, b"s" * 32)
    path.chmod(0o640)
    with pytest.raises(Misconfigured, match=r"p-1\.pem"):
        read_signing_key(path, variable="--key")


@pytest.mark.parametrize(
    "content", ["", "no key", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"]
)
def test_what_is_no_key_is_refused_by_name(tmp_path: Path, content: str) -> None:
    path = tmp_path / "p-1.pem"
    path.write_text(content)
    path.chmod(0o600)
    with pytest.raises(Misconfigured, match=r"p-1\.pem"):
        read_signing_key(path, variable="--key")
    with pytest.raises(Misconfigured, match=r"p-1\.pem"):
        key_file.read_sealed_key(path, PASSPHRASE)


def test_the_root_s_key_opens_with_its_passphrase_alone(tmp_path: Path) -> None:
    path = tmp_path / "root.key"
    key_file.write_sealed_key(path, bytes(range(32)), PASSPHRASE)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert key_file.read_sealed_key(path, PASSPHRASE).kid == ROOT.kid
    with pytest.raises(Misconfigured, match="the passphrase does not open it"):
        key_file.read_sealed_key(path, PASSPHRASE + "?")


def test_a_short_passphrase_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="at least 12 characters"):
        key_file.write_sealed_key(tmp_path / "root.key", bytes(range(32)), "short")
    assert not (tmp_path / "root.key").exists()
