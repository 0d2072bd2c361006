"""A real process: its order, its signals, its exit codes."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support import eventually

ROOT = Path(__file__).parents[3]
# Start of Python, imports and the drain's grace; a process that hangs is killed by the fixture.
_WITHIN_S = 20
Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """`start("good", HTTP_PORT="0")` runs the sample process with that behaviour and environment."""
    started = []

    def run(behaviour: str, **changes: str) -> subprocess.Popen[str]:
        environ = {
            "KAFKA_BOOTSTRAP": "127.0.0.1:1",
            "REDIS_VOLATILE_URL": "redis://127.0.0.1:1",
            "REDIS_DURABLE_URL": "redis://127.0.0.1:2",
            "KEYS_DIR": str(tmp_path),
            "SERVICE_KEY_FILE": str(tmp_path / "sample.pem"),
            "DEPLOYMENT": "one",
            "AUTHORITY_ROOT": "A" * 43,
            "DRAIN_TIMEOUT_S": "0.5",
            "BEHAVIOUR": behaviour,
            **changes,
        }
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.integration.runtime.sample_process"],
            cwd=ROOT,
            env=environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield run
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()


def line(process: subprocess.Popen[str]) -> str:
    assert process.stdout
    return process.stdout.readline().strip()


def running(process: subprocess.Popen[str]) -> subprocess.Popen[str]:
    assert (line(process), line(process)) == ("start", "run")
    assert line(process) == "core=0"
    return process


def outcome(process: subprocess.Popen[str]) -> tuple[int, list[str], str]:
    assert process.stdout
    assert process.stderr
    code = process.wait(_WITHIN_S)
    # Not communicate(): it passes over what readline() has read ahead.
    return code, process.stdout.read().split(), process.stderr.read()


def events(stderr: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in stderr.splitlines()]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_loop_drains_closes_and_exits_0(start: Start, number: signal.Signals) -> None:
    process = running(start("good"))
    process.send_signal(number)
    code, told, err = outcome(process)
    assert (code, told) == (0, ["drain", "close"])
    assert [event["message"] for event in events(err)] == ["process started", "draining", "process ended"]


def test_a_service_that_is_done_ends_the_process(start: Start) -> None:
    assert outcome(running(start("done")))[:2] == (0, ["drain", "close"])


def test_bad_settings_exit_2_and_name_each_on_a_line(start: Start) -> None:
    code, told, err = outcome(start("good", HTTP_PORT="99999", LOG_LEVEL="loud"))
    assert (code, told) == (2, [])
    assert [line.split(" is not")[0] for line in err.splitlines()] == [
        "sample: HTTP_PORT: '99999'",
        "sample: LOG_LEVEL: 'loud'",
    ]


def test_wrong_surroundings_exit_2_with_the_reason_and_no_password(start: Start) -> None:
    code, told, err = outcome(start("refuse"))
    assert (code, told) == (2, ["start", "close"])
    refusal = events(err)[1]
    assert (refusal["message"], refusal["reason"]) == (
        "refused to run",
        "the list at redis://127.0.0.1 is not sealed",
    )


def test_a_port_that_is_taken_exits_2(start: Start) -> None:
    first = running(start("good"))
    assert first.stderr
    port = json.loads(first.stderr.readline())["http_port"]
    assert outcome(start("good", HTTP_PORT=str(port)))[0] == 2


def test_a_bug_exits_1_with_its_traceback_and_closes(start: Start) -> None:
    code, told, err = outcome(start("raise"))
    assert (code, told) == (1, ["start", "close"])
    assert "RuntimeError: a bug" in str(events(err)[1]["traceback"])


def test_a_thread_that_dies_stops_the_process(start: Start) -> None:
    """A dead thread behind a living loop is work that silently stays undone."""
    code, told, err = outcome(running(start("raise_in_thread")))
    assert (code, told) == (1, ["drain", "close"])
    assert "ZeroDivisionError" in err


def test_work_left_after_the_drain_exits_3(start: Start) -> None:
    process = running(start("leave_work"))
    process.terminate()
    assert outcome(process)[:2] == (3, ["drain", "close"])


def test_a_drain_that_hangs_is_cut_short_with_3(start: Start) -> None:
    process = running(start("hang_in_drain"))
    process.terminate()
    assert outcome(process)[:2] == (3, ["drain"])


def test_a_second_signal_ends_the_process_at_once_with_130(start: Start) -> None:
    process = running(start("hang_in_drain", DRAIN_TIMEOUT_S="60"))
    process.terminate()
    assert line(process) == "drain"
    process.terminate()
    assert outcome(process)[0] == 130


def test_readiness_comes_with_the_loop_and_metrics_with_the_process(start: Start) -> None:
    process = running(start("good"))
    assert process.stderr
    address = f"http://127.0.0.1:{json.loads(process.stderr.readline())['http_port']}"
    eventually(lambda: status(f"{address}/readyz") == 200, "the sample to be ready", within_s=5)
    assert status(f"{address}/livez") == 200
    assert status(f"{address}/metrics") == 200


def status(address: str) -> int:
    try:
        with urllib.request.urlopen(address, timeout=5) as answer:  # noqa: S310 - loopback
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code
