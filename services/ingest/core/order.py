"""What a camera's two processes are told: the one that decodes it, the one that connects to it.

Orders travel by pipe: an address may carry a password.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from enum import StrEnum


class Kind(StrEnum):
    """The kinds of source, named as in the authority (which a reader process does not load)."""

    RTSP = "rtsp"
    FILE = "file"
    FOLDER = "folder"


@dataclass(frozen=True, kw_only=True)
class ReadOrder:
    """One source, how to read it and its limits. `parent` is the process whose death must be the reader's.

    `held` is the descriptor at which a file or the way to a camera is open: a confined reader opens nothing.
    """

    parent: int
    source: Kind
    address: str = field(repr=False)
    transport: str
    rate_fps: float
    max_side_px: int
    jpeg_quality: int
    loop: bool
    start_s: float
    real_time: bool
    timeout_s: float
    max_source_px: int
    held: int | None = None
    rotate: int = 0

    @property
    def quarters(self) -> int:
        """By how many quarters clockwise its pictures are turned, after what the source itself says."""
        return self.rotate // 90

    def to_line(self) -> bytes:
        """One line of JSON."""
        return json.dumps(asdict(self)).encode() + b"\n"


def from_line(line: bytes) -> ReadOrder:
    """The order `to_line` wrote. Any exception means that its writer has a bug."""
    fields = json.loads(line)
    return ReadOrder(**{**fields, "source": Kind(fields["source"])})


@dataclass(frozen=True, kw_only=True)
class LinkOrder:
    """One camera on the network: where it is, what it must show, and the descriptor its stream goes to."""

    parent: int
    address: str = field(repr=False)
    certificate_sha256: str | None
    udp: bool
    timeout_s: float
    decoder: int

    def to_line(self) -> bytes:
        """One line of JSON."""
        return json.dumps(asdict(self)).encode() + b"\n"


def link_from_line(line: bytes) -> LinkOrder:
    """The order `to_line` wrote. Any exception means that its writer has a bug."""
    return LinkOrder(**json.loads(line))
