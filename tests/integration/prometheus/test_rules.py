"""Prometheus' own tool on the rules: they parse, and fire when their tests say so."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.architecture.test_operations import TESTS
from tests.integration.prometheus.server import RULES, program
from tests.integration.stack import missing_server


@pytest.fixture
def promtool() -> Path:
    found = program("promtool")
    if found is None:
        missing_server("promtool is not installed: apt-get install prometheus")
    return found


def run(promtool: Path, *words: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([promtool, *words], capture_output=True, text=True, timeout=60, check=False)


def test_the_rules_parse_and_none_is_there_twice(promtool: Path) -> None:
    done = run(promtool, "check", "rules", "--lint-fatal", RULES)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", sorted(path.name for path in TESTS.glob("*.yaml")))
def test_alerts_fire_when_they_should_and_only_then(promtool: Path, name: str) -> None:
    done = run(promtool, "test", "rules", TESTS / name)
    assert done.returncode == 0, done.stdout + done.stderr
