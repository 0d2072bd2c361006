"""An image holds one service and what all stand on: a forbidden import fails at its start."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from tests.architecture.imports import ROOT

SERVICES = ("ingest", "embed", "match", "review", "oversight")


def dockerfile(service: str) -> str:
    return (ROOT / f"services/{service}/Dockerfile").read_text("utf-8")


def copied(text: str) -> set[str]:
    """What COPY lines take from the working tree."""
    lines = [line.split()[1:] for line in text.splitlines() if line.startswith(("COPY", "ADD"))]
    return {source for words in lines if not words[0].startswith("--from") for source in words[:-1]}


@pytest.mark.parametrize("service", SERVICES)
def test_an_image_takes_one_service_and_what_all_stand_on(service: str) -> None:
    taken = {source.rstrip("/") for source in copied(dockerfile(service))}
    assert taken - {"pyproject.toml", "requirements.lock", "services/__init__.py"} == {
        "services/contracts",
        "services/runtime",
        f"services/{service}",
        "proto/gen",
    }


@pytest.mark.parametrize("service", SERVICES)
def test_an_image_runs_its_service_as_nobody_in_particular(service: str) -> None:
    text = dockerfile(service)
    assert re.findall(r"^USER (\S+)", text, re.M)[-1].partition(":")[0] == "10001"
    assert re.search(rf'^(CMD|ENTRYPOINT) \["python", "-m", "services\.{service}"\]$', text, re.M)
    assert "--require-hashes" in text


def _installs_of_uv() -> dict[str, str]:
    compose = yaml.safe_load((ROOT / "compose.yaml").read_text("utf-8"))
    return {service: dockerfile(service) for service in SERVICES} | {
        "console": compose["services"]["console"]["build"]["dockerfile_inline"],
        "setup": (ROOT / "scripts/setup.sh").read_text("utf-8"),
    }


@pytest.mark.parametrize("place", _installs_of_uv())
def test_what_installs_everything_else_is_itself_checked(place: str) -> None:
    """uv came by its version alone: whoever could put another file there had every hash checked by it."""
    text = _installs_of_uv()[place]
    installs = [line for line in text.splitlines() if re.search(r"pip install", line) and "uv pip" not in line]
    assert len(installs) == 1
    assert re.search(r"--require-hashes -r \S*uv\.txt$", installs[0].strip())
    lines = (ROOT / "scripts/uv.txt").read_text("utf-8").splitlines()
    assert [line for line in lines if line and line[0] not in "# "] == ["uv==0.13.9 \\"]
    assert all(
        re.fullmatch(r"    --hash=sha256:[0-9a-f]{64}( \\)?", line) for line in lines if line.startswith(" ")
    )


def test_the_consoles_image_takes_no_service() -> None:
    compose = yaml.safe_load((ROOT / "compose.yaml").read_text("utf-8"))
    taken = copied(compose["services"]["console"]["build"]["dockerfile_inline"])
    assert {source for source in taken if source.startswith("services/")} == {
        "services/__init__.py",
        "services/contracts",
        "services/runtime",
    }


def test_the_builder_sees_nothing_of_the_data() -> None:
    lines = Path(ROOT / ".dockerignore").read_text("utf-8").splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    assert rules[0] == "*"
    assert {rule for rule in rules if rule.startswith("!")} == {
        "!pyproject.toml",
        "!scripts/uv.txt",
        "!requirements.lock",
        "!services",
        "!console",
        "!proto/gen",
    }
