"""The folder of a run: its keys and data are gone before the next begins, and nobody else's ever."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from console.edges.only_one import only_one
from services.contracts.errors import Misconfigured

# What a run leaves here shows that the folder is a run's.
_LOCK = "run.lock"
_FORGOTTEN = ("stack", "keys", "authority")


@contextmanager
def own_home(home: Path) -> Iterator[None]:
    """Hold `home` for one run. What holds keys and ciphertext is removed now and at the end; films and logs stay.

    Raises Misconfigured, and removes nothing, where another run holds it or where what would be removed is no
    run's.
    """
    lock = home / _LOCK
    foreign = [name for name in _FORGOTTEN if (home / name).exists()]
    if foreign and not lock.exists():
        raise Misconfigured(
            f"--home: {home} has {' and '.join(foreign)} in it, which no run left there and a run would remove: "
            "name another folder"
        )
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    held = Misconfigured(f"--home: a run goes on in {home}: end it, or name another folder")
    with only_one(lock, otherwise=held):
        _forget(home)
        try:
            yield
        finally:
            _forget(home)


def _forget(home: Path) -> None:
    for name in _FORGOTTEN:
        shutil.rmtree(home / name, ignore_errors=True)
