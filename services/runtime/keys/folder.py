"""Keys in a folder, one file a key: the key store of a single machine."""

from __future__ import annotations

import fcntl
import os
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote, unquote

from services.contracts.errors import Misconfigured
from services.runtime.clock import Clock
from services.runtime.keys.port import KEY_BYTES, DeadlinePassed

# A file is the deadline (ms since 1970, 8 bytes) and the key.
_DEADLINE_BYTES = 8
_FILE_BYTES = _DEADLINE_BYTES + KEY_BYTES
_SUFFIX = ".key"
_MAX_NAME = 255


class NotAKey(Misconfigured):
    """A file in the folder is not one that we wrote, or not any more."""


class FolderKeys:
    """`KeyStore` on files of mode 0600 in a folder of mode 0700; every process of the machine may share it.

    A deadline is enforced at every read, and by `sweep` for keys that nobody reads: minting sweeps
    too. Destroying overwrites, removes and syncs; a disk that copies on write or levels wear may
    keep the old block, so in production the store is a KMS.
    """

    def __init__(self, folder: Path, clock: Clock) -> None:
        """Makes the folder if there is none. Raises Misconfigured if others may read it."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        mode = folder.stat().st_mode & 0o777
        if mode & 0o077:
            raise Misconfigured(f"KEYS_DIR: {folder} has mode {mode:o}; chmod 700 it: others may read keys")
        self._folder = folder
        self._clock = clock

    def get(self, key_id: str) -> bytes | None:
        return self._read(self._path(key_id))

    def get_many(self, key_ids: Sequence[str]) -> dict[str, bytes]:
        found = {key_id: self.get(key_id) for key_id in key_ids}
        return {key_id: key for key_id, key in found.items() if key is not None}

    def get_or_create(self, key_id: str, *, expires_at: datetime) -> bytes:
        if expires_at <= self._clock.now():
            raise DeadlinePassed
        path = self._path(key_id)
        found = self._read(path)
        if found is not None:
            return found
        with self._alone():
            self._sweep()
            return self._read(path) or self._mint(path, expires_at)

    def get_or_create_many(self, wanted: Mapping[str, datetime]) -> dict[str, bytes]:
        found: dict[str, bytes] = {}
        for key_id, end in wanted.items():
            with suppress(DeadlinePassed):
                found[key_id] = self.get_or_create(key_id, expires_at=end)
        return found

    def destroy(self, *key_ids: str) -> int:
        with self._alone():
            self._sweep()  # what has expired is gone already and does not count
            return self._erase([self._path(key_id) for key_id in key_ids])

    def lives_s(self, prefix: str) -> list[float]:
        """Raises NotAKey."""
        held = [self._held(path) for path in self._files() if _key_id(path).startswith(prefix)]
        left = [(one[0] - self._clock.now()).total_seconds() for one in held if one]
        return [one for one in left if one > 0]

    def destroy_prefix(self, prefix: str) -> int:
        with self._alone():
            self._sweep()
            return self._erase([path for path in self._files() if _key_id(path).startswith(prefix)])

    def sweep(self) -> int:
        """Destroy every key whose deadline has passed; how many. Call it every minute or so.

        Raises NotAKey, with all else done, while a file that is no key lies there.
        """
        with self._alone():
            swept = self._sweep()
            for path in self._files():
                self._read(path)
            return swept

    def _read(self, path: Path) -> bytes | None:
        held = self._held(path)
        return held[1] if held and self._clock.now() < held[0] else None

    def _held(self, path: Path) -> tuple[datetime, bytes] | None:
        """Deadline and key, whether it is over or not. Raises NotAKey."""
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            return None
        if len(content) != _FILE_BYTES:
            raise NotAKey(f"KEYS_DIR: {path.name} is no key file ({len(content)} bytes)")
        deadline = datetime.fromtimestamp(int.from_bytes(content[:_DEADLINE_BYTES], "big") / 1000, UTC)
        return deadline, content[_DEADLINE_BYTES:]

    def _mint(self, path: Path, expires_at: datetime) -> bytes:
        key = secrets.token_bytes(KEY_BYTES)
        deadline_ms = int(expires_at.timestamp() * 1000)
        # Whole or not at all for a reader, who takes no lock: written aside, then renamed.
        aside = path.with_name(f".{secrets.token_hex(8)}")
        descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(deadline_ms.to_bytes(_DEADLINE_BYTES, "big") + key)
            file.flush()
            os.fsync(file.fileno())
        aside.rename(path)
        self._sync_folder()
        return key

    def _sweep(self) -> int:
        # A file aside while we are alone is what a killed process left.
        left = [path for path in self._folder.iterdir() if path.name.startswith(".") and path.name != ".lock"]
        self._erase(left)
        return self._erase([path for path in self._files() if self._over(path)])

    def _over(self, path: Path) -> bool:
        try:
            return self._read(path) is None
        except NotAKey:
            return False  # what has no deadline is not ours to destroy; who asks for it by name hears of it

    def _erase(self, paths: list[Path]) -> int:
        erased = 0
        for path in paths:
            with suppress(FileNotFoundError):
                _overwrite(path)
                path.unlink()
                erased += 1
        if erased:
            self._sync_folder()
        return erased

    def _files(self) -> list[Path]:
        return [path for path in self._folder.iterdir() if path.suffix == _SUFFIX]

    def _path(self, key_id: str) -> Path:
        name = quote(key_id, safe="") + _SUFFIX
        if not key_id or key_id.startswith(".") or len(name) > _MAX_NAME:
            raise ValueError("a key id is not empty, begins with no dot and fits a file name")
        return self._folder / name

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """No other writer, of any process or thread, while inside. Readers need no lock."""
        descriptor = os.open(self._folder / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def _sync_folder(self) -> None:
        descriptor = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _key_id(path: Path) -> str:
    return unquote(path.name.removesuffix(_SUFFIX))


def _overwrite(path: Path) -> None:
    with path.open("r+b") as file:
        file.write(bytes(_FILE_BYTES))
        file.flush()
        os.fsync(file.fileno())
