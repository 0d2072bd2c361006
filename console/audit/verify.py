"""Offline verification of an exported audit chain, in one pass over the file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from console.audit.check import Check
from console.audit.suspects import settle
from console.audit.verdict import Verdict
from services.contracts.audit.chain import SignedTreeHead
from services.contracts.audit.lines import MAX_LINE_BYTES, decode_line
from services.contracts.errors import Misconfigured, Undecodable
from services.runtime.keys.ed25519 import verify as ed25519

_CHUNK_BYTES = 1024 * 1024


def verify(file: Path, root_fingerprint: str, head: SignedTreeHead | None = None) -> Verdict:
    """Whether `file` is a whole chain under the root of that fingerprint, up to `head` if one is given.

    Reads the file once, without keeping it; OSError where it cannot be read.
    """
    with file.open("rb") as opened:
        return verify_lines(_lines(opened), root_fingerprint, head)


def verify_lines(lines: Iterable[bytes], root_fingerprint: str, head: SignedTreeHead | None = None) -> Verdict:
    """`verify` over lines, each with its newline."""
    check = Check(root_fingerprint, ed25519, head)
    rest = iter(lines)
    for raw in rest:
        suspect = check.take(raw)
        if suspect is not None:
            return check.end(settle(suspect, rest))
    return check.end(None)


def read_head(file: Path) -> SignedTreeHead:
    """The head in the last line of `file`: a report's, or a sink's newest. Raises Misconfigured, OSError."""
    last = b""
    with file.open("rb") as opened:
        for raw in _lines(opened):
            last = raw
    try:
        line = decode_line(last if last.endswith(b"\n") else last + b"\n")
    except Undecodable as error:
        raise Misconfigured(f"{file}: its last line is not a signed head of an audit chain") from error
    if not isinstance(line, SignedTreeHead):
        raise Misconfigured(f"{file}: its last line is of an audit file, but not a signed head")
    return line


def _lines(opened: BinaryIO) -> Iterator[bytes]:
    """Lines of bounded length: of one that is too long its beginning, which decodes to nothing."""
    while raw := opened.readline(MAX_LINE_BYTES):
        if len(raw) < MAX_LINE_BYTES or raw.endswith(b"\n"):
            yield raw
        else:
            _skip_line(opened)
            yield raw[:-1] + b"\n"


def _skip_line(opened: BinaryIO) -> None:
    while chunk := opened.readline(_CHUNK_BYTES):
        if chunk.endswith(b"\n"):
            return
