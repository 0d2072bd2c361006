"""The key stores that need no server: the fake, and the folder."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

import pytest

from services.contracts.errors import Misconfigured
from services.runtime.keys.folder import FolderKeys, NotAKey
from tests.contracts.key_store import HOUR, Bench, KeyStoreContract
from tests.fakes.clock import ManualClock
from tests.fakes.keys import FakeKeys


class TestFakeKeys(KeyStoreContract):
    @pytest.fixture
    def bench(self) -> Bench:
        clock = ManualClock()
        return Bench(FakeKeys(clock), clock, clock.advance)


class TestFolderKeys(KeyStoreContract):
    threads = 8

    @pytest.fixture
    def bench(self, tmp_path: Path) -> Bench:
        clock = ManualClock()
        return Bench(FolderKeys(tmp_path / "keys", clock), clock, clock.advance)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "keys"


@pytest.fixture
def keys(folder: Path, clock: ManualClock) -> FolderKeys:
    return FolderKeys(folder, clock)


def key_files(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if path.name != ".lock"]


def test_nobody_else_may_read_the_folder_or_its_files(keys: FolderKeys, folder: Path, clock: ManualClock) -> None:
    keys.get_or_create("city/evidence", expires_at=clock.now() + HOUR)
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}


def test_a_folder_that_others_may_read_is_refused_with_the_cure(folder: Path, clock: ManualClock) -> None:
    folder.mkdir(mode=0o755)
    folder.chmod(0o755)
    with pytest.raises(Misconfigured, match="chmod 700"):
        FolderKeys(folder, clock)


def test_another_process_reads_the_same_key(keys: FolderKeys, folder: Path, clock: ManualClock) -> None:
    made = keys.get_or_create("city/evidence", expires_at=clock.now() + HOUR)
    assert FolderKeys(folder, clock).get("city/evidence") == made


def test_a_sweep_removes_the_files_of_expired_keys_and_of_killed_writers(
    keys: FolderKeys, folder: Path, clock: ManualClock
) -> None:
    keys.get_or_create("city/alert/9", expires_at=clock.now() + timedelta(seconds=5))
    kept = keys.get_or_create("city/evidence", expires_at=clock.now() + HOUR)
    (folder / ".0011aabb").write_bytes(bytes(40))
    clock.advance(5)
    assert keys.sweep() == 1
    assert len(key_files(folder)) == 1
    assert keys.get("city/evidence") == kept


def test_a_destroyed_key_is_overwritten_before_it_is_removed(
    keys: FolderKeys, folder: Path, clock: ManualClock, tmp_path: Path
) -> None:
    key = keys.get_or_create("city/evidence", expires_at=clock.now() + HOUR)
    (path,) = key_files(folder)
    # A second name keeps the blocks of the file to be looked at.
    os.link(path, tmp_path / "seen")
    keys.destroy("city/evidence")
    assert key not in (tmp_path / "seen").read_bytes()
    assert key_files(folder) == []


def test_a_file_cut_short_is_named_and_not_taken_for_a_key(
    keys: FolderKeys, folder: Path, clock: ManualClock
) -> None:
    keys.get_or_create("city/evidence", expires_at=clock.now() + HOUR)
    (path,) = key_files(folder)
    path.write_bytes(b"short")
    with pytest.raises(Misconfigured, match="no key file"):
        keys.get("city/evidence")


def test_a_strangers_file_does_not_keep_keys_from_being_minted_or_destroyed(
    keys: FolderKeys, folder: Path, clock: ManualClock
) -> None:
    stranger = folder / "not-ours.key"
    stranger.write_bytes(b"short")
    keys.get_or_create("city/evidence", expires_at=clock.now() + HOUR)
    clock.advance(HOUR.total_seconds() + 1)
    with pytest.raises(NotAKey, match="is no key file"):
        keys.sweep()
    assert key_files(folder) == [stranger]


@pytest.mark.parametrize("key_id", ["", ".", "../outside", "x" * 300])
def test_an_id_that_fits_no_file_name_is_refused(keys: FolderKeys, key_id: str) -> None:
    with pytest.raises(ValueError, match="key id"):
        keys.get(key_id)
