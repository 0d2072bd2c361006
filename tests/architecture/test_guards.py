"""The guards of tests/conftest.py fail the tests that they should."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.imports import ROOT

_HEAD = """
import logging, threading, time
from tests.conftest import *

def start(name, seconds):
    threading.Thread(target=time.sleep, args=(seconds,), name=name, daemon=True).start()
"""
_CASES = {
    "logs an error": ("def test_it():\n    logging.getLogger('services.x').error('lost')", "no test expected it"),
    "logs what it expects": (
        "def test_it(expected_errors):\n    expected_errors.add('lost')\n"
        "    logging.getLogger('services.x').error('lost')",
        None,
    ),
    "logs of a library": ("def test_it():\n    logging.getLogger('asyncio').error('not ours')", None),
    "leaves a thread": ("def test_it():\n    start('signpost-poll', 30)", "threads left running: signpost-poll"),
    "leaves a thread that ends": ("def test_it():\n    start('signpost-poll', 0.2)", None),
    "leaves another's thread": ("def test_it():\n    start('pool-1', 30)", None),
}


@pytest.mark.parametrize("case", _CASES)
def test_a_guard_fails_what_it_should_and_nothing_else(tmp_path: Path, case: str) -> None:
    body, complaint = _CASES[case]
    (tmp_path / "test_sample.py").write_text(_HEAD + body + "\n", "utf-8")
    answer = subprocess.run(  # this Python, our text
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", tmp_path, tmp_path],
        env={"PYTHONPATH": str(ROOT), "PATH": os.defpath},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    if complaint is None:
        assert answer.returncode == 0, answer.stdout
    else:
        assert answer.returncode == 1
        assert complaint in answer.stdout
