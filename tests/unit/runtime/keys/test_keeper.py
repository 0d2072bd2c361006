"""A deadline holds also for a key that nobody asks for."""

from __future__ import annotations

import logging
from datetime import timedelta
from pathlib import Path

import pytest

from services.contracts.keyspec import KeyPart, KeySpec, Where
from services.runtime.keys.folder import FolderKeys
from services.runtime.keys.keeper import KeyKeeper
from services.runtime.keys.ring import Keyring
from tests.fakes.clock import ManualClock
from tests.fakes.keys import FakeKeys
from tests.support import eventually


class Bench:
    """One key in a folder and in a process's cache, dead in an hour."""

    def __init__(self, folder: Path) -> None:
        self.clock = ManualClock()
        self.folder = folder
        self.store = FolderKeys(folder, self.clock)
        self.ring = Keyring(FakeKeys(self.clock), self.store, self.clock)
        self.keeper = KeyKeeper(self.store, self.ring, every_s=0.01)
        ends = self.clock.now() + timedelta(hours=1)
        self.ring.mint(
            KeySpec(
                "city/alert",
                (KeyPart("city/alert", Where.STORE, ends),),
            )
        )

    def files(self) -> list[Path]:
        return list(self.folder.glob("*.key"))


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path / "keys")


def test_before_its_deadline_a_key_stays(bench: Bench) -> None:
    bench.clock.advance(3599)
    bench.keeper.look()
    assert len(bench.files()) == 1
    assert len(bench.ring._held) == 1


def test_past_it_the_key_is_in_no_file_and_in_no_memory(bench: Bench) -> None:
    bench.clock.advance(3600)
    bench.keeper.look()
    assert bench.files() == []
    assert not bench.ring._held


def test_it_does_so_by_itself_from_start_to_stop(bench: Bench) -> None:
    bench.clock.advance(3600)
    bench.keeper.start()
    eventually(lambda: not bench.files(), "the key file is gone", within_s=5)
    bench.keeper.stop()


def test_a_foreign_file_is_said_and_ends_nothing(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    (bench.folder / "foreign.key").write_bytes(b"not a key")
    with caplog.at_level(logging.WARNING):
        bench.keeper.look()
    assert "keys not swept" in caplog.text


def test_stopping_what_never_began_is_harmless(bench: Bench) -> None:
    bench.keeper.stop()
