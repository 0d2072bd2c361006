"""Fetch the models and pictures of assets.toml: `python scripts/fetch_assets.py [models|pictures|dlib ...]`.

Without a group: models and pictures. Only the standard library and pip are needed. A file that is
there and right is left alone; a file that is not what the table pins is refused.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import subprocess
import sys
import tarfile
import tempfile
import tomllib
import zipfile
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[1]
TABLE = Path(__file__).with_name("assets.toml")
CACHE = _ROOT / ".cache" / "assets"
DEFAULT_GROUPS = ("models", "pictures")
# dlib's network is a model like the others; it is a group of its own because it is a 100 MB download.
_FOLDER = {"models": "models", "dlib": "models", "pictures": "pictures"}
# The largest distribution is 100 MB.
_DOWNLOAD_WITHIN_S = 900


class AssetError(Exception):
    """A file could not be had, or is not the pinned one; the text is for the person at the keyboard."""


@dataclass(frozen=True)
class Asset:
    """One file inside a distribution, and the only content it may have."""

    group: str
    name: str
    member: str
    sha256: str
    bytes: int
    licence: str
    source: str

    def path(self, cache: Path) -> Path:
        """Where the file belongs."""
        return cache / _FOLDER[self.group] / self.name


@dataclass(frozen=True)
class Distribution:
    """One archive of the package index and the assets in it; `platform` only if its wheels differ."""

    name: str
    version: str
    kind: str  # "wheel" or "sdist"
    sha256: str
    assets: tuple[Asset, ...]
    platform: str = ""
    python: str = ""


Download = Callable[[Distribution, Path], Path]


def read_table(path: Path = TABLE) -> tuple[Distribution, ...]:
    """Return the table; raises TypeError or KeyError for a column that is not known or missing."""
    rows = tomllib.loads(path.read_text())["distribution"]
    return tuple(_distribution(**row) for row in rows)


def _distribution(*, asset: list[dict[str, str | int]], **row: str) -> Distribution:
    return Distribution(**row, assets=tuple(Asset(**each) for each in asset))  # type: ignore[arg-type]


def fetch(
    table: Iterable[Distribution], groups: Collection[str], cache: Path, download: Download
) -> Iterable[tuple[Asset, str]]:
    """Yield each asset of the groups with "present" or "fetched", once its file is there and right.

    A distribution is downloaded only if one of its assets is missing. Raises AssetError.
    """
    for distribution in table:
        wanted = [asset for asset in distribution.assets if asset.group in groups]
        missing = [asset for asset in wanted if not _is_right(asset, cache)]
        if missing:
            with tempfile.TemporaryDirectory() as folder:
                archive = download(distribution, Path(folder))
                for asset in missing:
                    _extract(archive, asset, asset.path(cache))
        for asset in wanted:
            yield asset, "fetched" if asset in missing else "present"


def _is_right(asset: Asset, cache: Path) -> bool:
    path = asset.path(cache)
    if not path.exists():
        return False
    _check(asset, path.read_bytes(), where=str(path), then="delete it and run this again")
    return True


def _extract(archive: Path, asset: Asset, path: Path) -> None:
    content = _member(archive, asset.member)
    _check(asset, content, where=f"{asset.member} in {archive.name}", then="it was not written")
    path.parent.mkdir(parents=True, exist_ok=True)
    # Whole or not at all: a reader never sees half a model.
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    partial.write_bytes(content)
    partial.replace(path)


def _member(archive: Path, member: str) -> bytes:
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel:
            if member in wheel.namelist():
                return wheel.read(member)
    else:
        with tarfile.open(archive) as sdist:
            if member in sdist.getnames():
                found = sdist.extractfile(member)
                if found is not None:
                    return found.read()
    raise AssetError(f"{archive.name} holds no file {member}")


def _check(asset: Asset, content: bytes, *, where: str, then: str) -> None:
    found = hashlib.sha256(content).hexdigest()
    if found != asset.sha256:
        raise AssetError(f"refused {where}: sha256 {found}, but assets.toml pins {asset.sha256}; {then}")


def download_with_pip(distribution: Distribution, folder: Path) -> Path:
    """Download one archive into `folder` and return its path; pip checks its sha256 first."""
    pinned = f"{distribution.name}=={distribution.version} --hash=sha256:{distribution.sha256}\n"
    requirements = folder / "requirements.txt"
    requirements.write_text(pinned)
    into = folder / "archive"
    # fmt: off
    argv = [
        sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check",
        "--no-deps", "--require-hashes", "--requirement", str(requirements), "--dest", str(into),
        "--only-binary" if distribution.kind == "wheel" else "--no-binary", ":all:",
    ]
    # fmt: on
    if distribution.platform:
        argv += ["--platform", distribution.platform, "--python-version", distribution.python]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=_DOWNLOAD_WITHIN_S, check=False)
    if done.returncode != 0:
        raise AssetError(f"pip could not download {distribution.name} {distribution.version}:\n{done.stderr}")
    return next(into.iterdir())


def main() -> None:
    """Fetch the groups named on the command line, one printed line an asset; exit 1 on a refusal."""
    parser = argparse.ArgumentParser(description="Fetch pinned models and pictures.")
    parser.add_argument("group", nargs="*", help=f"of {', '.join(_FOLDER)}; default: models pictures")
    groups = parser.parse_args().group or DEFAULT_GROUPS
    if unknown := sorted(set(groups) - set(_FOLDER)):
        parser.error(f"no group {unknown[0]!r}: there are {', '.join(_FOLDER)}")
    try:
        for asset, how in fetch(read_table(), groups, CACHE, download_with_pip):
            shown = asset.path(CACHE).relative_to(_ROOT)
            print(f"{how}  {shown}  {asset.bytes:,} bytes  {asset.licence}")
    except AssetError as refusal:
        sys.exit(str(refusal))


if __name__ == "__main__":
    main()
