"""Who may speak HTTP and gRPC to others: a proxy of the environment stands between us and none of ours."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import PurePosixPath

import pytest

from tests.architecture.imports import ROOT, Source, sources

# Each with why it may.
HTTP_DOORS = {
    "services/runtime/http_client.py": "the one opener",
    "services/oversight/edges/heads_url.py": "uses that opener, and its request and its refusals",
    "console/stack/jars.py": "downloads from outside: the one place for which a company's proxy is meant",
}
HTTP = ("urllib.request", "http.client", "httpx", "requests", "aiohttp", "urllib3")
CHANNEL_DOOR = "console/edges/grpc_channel.py"
CHANNELS = ("insecure_channel", "secure_channel")


def wrong(source: Source) -> Iterator[str]:
    """Every client that is made elsewhere, as "path:line: what"."""
    path = str(source.path)
    for used in source.imports():
        if path not in HTTP_DOORS and used.is_of(*HTTP):
            yield f"{path}:{used.line}: imports {used.name}; services.runtime.http_client opens without a proxy"
    for node in ast.walk(source.tree):
        name = node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
        if path != CHANNEL_DOOR and name in CHANNELS:
            yield f"{path}:{getattr(node, 'lineno', 0)}: makes a channel; only {CHANNEL_DOOR} does"


@pytest.mark.parametrize("source", sources(ROOT), ids=lambda source: str(source.path))
def test_a_client_is_made_in_its_one_place(source: Source) -> None:
    assert list(wrong(source)) == []


@pytest.mark.parametrize(
    "text",
    [
        "import urllib.request",
        "from urllib import request",
        "import httpx",
        "from grpc import insecure_channel as made\nmade('a:1')\ninsecure_channel('a:1')",
        "import grpc\ngrpc.aio.secure_channel('a:1', None)",
    ],
)
def test_a_client_that_is_made_elsewhere_is_noticed(text: str) -> None:
    assert list(wrong(Source(PurePosixPath("console/somewhere.py"), ast.parse(text)))) != []
