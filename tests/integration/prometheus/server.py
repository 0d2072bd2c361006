"""A Prometheus of our own: scrapes what it is told, with the rules that ship; any test may use it."""

from __future__ import annotations

import json
import shutil
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import yaml

from console.stack.child import Child
from console.stack.ports import free_ports
from tests.architecture.imports import ROOT

RULES = ROOT / "helm/signpost/files/alerts/signpost.rules.yaml"
# Its start; then the first scrape follows within a second.
_READY_WITHIN_S = 30
_STOP_WITHIN_S = 10
_ANSWER_WITHIN_S = 5


def program(name: str) -> Path | None:
    """`prometheus` or `promtool`, where installed (scripts/test_tools.sh)."""
    found = shutil.which(name)
    return Path(found) if found else None


class Prometheus:
    """Scrapes `targets` (port of 127.0.0.1 by job) every second, if not told otherwise. A context manager; one
    thread."""

    def __init__(self, binary: Path, folder: Path, targets: Mapping[str, int], *, scrape: str = "1s") -> None:
        self._binary = binary
        self._folder = folder
        self._targets = targets
        self._scrape = scrape
        self._port = 0
        self._child: Child | None = None

    def __enter__(self) -> Self:
        config = self._folder / "prometheus.yml"
        config.write_text(yaml.safe_dump(self._config()), "utf-8")
        self._port = free_ports(1)[0]
        argv = [str(self._binary), f"--config.file={config}", f"--storage.tsdb.path={self._folder / 'data'}"]
        argv += [f"--web.listen-address=127.0.0.1:{self._port}"]
        self._child = Child("Prometheus", argv, cwd=self._folder, log=self._folder / "prometheus.log")
        self._child.await_ready(self._is_ready, within_s=_READY_WITHIN_S)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._child is not None:
            self._child.stop(within_s=_STOP_WITHIN_S)

    def query(self, expression: str) -> list[tuple[dict[str, str], float]]:
        """Labels and value of each series of an instant vector, now."""
        answer = self._get("/api/v1/query?" + urllib.parse.urlencode({"query": expression}))
        return [(each["metric"], float(each["value"][1])) for each in answer["data"]["result"]]

    def rules(self) -> list[dict[str, Any]]:
        """Every rule, with its `health` and `lastError`."""
        groups = self._get("/api/v1/rules")["data"]["groups"]
        return [rule for group in groups for rule in group["rules"]]

    def _config(self) -> dict[str, Any]:
        return {
            "global": {"scrape_interval": self._scrape, "evaluation_interval": "1s"},
            "rule_files": [str(RULES)],
            "scrape_configs": [
                {"job_name": job, "static_configs": [{"targets": [f"127.0.0.1:{port}"]}]}
                for job, port in self._targets.items()
            ],
        }

    def _is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(self._url("/-/ready"), timeout=_ANSWER_WITHIN_S) as answer:  # noqa: S310
                return bool(answer.status == 200)
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return False

    def _get(self, path: str) -> Any:
        with urllib.request.urlopen(self._url(path), timeout=_ANSWER_WITHIN_S) as answer:  # noqa: S310
            return json.load(answer)

    def _url(self, path: str) -> str:
        return f"http://127.0.0.1:{self._port}{path}"
