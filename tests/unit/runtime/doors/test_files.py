"""How many connections the process's files allow."""

from __future__ import annotations

import resource

import pytest

from services.runtime.doors import files


@pytest.mark.parametrize(
    ("may_open", "wanted", "files_each", "share", "found"),
    [
        (256, 512, 1, 0.4, 51),
        (256, 192, 3, 0.4, 17),
        (1024, 512, 1, 0.4, 358),
        (16384, 512, 1, 0.4, 512),
        (resource.RLIM_INFINITY, 512, 1, 0.4, 512),
        # One browser opens six.
        (64, 512, 1, 0.4, 8),
    ],
)
def test_connections_leave_the_process_files_of_its_own(
    monkeypatch: pytest.MonkeyPatch, may_open: int, wanted: int, files_each: int, share: float, found: int
) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda what: (may_open, may_open))
    assert files.affordable(wanted, files_each=files_each, share=share) == found


@pytest.mark.parametrize(
    ("soft", "hard", "raised"),
    [
        (1024, 1048576, [(16384, 1048576)]),
        (1024, 4096, [(4096, 4096)]),
        (1024, resource.RLIM_INFINITY, [(16384, resource.RLIM_INFINITY)]),
        (65536, 1048576, []),
        (256, 256, []),
    ],
)
def test_a_process_takes_the_files_that_it_is_allowed(
    monkeypatch: pytest.MonkeyPatch, soft: int, hard: int, raised: list[tuple[int, int]]
) -> None:
    taken: list[tuple[int, int]] = []
    monkeypatch.setattr(resource, "getrlimit", lambda what: (soft, hard))
    monkeypatch.setattr(resource, "setrlimit", lambda what, limits: taken.append(limits))
    files.raise_file_limit()
    assert taken == raised
