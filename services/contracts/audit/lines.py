r"""The export file: one JSON object a line, so that a torn or altered line spoils itself and no other.

Lines end in \n; a complete file ends in one. The first is the header, the second the organisation's registry of
keys, a JWS of its root; then entries and heads of ONE chain in the order they were recorded.
JSON lines and not frames of protobuf: after any damage a reader stands on firm ground at the next line, and who
checks the chain without our code needs JSON, SHA-256 and Ed25519; protobuf only to look into a request.

A line has exactly one spelling (keys sorted, no spaces, ASCII, hashes in hex, requests in base64): a reader writes
again what it read and compares, so no byte of a line can change unseen.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from services.contracts import codec_audit
from services.contracts.audit.chain import Audited, SignedTreeHead, TreeHead
from services.contracts.audit.registry import SignedKeys
from services.contracts.codec_fields import from_micros, micros
from services.contracts.errors import Undecodable
from services.contracts.events import require

FORMAT = "signpost-audit-2"
# Its entries had no signature of the sequencer's.
_UNSIGNED = "signpost-audit-1"
# A request is at most 64 KiB on its topic; a registry of some thousand keys is the longest line there is.
MAX_LINE_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True)
class Header:
    """What kind of file it is."""


Line = Header | SignedKeys | Audited | SignedTreeHead


def encode_line(line: Line) -> bytes:
    r"""The line with its \n."""
    return json.dumps(_fields(line), sort_keys=True, separators=(",", ":")).encode("ascii") + b"\n"


def decode_line(raw: bytes) -> Line:
    r"""The value of a line with its \n, signatures unchecked. Raises Undecodable for any other spelling."""
    try:
        line = _line(json.loads(raw.decode("ascii")))
    # RecursionError: a line of nothing but brackets. OverflowError: a number that no field takes.
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise Undecodable("not a line of an audit file") from error
    if encode_line(line) != raw:
        raise Undecodable("a line of an audit file is spelled as no writer spells it")
    return line


def _fields(line: Line) -> dict[str, Any]:
    match line:
        case Header():
            return {"format": FORMAT}
        case SignedKeys():
            return {"registry": line.token}
        case Audited():
            return {"entry": _entry_fields(line)}
        case SignedTreeHead():
            return {"head": _head_fields(line)}


def _line(found: Mapping[str, Any]) -> Line:
    match sorted(found):
        case ["format"]:
            if found["format"] == _UNSIGNED:
                raise Undecodable(f"a file of {_UNSIGNED}: no sequencer signed its entries, so they prove nothing")
            require(found["format"] == FORMAT, "the format is known")
            return Header()
        case ["registry"]:
            return SignedKeys(str(found["registry"]))
        case ["entry"]:
            return _entry(found["entry"])
        case ["head"]:
            return _head(found["head"])
    raise Undecodable("a line of an audit file is of no known kind")


def _entry_fields(entry: Audited) -> dict[str, Any]:
    return {
        "chain": entry.chain,
        "number": entry.number,
        "previous": entry.previous.hex(),
        "id": entry.request.content.id,
        "request_sha256": entry.request.sha256.hex(),
        "request": base64.b64encode(entry.request.raw).decode(),
        "term": entry.term.hex(),
        "key": entry.key,
        "signature": entry.signature.hex(),
    }


def _entry(found: Mapping[str, Any]) -> Audited:
    """Chain, id and hash follow from the request; that the line says the same shows when it is written again."""
    request = codec_audit.read_request(base64.b64decode(found["request"], validate=True))
    return Audited(
        number=_whole(found["number"]),
        previous=bytes.fromhex(found["previous"]),
        request=request,
        term=bytes.fromhex(found["term"]),
        key=str(found["key"]),
        signature=bytes.fromhex(found["signature"]),
    )


def _head_fields(signed: SignedTreeHead) -> dict[str, Any]:
    head = signed.head
    return {
        "chain": head.chain,
        "size": head.size,
        "root": head.root.hex(),
        "last": head.last.hex(),
        "at_us": micros(head.at),
        "key": signed.key,
        "signature": signed.signature.hex(),
    }


def _head(found: Mapping[str, Any]) -> SignedTreeHead:
    head = TreeHead(
        chain=found["chain"],
        size=_whole(found["size"]),
        root=bytes.fromhex(found["root"]),
        last=bytes.fromhex(found["last"]),
        at=from_micros(found["at_us"]),
    )
    return SignedTreeHead(head, str(found["key"]), bytes.fromhex(found["signature"]))


def _whole(value: object) -> int:
    """JSON also knows 5.0 and true, which Python takes for numbers until they are hashed."""
    if type(value) is not int:
        raise TypeError("a number is whole")
    return value
