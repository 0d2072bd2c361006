"""Files that people hand about: sealed lists, audit files, what is signed, and what is written by hand."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

import yaml

from console.audit.verify import read_head, verify
from console.authority import draft
from console.watchlist import folder
from services.contracts.authorisation import approvals
from services.contracts.authorisation.findings import NotAuthorised
from services.contracts.authorisation.registry import open_registry, sign_registry
from services.contracts.authorisation.signing import BadSignature
from services.contracts.authorisation.statements import NotBelieved, StateChanged, open_as
from services.contracts.cameras_file import parse_cameras
from services.contracts.errors import Misconfigured, Permanent
from services.contracts.sealed.bundle.read import open_bundle
from services.contracts.sealed.faults import Refused
from services.review.edges.people_file import PeopleFile
from tests.builders import NOON
from tests.fuzz.surface import Surface
from tests.unit.console.audit import files as audit_files
from tests.unit.console.authority import drafts
from tests.unit.console.watchlist.toy import a_card
from tests.unit.contracts.audit.builders import root_fingerprint
from tests.unit.contracts.authorisation import builders as signed
from tests.unit.contracts.sealed.lists_builder import REGISTRY, SEALING, a_bundle, a_draft
from tests.unit.review.test_people_file import GOOD as GOOD_PEOPLE

_YAML = (
    b"&a [*a]",
    b"*b",
    b"? [1]",
    b"!!binary x",
    b"<<: {}",
    b"- - -",
    b"{a: {b: {c: 1}}}",
    b"\t",
    b": ",
    b"~",
    b".nan",
)
_JSON = (b'{"a":1}', b"[[[[", b"1E400", b'"\\ud800"', b"NaN", b'"id":"oxford-street-1"')


class OnDisk:
    """A file of one name in a folder of its own."""

    def __init__(self, name: str, read: Callable[[Path], bool], good: bytes) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="signpost-fuzz-"))
        self._path = self._folder / name
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._read = read
        self._good = good

    def take(self, raw: bytes) -> None:
        self._path.write_bytes(raw)
        self._read(self._path)

    def goes_on(self) -> bool:
        self._path.write_bytes(self._good)
        return self._read(self._path)

    def close(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)


class InMemory:
    """What is read out of bytes alone."""

    def __init__(self, read: Callable[[bytes], bool], good: bytes) -> None:
        self._read = read
        self._good = good

    def take(self, raw: bytes) -> None:
        self._read(raw)

    def goes_on(self) -> bool:
        return self._read(self._good)

    def close(self) -> None:
        """Nothing is held."""


def _bundle(raw: bytes) -> bool:
    """A sealed list as match and review read it: its front, then its parts."""
    contents = open_bundle(raw, registry=REGISTRY, now=NOON).contents
    contents.check()
    manifest = contents.manifest(SEALING)
    return len(contents.templates(manifest, SEALING)) == len(manifest.entries) > 0


@cache
def _a_bundle() -> bytes:
    return a_bundle(a_draft())


def _audit(path: Path) -> bool:
    verdict = verify(path, root_fingerprint())
    list(verdict.lines())
    try:
        read_head(path)
    except Misconfigured:
        return verdict.fault is None
    return verdict.fault is None


def _document(raw: bytes) -> bool:
    """What a service does with a document on the topic: its canonical bytes under its approvals."""
    document = signed.a_document()
    found = approvals.verify(
        raw, signed.approvals(document), signed.a_registry(), root_fingerprint=signed.ROOT.kid, now=signed.NOON
    )
    return found.document == document


def _approval(raw: bytes) -> bool:
    """A token among a document's approvals."""
    document = signed.a_document()
    tokens = (*signed.approvals(document), raw.decode("utf-8", "replace"))
    found = approvals.verify(
        document.canonical_bytes(), tokens, signed.a_registry(), root_fingerprint=signed.ROOT.kid, now=signed.NOON
    )
    return found.document == document


