"""RTSP as it stands on a connection: messages, and between them the stream's packets (RFC 2326, RFC 7826)."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

# A head or a description larger than this is no camera's.
_MAX_HEAD_BYTES = 64 * 1024
_MAX_BODY_BYTES = 1024 * 1024
_PACKET_HEAD_BYTES = 4
_DOLLAR = ord("$")
_END_OF_HEAD = re.compile(rb"\r?\n\r?\n")
_ANSWER = b"RTSP/"
_BEGINNING = re.compile(rb"[$A-Z]")


class NotRtsp(Exception):
    """The bytes are no RTSP."""


@dataclass(frozen=True)
class Message:
    """A request or an answer: its first line, its headers in order, what follows them."""

    first: str
    headers: tuple[tuple[str, str], ...]
    body: bytes = b""

    @property
    def status(self) -> int | None:
        """Of an answer; None for a request."""
        words = self.first.split(maxsplit=2)
        if not self.first.startswith("RTSP/"):
            return None
        if len(words) < 2 or not re.fullmatch(r"[1-9][0-9]{2}", words[1]):
            raise NotRtsp
        return int(words[1])

    @property
    def asked(self) -> tuple[str, str]:
        """Method and address of a request. Cameras give addresses with blanks in them, and know them so."""
        method, _, rest = self.first.partition(" ")
        address, _, version = rest.rpartition(" ")
        if not (method and address.strip() and version.startswith("RTSP/")):
            raise NotRtsp
        return method, address

    def all(self, name: str) -> list[str]:
        return [value for known, value in self.headers if known.lower() == name.lower()]

    def get(self, name: str) -> str | None:
        return next(iter(self.all(name)), None)

    def without(self, name: str) -> Message:
        return replace(self, headers=tuple(one for one in self.headers if one[0].lower() != name.lower()))

    def with_header(self, name: str, value: str) -> Message:
        """The header in the place of any of that name."""
        return replace(self, headers=(*self.without(name).headers, (name, value)))

    def to_bytes(self) -> bytes:
        lines = [self.first, *(f"{name}: {value}" for name, value in self.headers)]
        return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + self.body


@dataclass(frozen=True)
class Packet:
    """A packet of the stream, or of its reports, on its channel; `raw` has its head."""

    channel: int
    raw: bytes

    @property
    def content(self) -> bytes:
        return self.raw[_PACKET_HEAD_BYTES:]


def packet(channel: int, content: bytes) -> bytes:
    """A packet as it stands between messages."""
    return bytes((_DOLLAR, channel)) + len(content).to_bytes(2, "big") + content


class Splitter:
    """Puts messages and packets together from pieces as they come; owned by the thread that feeds it.

    Between two of them it passes over so many bytes in a row that begin neither: some cameras leave their own.
    """

    def __init__(self, *, pass_over_bytes: int = 0) -> None:
        self._held = bytearray()
        self._pass_over_bytes = pass_over_bytes
        self._passed_over = 0

    @property
    def strange(self) -> bool:
        """Whether what has come since the last whole thing begins no answer."""
        return self._passed_over > 0 or not _ANSWER.startswith(bytes(self._held[: len(_ANSWER)]))

    def feed(self, piece: bytes) -> list[Message | Packet]:
        """What was completed by `piece`, in order. Raises NotRtsp."""
        self._held += piece
        found: list[Message | Packet] = []
        at = 0
        while (one := self._one(at)) is not None:
            thing, at = one
            if thing is not None:
                found.append(thing)
                self._passed_over = 0
        del self._held[:at]
        return found

    def _one(self, at: int) -> tuple[Message | Packet | None, int] | None:
        """The thing that begins at `at` and where it ends; None if it is not complete."""
        left = len(self._held) - at
        if left == 0:
            return None
        if self._held[at] == _DOLLAR:
            if left < _PACKET_HEAD_BYTES:
                return None
            end = at + _PACKET_HEAD_BYTES + int.from_bytes(self._held[at + 2 : at + 4], "big")
            return (Packet(self._held[at + 1], bytes(self._held[at:end])), end) if end <= len(self._held) else None
        if not 0x41 <= self._held[at] <= 0x5A:  # every message begins with a capital letter
            return None, self._past_strange(at)
        return self._message(at)

    def _past_strange(self, at: int) -> int:
        beginning = _BEGINNING.search(self._held, at)
        past = len(self._held) if beginning is None else beginning.start()
        if self._held[at:past].strip(b"\r\n"):  # blank lines between messages are none
            self._passed_over += past - at
        if self._passed_over > self._pass_over_bytes:
            raise NotRtsp
        return past

    def _message(self, at: int) -> tuple[Message, int] | None:
        end = _END_OF_HEAD.search(self._held, at, at + _MAX_HEAD_BYTES)
        if end is None:
            if len(self._held) - at >= _MAX_HEAD_BYTES:
                raise NotRtsp
            return None
        message = _parsed(bytes(self._held[at : end.start()]))
        length = message.get("Content-Length") or "0"
        if not re.fullmatch(r"[0-9]{1,8}", length) or int(length) > _MAX_BODY_BYTES:
            raise NotRtsp
        whole = end.end() + int(length)
        if whole > len(self._held):
            return None
        return replace(message, body=bytes(self._held[end.end() : whole])), whole


def _parsed(head: bytes) -> Message:
    first, *lines = re.split(r"\r?\n", head.decode("latin-1"))
    headers: list[tuple[str, str]] = []
    for line in lines:
        if line[:1] in (" ", "\t") and headers:  # the header above goes on
            headers[-1] = (headers[-1][0], f"{headers[-1][1]} {line.strip()}")
            continue
        name, colon, value = line.partition(":")
        if colon:  # some cameras write their own name without one
            headers.append((name.strip(), value.strip()))
    if "RTSP/" not in first or "\r" in "".join((first, *lines)):
        raise NotRtsp
    return Message(first, tuple(headers))
