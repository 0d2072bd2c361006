"""A network camera's address: the one reading of it, for who drafts an authority, who checks it and who connects.

    address = rtsp[s]://[user[:password]@]place[/path][?query]
    place   = name | IPv4 | [IPv6] | [IPv6%zone], with `:port` behind it if it is not the scheme's own

What two readers might take for two cameras is refused, with a text that says what to write instead and never shows
a part of the address: a password may stand in any of them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from urllib.parse import quote, unquote_to_bytes

RTSP_PORT = 554  # RFC 7826; what every camera listens on unless it is told otherwise
RTSPS_PORT = 322
_MAX_ADDRESS = 2048
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\Z")
_ZONE = re.compile(r"[A-Za-z0-9._~-]{1,32}\Z")
# A name that ends in a number is read as an IPv4 address by some, in one of its older spellings.
_NUMBER = re.compile(r"(?:[0-9]+|0[xX][0-9a-fA-F]*)\Z")
_PORT = re.compile(r"[1-9][0-9]{0,4}\Z")
_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_RAW = "a blank, a backslash or one of / ? # [ ] is written %20, %5C, %2F, %3F, %23, %5B, %5D there"


class BadAddress(ValueError):
    """No address of a camera; the text says what is wrong and what to write, and shows no part of it."""


@dataclass(frozen=True)
class Place:
    """Where a camera is on the network. `host` is a name, an IPv4 or an IPv6 address, in its one spelling."""

    host: str
    port: int | None = None

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port is None else f"{host}:{self.port}"

    def on(self, port: int) -> Place:
        """With its port spelt out: `port` if it names none."""
        return self if self.port is not None else Place(self.host, port)


@dataclass(frozen=True)
class CameraAddress:
    """An address taken apart. `target` is path and query as they are sent."""

    tls: bool
    place: Place
    target: str = field(repr=False)
    user: str | None = field(repr=False, default=None)
    password: str | None = field(repr=False, default=None)

    @property
    def port(self) -> int:
        return self.place.port or self._own_port

    def is_at(self, place: Place) -> bool:
        """Whether `place`, as the authority names it, is where this address leads."""
        return self.place.on(self._own_port) == place.on(self._own_port)

    def url(self) -> str:
        """What a request names: without user and password."""
        bare = Place(self.place.host.partition("%")[0], self.port)  # a zone is the reader's own (RFC 6874)
        return f"{'rtsps' if self.tls else 'rtsp'}://{bare}{self.target}"

    @property
    def _own_port(self) -> int:
        return RTSPS_PORT if self.tls else RTSP_PORT


def parse_address(text: str) -> CameraAddress:
    """The address of a network camera. Raises BadAddress."""
    text = text.strip()
    scheme, found, rest = text.partition("://")
    if not found or not scheme.strip():
        raise BadAddress("must be rtsp://host/... or rtsps://host/...")
    tls = _tls(scheme.lower())
    if len(text) > _MAX_ADDRESS:
        raise BadAddress(f"is longer than {_MAX_ADDRESS} characters")
    authority, target = _split(rest)
    userinfo, _, place = authority.rpartition("@")
    user, password = _login(userinfo) if "@" in authority else (None, None)
    return CameraAddress(tls, parse_place(place), _target(target), user, password)


def parse_place(text: str) -> Place:
    """A camera's host as the authority names it, with its port if one is given. Raises BadAddress."""
    if text.startswith("["):
        inner, closed, port = text[1:].partition("]")
        if not closed or (port and not port.startswith(":")):
            raise BadAddress("an IPv6 host is written in brackets, its port behind them: [2001:db8::21]:554")
        return Place(_host_v6(inner), _port(port[1:]))
    host, colon, port = text.partition(":")
    if ":" in port:
        raise BadAddress("an IPv6 host is written in brackets: [2001:db8::21], [2001:db8::21]:554")
    return Place(_host(host), _port(port) if colon else None)


