"""The run file: what was written is what is read, and nothing else is taken for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from console.stack.child import ProcessIdentity
from console.stack.errors import StackError
from console.stack.run_file import RunProcess, StackRun, read_run, run_file, write_run

RUN = StackRun(
    supervisor=ProcessIdentity(100, 5000),
    kafka_bootstrap="127.0.0.1:9001",
    redis_volatile_url="redis://127.0.0.1:7000/0",
    redis_durable_url="redis://127.0.0.1:7001/0",
    processes=(RunProcess("Kafka node 1", ProcessIdentity(101, 5001), "/data/console.log"),),
)


def test_a_run_is_read_as_it_was_written(tmp_path: Path) -> None:
    write_run(tmp_path, RUN)
    assert read_run(tmp_path) == RUN


def test_no_file_means_no_run(tmp_path: Path) -> None:
    assert read_run(tmp_path) is None


@pytest.mark.parametrize("text", ["", "[]", '{"format": 1}'])
def test_a_file_that_is_not_a_run_is_refused_by_name(tmp_path: Path, text: str) -> None:
    run_file(tmp_path).write_text(text)
    with pytest.raises(StackError, match=r"stack\.json cannot be read"):
        read_run(tmp_path)
