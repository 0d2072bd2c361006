"""A draft's files: the draft itself, what it names, the facts of its list, how its cameras are read."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml

from console.authority.draft import Draft, SealedFacts, parse, parse_sealed
from console.edges.private_file import write_private, write_whole
from services.contracts.authorisation.findings import Finding, NotAuthorised
from services.contracts.authorisation.registry import Registry, in_force, open_registry
from services.contracts.cameras_file import parse_cameras
from services.contracts.errors import Misconfigured


class _Spelt(yaml.SafeDumper):
    """Spells a value out wherever it stands: people edit a draft, and an alias would change two fields for one."""

    def ignore_aliases(self, data: object) -> bool:
        return True


def facts_path(draft: Path) -> Path:
    """Where `watchlist seal` writes what it settled: try.yaml has try.list.yaml beside it."""
    return draft.with_suffix(".list.yaml")


def cameras_path(draft: Path) -> Path:
    """Where the addresses are: try.yaml has try.cameras.yaml beside it."""
    return draft.with_suffix(".cameras.yaml")


def papers_path(draft: Path) -> Path:
    return draft.with_suffix(".papers")


def read_draft(path: Path) -> Draft:
    """The draft; files it names lie beside it. Raises Misconfigured or NotAuthorised."""

    def digest_of(name: str) -> str:
        return hashlib.sha256((path.parent / name).read_bytes()).hexdigest()

    return parse(read_text(path), digest_of=digest_of)


def read_facts(path: Path) -> SealedFacts:
    """What a list's sealing settled. Raises Misconfigured or NotAuthorised."""
    if not path.exists():
        raise Misconfigured(f"{path} is not there; `signpost watchlist seal` writes it beside the sealed list")
    return parse_sealed(read_text(path))


def write_facts(path: Path, facts: SealedFacts) -> None:
    write_whole(path, yaml.safe_dump(facts.model_dump(mode="json"), sort_keys=False))


def write_first(path: Path, fields: Mapping[str, Any], papers: Mapping[str, str]) -> None:
    """A draft and its papers; papers that are there stay."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.dump(dict(fields), Dumper=_Spelt, sort_keys=False))
    folder = papers_path(path)
    folder.mkdir(exist_ok=True)
    for name, text in papers.items():
        if not (folder / name).exists():
            (folder / name).write_text(text)


def write_first_whole(
    path: Path, fields: Mapping[str, Any], papers: Mapping[str, str], cameras: list[dict[str, Any]]
) -> None:
    """A draft, its papers and its cameras, if it keeps every rule and ingest will read them; else nothing.

    Raises Misconfigured or NotAuthorised.
    """
    for one in (path, cameras_path(path)):
        if one.exists():
            raise Misconfigured(f"{one}: is there already")
    folder = papers_path(path)

    def digest_of(name: str) -> str:
        found = path.parent / name
        content = found.read_bytes() if found.exists() else papers[Path(name).name].encode()
        return hashlib.sha256(content).hexdigest()

    draft = parse(yaml.dump(dict(fields), Dumper=_Spelt, sort_keys=False), digest_of=digest_of)
    text = yaml.safe_dump({"cameras": cameras}, sort_keys=False)
    wrong = draft.broken() or draft.unlike(parse_cameras(text, origin="the cameras as they were given"))
    if wrong:
        raise NotAuthorised("rules", wrong)
    made = [one for one in (cameras_path(path), path, *(folder / name for name in papers)) if not one.exists()]
    try:
        write_first(path, fields, papers)
        write_cameras(cameras_path(path), cameras)
    except OSError as error:
        for one in made:
            one.unlink(missing_ok=True)
        raise Misconfigured(f"{path}: cannot be written ({type(error).__name__})") from None


def unlike(draft: Draft, path: Path) -> tuple[Finding, ...]:
    """In what the file of cameras beside a draft, if it is there, differs from the draft. Raises Misconfigured."""
    cameras = cameras_path(path)
    if not cameras.exists():
        return ()
    return draft.unlike(parse_cameras(read_text(cameras), origin=str(cameras)))


def write_cameras(path: Path, cameras: list[dict[str, Any]]) -> None:
    """How each camera is read; an address may carry a password, so nobody else may read the file."""
    write_private(path, yaml.safe_dump({"cameras": cameras}, sort_keys=False))


def read_text(path: Path) -> str:
    """Raises Misconfigured naming the file."""
    try:
        return path.read_text("utf-8")
    except UnicodeDecodeError:
        raise Misconfigured(f"{path}: is no text in UTF-8: save it as UTF-8") from None
    except OSError as error:
        raise Misconfigured(f"{path}: cannot be read ({type(error).__name__})") from None


def read_bytes(path: Path) -> bytes:
    """Raises Misconfigured naming the file."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise Misconfigured(f"{path}: cannot be read ({type(error).__name__})") from None


def read_registry(path: Path, root: str, now: datetime) -> Registry:
    """The registry that the root with this fingerprint signed, in force. Raises Misconfigured, NotAuthorised."""
    found = open_registry(read_text(path).strip(), root_fingerprint=root)
    wrong = in_force(found, root_fingerprint=root, now=now)
    if wrong:
        raise Misconfigured("; ".join(str(one) for one in wrong))
    return found