def _registry(raw: bytes) -> bool:
    return bool(open_registry(raw.decode("utf-8", "replace"), root_fingerprint=signed.ROOT.kid).keys)


def _statement(raw: bytes) -> bool:
    opened = open_as(StateChanged, raw.decode("utf-8", "replace"), registry=signed.a_registry(), now=signed.NOON)
    return opened.statement.deployment == "oxford-street-1"


def _order() -> bytes:
    return signed.changes_to_active(signed.a_document())[0].token.encode()


def _draft(raw: bytes) -> bool:
    """What an author writes by hand."""
    found = draft.parse(raw.decode("utf-8", "replace"), digest_of=lambda name: "0" * 64)
    found.broken()
    return bool(found.deployment)


def _cameras(raw: bytes) -> bool:
    return bool(parse_cameras(raw.decode("utf-8", "replace"), origin="cameras.yaml"))


CAMERAS = b"cameras:\n  - {id: gate-1, source: rtsp, address: 'rtsp://10.0.0.1/live', rate_fps: 5}\n"


def _people(path: Path) -> bool:
    return PeopleFile(path).find("ann") is not None


def _card(path: Path) -> bool:
    (path.parent / "1.jpg").touch()
    return bool(folder.read(path.parent.parent))


@cache
def _a_card() -> bytes:
    return yaml.safe_dump(a_card("anna", ["1.jpg"])).encode()


def on_disk(name: str, read: Callable[[Path], bool], good: Callable[[], bytes]) -> Callable[[], OnDisk]:
    return lambda: OnDisk(name, read, good())


def in_memory(read: Callable[[bytes], bool], good: Callable[[], bytes]) -> Callable[[], InMemory]:
    return lambda: InMemory(read, good())


def _surface(
    name: str,
    make: Callable[[], InMemory | OnDisk],
    declared: tuple[type[Exception], ...],
    good: Callable[[], bytes],
    words: Sequence[bytes] = (),
) -> Surface:
    return Surface(name, make, declared, lambda: (good(),), tuple, words)


def _audit_file() -> bytes:
    return b"".join(audit_files.GOOD)


def _a_document() -> bytes:
    return signed.a_document().canonical_bytes()


def _a_registry() -> bytes:
    return sign_registry(signed.a_registry(), signed.ROOT).encode()


def _an_approval() -> bytes:
    return signed.approvals(signed.a_document())[0].encode()


def _a_draft() -> bytes:
    return drafts.written().encode()


def _good_people() -> bytes:
    return GOOD_PEOPLE.encode()


def _good_cameras() -> bytes:
    return CAMERAS


_NOT_SIGNED = (NotAuthorised, NotBelieved, BadSignature)

SURFACES: Sequence[Surface] = (
    _surface("bundle", in_memory(_bundle, _a_bundle), (Permanent, Refused), _a_bundle),
    _surface("audit file", on_disk("chain.jsonl", _audit, _audit_file), (), _audit_file, _JSON),
    _surface("document", in_memory(_document, _a_document), _NOT_SIGNED, _a_document, _JSON),
    _surface("approval", in_memory(_approval, _an_approval), _NOT_SIGNED, _an_approval, _JSON),
    _surface("registry", in_memory(_registry, _a_registry), _NOT_SIGNED, _a_registry, _JSON),
    _surface("order", in_memory(_statement, _order), _NOT_SIGNED, _order, _JSON),
    _surface("authority draft", in_memory(_draft, _a_draft), (Misconfigured, NotAuthorised), _a_draft, _YAML),
    _surface("cameras file", in_memory(_cameras, _good_cameras), (Misconfigured,), _good_cameras, _YAML),
    _surface("people file", on_disk("people.yaml", _people, _good_people), (Misconfigured,), _good_people, _YAML),
    _surface("watchlist card", on_disk("anna/subject.yaml", _card, _a_card), (Misconfigured,), _a_card, _YAML),
)
