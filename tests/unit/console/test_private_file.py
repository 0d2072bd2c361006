"""A file with secrets is its owner's alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from console.edges.private_file import write_private


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
