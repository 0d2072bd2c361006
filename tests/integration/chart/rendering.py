"""Helm's work, for the tests: a chart and values in, Kubernetes' objects out."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.architecture.imports import ROOT

CHART = ROOT / "helm/signpost"
SERVICES = ("ingest", "embed", "match", "review", "oversight")
# What no default can say.
AUTHORITY = CHART / "ci/authority-values.yaml"
VALUE_SETS: Mapping[str, tuple[Path, ...]] = {
    "default": (),
    "exercise": (CHART / "ci/exercise-values.yaml",),
    "fleet": (CHART / "ci/fleet-values.yaml",),
}
Manifest = Mapping[str, Any]


@dataclass(frozen=True)
class Helm:
    """The program."""

    binary: Path

    def run(self, *words: str | Path) -> subprocess.CompletedProcess[str]:
        """Run it; the caller looks at the exit code."""
        return subprocess.run([self.binary, *words], capture_output=True, text=True, timeout=60, check=False)

    def template(self, *values: Path, sets: tuple[str, ...] = ()) -> list[Manifest]:
        """Every object of the chart. Raises AssertionError with helm's words if it refuses."""
        done = self.run("template", "signpost", CHART, *_flags(values, sets))
        assert done.returncode == 0, done.stderr
        return [each for each in yaml.safe_load_all(done.stdout) if each]

    def refusal(self, *values: Path, sets: tuple[str, ...] = ()) -> str:
        """Why it does not render. Raises AssertionError if it does."""
        done = self.run("template", "signpost", CHART, *_flags(values, sets))
        assert done.returncode != 0, "rendered, though it should have been refused"
        return done.stderr


def _flags(values: tuple[Path, ...], sets: tuple[str, ...]) -> Iterator[str]:
    for path in (AUTHORITY, *values):
        yield f"--values={path}"
    for each in sets:
        yield f"--set-json={each}"


def of_kind(kind: str, manifests: list[Manifest]) -> list[Manifest]:
    return [each for each in manifests if each["kind"] == kind]


def pods(manifests: list[Manifest]) -> dict[str, Any]:
    """Every pod's spec, by the name of the object that makes it."""
    return {
        each["metadata"]["name"]: each["spec"]["template"]["spec"]
        for each in manifests
        if each["kind"] in {"Deployment", "Job"}
    }


def deployment(service: str, manifests: list[Manifest]) -> Manifest:
    return next(
        each for each in of_kind("Deployment", manifests) if each["metadata"]["name"] == f"signpost-{service}"
    )


def container(service: str, manifests: list[Manifest]) -> Any:
    return deployment(service, manifests)["spec"]["template"]["spec"]["containers"][0]
