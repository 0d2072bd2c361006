"""A file with secrets is its owner's alone."""

from __future__ import annotations

import os
import resource
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from console.edges.private_file import write_private
from console.watchlist.cards import write


@contextmanager
def little_room(most_bytes: int) -> Iterator[None]:
    """As on a full disk, for this process: no file grows beyond so much."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("mode_before", [None, 0o644, 0o666])
def test_nobody_else_may_read_it_whatever_was_there_before(tmp_path: Path, mode_before: int | None) -> None:
    path = tmp_path / "new" / "deployment.yaml"
    if mode_before is not None:
        path.parent.mkdir()
        path.write_text("what was there before, and was longer than what comes")
        path.chmod(mode_before)
    write_private(path, "address: rtsp://viewer:sesame@camera/1\n")
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.read_text() == "address: rtsp://viewer:sesame@camera/1\n"


def test_where_the_disk_is_full_what_was_there_is_there_still(tmp_path: Path) -> None:
    """The file was emptied first: a list's draft that was half written had taken the place of the whole one."""
    path = tmp_path / "faces.draft"
    write_private(path, "what was there before")
    with little_room(4096), pytest.raises(OSError, match="File too large") as refused:
        write_private(path, "x" * 100_000)
    assert refused.value.filename == str(path)
    assert path.read_text() == "what was there before"
    assert list(tmp_path.iterdir()) == [path], "nothing half written is left"


def test_a_link_is_written_through_and_a_pipe_is_written_to(tmp_path: Path) -> None:
    kept, link, pipe = tmp_path / "kept", tmp_path / "link", tmp_path / "pipe"
    kept.write_text("old")
    link.symlink_to(kept)
    write_private(link, "new")
    assert link.is_symlink()
    assert kept.read_text() == "new"
    os.mkfifo(pipe)
    reading = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        write_private(pipe, "new")
        assert os.read(reading, 10) == b"new"
    finally:
        os.close(reading)
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_a_card_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    """On a full disk an empty card stayed, which the next `cards` took for one that somebody had written."""
    path = tmp_path / "subject.yaml"
    with little_room(16), pytest.raises(OSError, match="File too large"):
        write(path, {"entry_id": "e-1", "subject_ref": "ada"})
    assert list(tmp_path.iterdir()) == []
    write(path, {"entry_id": "e-1", "subject_ref": "ada"})
    assert path.read_text() == "entry_id: e-1\nsubject_ref: ada\n"
