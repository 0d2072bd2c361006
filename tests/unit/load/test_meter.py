"""Processor time is counted where it is spent, by thread, and read back by windows."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path

import pytest

from tests.load.meter import Meter, Part, spent


def a_line(at: float, cipher_s: float) -> str:
    return json.dumps({"at": at, **dict.fromkeys(Part, 0.0), Part.CIPHER: cipher_s}) + "\n"


def busy(seconds: float) -> None:
    ends = time.thread_time() + seconds
    while time.thread_time() < ends:
        pass


def test_each_threads_time_inside_counts_and_waiting_does_not(tmp_path: Path) -> None:
    meter = Meter()
    threads = [threading.Thread(target=meter.timed, args=(Part.KEYS, busy, 0.02)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    meter.timed(Part.KEYS, threading.Event().wait, 0.05)

    assert 0.04 <= meter.spent_s()[Part.KEYS] < 0.05


def test_what_raises_is_counted_too() -> None:
    meter = Meter()

    with pytest.raises(TypeError):
        meter.timed(Part.CHECKS, busy, "long")  # type: ignore[arg-type]

    assert meter.spent_s()[Part.CHECKS] > 0


def test_a_window_reads_as_cores_of_all_processes(tmp_path: Path) -> None:
    (tmp_path / "one.jsonl").write_text(a_line(0, 0) + a_line(10, 1) + a_line(20, 3) + a_line(30, 9))
    (tmp_path / "two.jsonl").write_text(a_line(10, 5) + a_line(20, 6) + '{"at": 2')

    assert spent(tmp_path, since=10, until=20)[Part.CIPHER] == pytest.approx(0.3)