def _tls(scheme: str) -> bool:
    if scheme in ("rtsp", "rtsps"):
        return scheme == "rtsps"
    if scheme in ("rtspu", "rtspt", "rtsph"):
        raise BadAddress("must be rtsp://host/...; how it is carried is said by `transport: tcp` or `udp`")
    raise BadAddress(
        "must be rtsp://host/... or rtsps://host/...: cameras are read over RTSP only; the camera's manual or "
        "its ONVIF page names its RTSP address"
    )


def _split(rest: str) -> tuple[str, str]:
    """Authority, and the path and query behind it."""
    end = next((at for at, sign in enumerate(rest) if sign in "/?#"), len(rest))
    authority, target = rest[:end], rest[end:]
    # A raw / ? # in a password ends the authority for one reader and not for another. Only where the host is a
    # number beyond doubt is an @ behind it the path's own.
    if "@" in target and not _is_number(authority.rpartition("@")[2]):
        raise BadAddress(f"has an @ behind its host: if user or password go on there, {_RAW}; in a path @ is %40")
    if "#" in target:
        raise BadAddress("has a #, which ends an address: write %23 for it")
    return authority, target


def _is_number(place: str) -> bool:
    try:
        found = parse_place(place)
    except BadAddress:
        return False
    return ":" in found.host or found.host.rpartition(".")[2].isdigit()


def _login(userinfo: str) -> tuple[str, str | None]:
    if any(sign in r"\[] " or not sign.isprintable() for sign in userinfo):
        raise BadAddress(f"has a sign in its user or password that must be a code: {_RAW}")
    if _PERCENT.search(userinfo):
        raise BadAddress("has a % in its user or password that is no code: write %25 for it")
    user, colon, password = userinfo.partition(":")
    return _decoded(user), _decoded(password) if colon else None


def _decoded(text: str) -> str:
    try:
        found = unquote_to_bytes(text).decode("utf-8")
    except UnicodeDecodeError:
        raise BadAddress("has a code in its user or password that is no UTF-8") from None
    if any(ord(sign) < 0x20 or ord(sign) == 0x7F for sign in found):
        raise BadAddress("has a control character in its user or password")
    return found


def _target(text: str) -> str:
    if any(sign in ' \\"<>' or not sign.isprintable() for sign in text):
        raise BadAddress("has a blank, a backslash or an unseen character in its path: write % and its code (%20)")
    # As RFC 3987 maps it; what is ASCII stays as it was written.
    return quote(text, safe="".join(map(chr, range(0x21, 0x7F))))


def _host(text: str) -> str:
    if not text.isascii():
        raise BadAddress("has a host with letters beyond ASCII: write the name's ASCII form (xn--...)")
    host = text.lower().removesuffix(".")
    labels = host.split(".")
    if _NUMBER.match(labels[-1]):
        return _host_v4(host)
    if not host or len(host) > 253 or not all(map(_LABEL.match, labels)):
        raise BadAddress("must name its host: a name of a-z, 0-9, hyphens and dots, an IPv4 or an [IPv6] address")
    return host


def _host_v4(text: str) -> str:
    try:
        return str(IPv4Address(text))
    except AddressValueError:
        raise BadAddress(
            "has a host that is nearly an IPv4 address: write four numbers up to 255, without leading zeros"
        ) from None


def _host_v6(text: str) -> str:
    bare, _, zone = text.partition("%")
    # RFC 6874 writes the zone's own % as %25.
    zone = zone.removeprefix("25") if zone.startswith("25") and len(zone) > len("25") else zone
    try:
        address = IPv6Address(bare)
    except AddressValueError:
        raise BadAddress("has no IPv6 address in its brackets: [2001:db8::21]") from None
    if "%" in text and not _ZONE.match(zone):
        raise BadAddress("has a zone that names no interface: [fe80::21%eth0]")
    if address.ipv4_mapped is not None and "%" not in text:
        return str(address.ipv4_mapped)
    return f"{address}%{zone}" if "%" in text else str(address)


def _port(text: str) -> int | None:
    if not text:
        return None
    if not (_PORT.match(text) and int(text) < 65536):
        raise BadAddress("has a port that is no number from 1 to 65535")
    return int(text)
