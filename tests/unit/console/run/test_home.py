"""The folder of a run is one run's at a time, and nobody else's is emptied."""

from __future__ import annotations

from pathlib import Path

import pytest

from console.run.home import own_home
from services.contracts.errors import Misconfigured

KEPT = {"run.lock", "media"}


def left_by_a_run(home: Path) -> None:
    for name in ("stack", "keys", "authority", "media"):
        (home / name).mkdir()
        (home / name / "something").write_text("x")


def names(folder: Path) -> set[str]:
    return {one.name for one in folder.iterdir()}


def test_keys_and_data_end_with_the_run_and_films_stay(tmp_path: Path) -> None:
    home = tmp_path / "new" / "run"
    with own_home(home):
        left_by_a_run(home)
    assert names(home) == KEPT


def test_what_a_run_left_that_was_killed_is_gone_before_the_next(tmp_path: Path) -> None:
    with own_home(tmp_path):
        pass
    left_by_a_run(tmp_path)
    with own_home(tmp_path):
        assert names(tmp_path) == KEPT


def test_a_second_run_in_the_same_folder_is_refused_and_the_first_keeps_its_keys(tmp_path: Path) -> None:
    """The second removed the keys, the data and the signed authority under the first one's feet."""
    with own_home(tmp_path):
        left_by_a_run(tmp_path)
        with (
            pytest.raises(Misconfigured, match=r"a run goes on in .*: end it, or name another folder"),
            own_home(tmp_path),
        ):
            pass
        assert (tmp_path / "keys" / "something").exists()


@pytest.mark.parametrize("name", ["keys", "stack", "authority"])
def test_a_folder_that_no_run_made_is_refused_and_nothing_in_it_touched(tmp_path: Path, name: str) -> None:
    """`--home .` removed the operator's own folder of keys without a word."""
    (tmp_path / name).mkdir()
    (tmp_path / name / "mine").write_text("x")
    with pytest.raises(Misconfigured, match=f"has {name} in it, which no run left there"), own_home(tmp_path):
        pass
    assert names(tmp_path) == {name}
    assert (tmp_path / name / "mine").exists()
