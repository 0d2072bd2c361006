"""The tree keeps its shape: dependencies run one way, and each heavy thing has one door."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.imports import ROOT, sources
from tests.architecture.rules import RULES, violations

# The words of what is watched and who watches: the floor serves any service.
_DOMAIN = re.compile(
    r"(?<![a-z])(camera|face|watchlist|gallery|biometric|reviewer|suspect|portrait|rtsp)s?(?![a-z])",
    re.IGNORECASE,
)
# torch, OpenVINO and Ray load within this on two busy cores.
_IMPORT_WITHIN_S = 240

_IMPORT_ALL = """
import importlib, json, socket, sys, threading, traceback, warnings

def refuse(*args, **kwargs):
    raise AssertionError("a module connects, listens or looks up a name while it is imported")

for name in ("connect", "connect_ex", "bind", "listen", "sendto"):
    setattr(socket.socket, name, refuse)
for name in ("getaddrinfo", "gethostbyname", "create_connection"):
    setattr(socket, name, refuse)
warnings.simplefilter("ignore")
failed = {}
for module in json.load(sys.stdin):
    try:
        importlib.import_module(module)
    except BaseException:
        failed[module] = traceback.format_exc(limit=-3)
for thread in threading.enumerate():
    if thread.name.startswith("signpost-"):
        failed[thread.name] = "this thread was started by an import"
print("REPORT" + json.dumps(failed))
"""


def test_every_import_keeps_the_rules() -> None:
    broken = [line for source in sources(ROOT) for line in violations(source)]
    assert not broken, "\n" + "\n".join(broken)


def test_the_runtime_knows_no_word_of_the_domain() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in sorted((ROOT / "services" / "runtime").rglob("*.py"))
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if _DOMAIN.search(line)
    ]
    assert not found, "\n" + "\n".join(found)


def test_every_module_is_imported_without_a_connection_or_a_thread() -> None:
    modules = [source.module for source in sources(ROOT) if source.path.name != "__main__.py"]
    answer = subprocess.run(  # this Python, our text
        [sys.executable, "-c", _IMPORT_ALL],
        input=json.dumps(modules),
        env={
            "PYTHONPATH": f"{ROOT}:{ROOT / 'proto' / 'gen'}",
            "HOME": str(ROOT / "build"),
            "PATH": "/usr/bin:/bin",
        },
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=_IMPORT_WITHIN_S,
        check=False,
    )
    assert answer.returncode == 0, answer.stderr
    failed = json.loads(answer.stdout.rpartition("REPORT")[2])
    assert not failed, "\n" + "\n".join(f"{module}: {why}" for module, why in failed.items())


# path, one line of it, a word of the complaint. Each rule is tried at least once.
FORBIDDEN = [
    ("services/match/pipeline.py", "from services.review.core.people import Person", "services meet only"),
    ("services/match/pipeline.py", "from services import review", "services meet only"),
    ("services/match/edges/list_redis.py", "from console.stack import local", "a service imports console"),
    ("services/match/core/search.py", "from services.match.edges import gallery", "core imports"),
    (
        "services/match/core/search.py",
        "from services.contracts import x\nfrom ..ports import Gallery",
        "core imports",
    ),
    ("services/match/edges/list_redis.py", "from services.match.wiring import build", "edges imports"),
    ("services/match/pipeline.py", "from services.match.edges.list_redis import L", "story imports"),
    ("services/match/__main__.py", "from services.match.pipeline import Match", "__main__ imports"),
    ("services/match/core/search.py", "from services.runtime.clock import Clock", "core may not"),
    ("services/match/pipeline.py", "from services.runtime.redis_client import connect", "story may not"),
    ("services/match/core/search.py", "import redis", "core imports redis"),
    ("services/match/core/search.py", "def f():\n    import cv2", "core imports cv2"),
    ("services/contracts/events.py", "import pydantic", "contracts import pydantic"),
    ("services/runtime/logs.py", "from services.match.core import search", "runtime imports"),
    ("console/commands/demo.py", "from services.review.casework import Casework", "it speaks gRPC"),
    ("evaluation/det.py", "from services.match.edges.list_redis import L", "evaluation imports"),
    ("services/match/edges/list_redis.py", "from signpost.v1 import events_pb2", "only codecs"),
    ("services/contracts/events.py", "from signpost.v1.events_pb2 import Frame", "only codecs"),
    ("services/embed/edges/worker.py", "import torch.nn", "torch's only door"),
    ("evaluation/det.py", "import torch", "torch's only door"),
    ("services/embed/wiring.py", "import ray", "ray's only door"),
    ("services/embed/wiring.py", "import os\nx = os.environ['X']", "settings come through"),
    ("services/embed/wiring.py", "from os import getenv", "settings come through"),
    ("services/embed/__main__.py", "x = 1\n" * 16, "at most 15 lines"),
]
ALLOWED = [
    (
        "services/match/core/search.py",
        "import math\nimport numpy as np\nfrom services.contracts.ids import CameraId",
    ),
    (
        "services/match/pipeline.py",
        "from services.match.core.search import search\nfrom services.match.ports import G",
    ),
    (
        "services/match/wiring.py",
        "from services.match.edges.x import X\nfrom services.runtime.redis_client import c",
    ),
    (
        "services/match/__main__.py",
        "from services.runtime import process\nfrom services.match.wiring import build",
    ),
    ("services/match/metrics.py", "from services.runtime.metrics import Counter"),
    ("services/contracts/codec_authority.py", "from signpost.v1 import authority_pb2"),
    ("services/review/edges/grpc_server.py", "from signpost.v1 import review_pb2_grpc"),
    ("services/embed/model/torch_network.py", "import torch"),
    ("services/embed/edges/ray_fleet.py", "import ray"),
    ("services/runtime/settings.py", "import os\nx = os.environ"),
    ("evaluation/det.py", "from services.match.core.search import search"),
    ("console/commands/grpc_review.py", "from signpost.v1 import review_pb2_grpc"),
]


def broken_in(root: Path, path: str, text: str) -> list[str]:
    file = root / path
    file.parent.mkdir(parents=True)
    file.write_text(text + "\n", "utf-8")
    return [line for source in sources(root) for line in violations(source)]


@pytest.mark.parametrize(("path", "text", "complaint"), FORBIDDEN)
def test_a_forbidden_import_is_caught(tmp_path: Path, path: str, text: str, complaint: str) -> None:
    broken = broken_in(tmp_path, path, text)
    assert any(line.startswith(path) and complaint in line for line in broken), broken


@pytest.mark.parametrize(("path", "text"), ALLOWED)
def test_what_the_rules_allow_is_let_through(tmp_path: Path, path: str, text: str) -> None:
    assert broken_in(tmp_path, path, text) == []


def test_no_rule_is_without_a_sample_that_breaks_it(tmp_path: Path) -> None:
    """A rule that never fires looks the same as one that is kept."""
    silent = set(RULES)
    for number, (path, text, _) in enumerate(FORBIDDEN):
        root = tmp_path / str(number)
        broken_in(root, path, text)
        silent -= {rule for source in sources(root) for rule in RULES if list(rule(source))}
    assert not silent
