"""Kafka's jars: fetched from Maven through jgo, used only if their bytes are the locked ones."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from console.stack.errors import StackUnavailableError, WrongContentError

LOCK = Path(__file__).with_name("kafka-jars.lock")
# A jar is at most 10 MB; what is slower than this is no network.
_FETCH_TIMEOUT_S = 60
_FETCHES_AT_ONCE = 8


@dataclass(frozen=True)
class LockedJar:
    """One jar by Maven coordinate, and the only content it may have."""

    group: str
    artifact: str
    version: str
    classifier: str  # "" for none
    sha256: str

    @property
    def coordinate(self) -> str:
        """The coordinate as the lock writes it."""
        return ":".join(part for part in (self.group, self.artifact, self.version, self.classifier) if part)


def read_lock(path: Path = LOCK) -> tuple[LockedJar, ...]:
    """Return the jars of the lock, in class path order; raises ValueError naming a line it cannot read."""
    jars = []
    for number, line in enumerate(path.read_text().splitlines(), start=1):
        if not line or line.startswith("#"):
            continue
        coordinate, _, sha256 = line.partition(" sha256:")
        parts = coordinate.split(":")
        if len(parts) not in (3, 4) or len(sha256) != 64:
            raise ValueError(f"{path.name} line {number}: want 'group:artifact:version[:classifier] sha256:HEX'")
        jars.append(LockedJar(parts[0], parts[1], parts[2], parts[3] if len(parts) == 4 else "", sha256))
    return tuple(jars)


def ensure_jars(cache_dir: Path, jars: Iterable[LockedJar]) -> list[Path]:
    """Return the paths of all jars, fetching what the cache lacks; every file is hashed, cached or not.

    Blocks on the network if something is missing. Raises StackUnavailableError if a jar cannot be
    had, WrongContentError if one is not what the lock says; a wrong file is removed from the cache.
    """
    cache_dir.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(_FETCHES_AT_ONCE) as pool:
        return list(pool.map(lambda jar: _ensure(cache_dir, jar), jars))


def _ensure(cache_dir: Path, jar: LockedJar) -> Path:
    suffix = f"-{jar.classifier}" if jar.classifier else ""
    path = cache_dir / f"{jar.artifact}-{jar.version}{suffix}.jar"
    if not path.exists():
        _fetch(jar, path)
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != jar.sha256:
        path.unlink()
        raise WrongContentError(
            f"{jar.coordinate} has sha256 {found}, but {LOCK.name} pins {jar.sha256}: "
            "refused and removed; if the version was changed on purpose, run "
            "`python -m console.stack.relock` and review what changed"
        )
    return path


def _fetch(jar: LockedJar, path: Path) -> None:
    try:
        # Inside: jgo costs 0.3 s to import, and a filled cache does not need it.
        import requests
        from jgo.config import GlobalSettings
        from jgo.maven import MavenContext
    except ImportError as missing:
        raise StackUnavailableError(
            f"Kafka's jars need the package {missing.name}: install the console extra"
        ) from missing
    # jgo's own settings file may name a mirror; none of ours does.
    repositories = {"central": _central(), **GlobalSettings.load().repositories}
    # A folder of its own, so that two processes can fill one cache.
    with tempfile.TemporaryDirectory(prefix=".fetch-", dir=path.parent) as fetching:
        maven = MavenContext(repo_cache=Path(fetching), remote_repos=repositories, timeout=_FETCH_TIMEOUT_S)
        artifact = maven.project(jar.group, jar.artifact).at_version(jar.version).artifact(jar.classifier)
        try:
            fetched = artifact.resolve()
        except (requests.RequestException, RuntimeError) as failure:
            raise StackUnavailableError(
                f"cannot fetch {jar.coordinate}: {type(failure).__name__}; the network or the "
                "repository is not reachable"
            ) from failure
        # Whole or not at all: a reader of the cache never sees half a jar.
        os.replace(fetched, path)


def _central() -> str:
    from jgo.constants import MAVEN_CENTRAL_URL

    return MAVEN_CENTRAL_URL
