"""Every key there is, while there is one: what an intruder in both stores would have come by."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import unquote

import redis

from services.runtime.keys.derive import derive

_EVERY_S = 0.02
_DEADLINE_BYTES = 8
_KEY_BYTES = 32
_NAMESPACE = "key:"


def in_stores(folder: Path, volatile: redis.Redis) -> dict[str, bytes]:
    """All keys by id, and the frames' keys that follow from two of them."""
    found = _in_folder(folder) | _in_redis(volatile)
    return found | _of_frames(found)


def _in_folder(folder: Path) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for path in folder.glob("*.key"):
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            continue
        if len(content) == _DEADLINE_BYTES + _KEY_BYTES and any(content):  # zeros: a key that is being destroyed
            found[unquote(path.name.removesuffix(".key"))] = content[_DEADLINE_BYTES:]
    return found


def _in_redis(client: redis.Redis) -> dict[str, bytes]:
    """Whatever has the length of a key, under whichever name."""
    names = [name for name in client.scan_iter(count=1000, _type="STRING")]
    values = client.mget(names) if names else []
    return {
        _text(name).removeprefix(_NAMESPACE): value
        for name, value in zip(names, values, strict=True)
        if isinstance(value, bytes) and len(value) == _KEY_BYTES
    }


def _of_frames(parts: Mapping[str, bytes]) -> dict[str, bytes]:
    """Every pair of an epoch's part and a deployment's, put together as the key of frames is."""
    epochs = {one: key for one, key in parts.items() if "/epoch/" in one}
    deployments = {one: key for one, key in parts.items() if one.endswith("/deployment")}
    return {
        name: derive(epochs[epoch], deployments[deployment], info=name)
        for epoch, deployment in itertools.product(epochs, deployments)
        if (name := epoch.replace("/epoch/", "/frame/"))
    }


def _text(name: object) -> str:
    return name.decode() if isinstance(name, bytes) else str(name)


class KeyWatch(threading.Thread):
    """Looks all the time, so that keys which live for a moment are known, too. `seen` is read after `finish`."""

    def __init__(self, folder: Path, volatile: redis.Redis) -> None:
        super().__init__(name="key-watch", daemon=True)
        self._folder, self._volatile = folder, volatile
        self._stopping = threading.Event()
        self.seen: dict[str, bytes] = {}

    def finish(self) -> None:
        self._stopping.set()
        self.join()

    def run(self) -> None:
        while not self._stopping.wait(_EVERY_S):
            for name, key in in_stores(self._folder, self._volatile).items():
                # A key that was minted anew under an old name is another key.
                self.seen.setdefault(name if self.seen.get(name, key) == key else f"{name}#{key[:4].hex()}", key)
