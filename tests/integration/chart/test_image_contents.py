"""What an image copies is enough for its service to start: Docker's COPY, done by hand."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.imports import ROOT
from tests.unit.chart.test_dockerfiles import SERVICES, copied, dockerfile

# embed imports torch, on a busy machine.
_START_WITHIN_S = 120


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_starts_from_what_its_image_copies(tmp_path: Path, service: str) -> None:
    for source in copied(dockerfile(service)):
        target = tmp_path / source
        target.parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / source).is_dir():
            shutil.copytree(ROOT / source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / source, target)
    done = subprocess.run(
        [sys.executable, "-m", f"services.{service}"],
        cwd=tmp_path,
        env={"PYTHONPATH": f"{tmp_path}:{tmp_path / 'proto/gen'}", "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=_START_WITHIN_S,
        check=False,
    )
    # Every import held; what is missing is what the image is told at its start.
    assert done.returncode == 2, done.stderr
    assert f"{service}: KAFKA_BOOTSTRAP: not set" in done.stderr
