"""What passes between a camera and the process that decodes its stream: pure, bytes in and bytes out.

The decoder speaks to `LOCAL`, knows no user, no password and no path, and is given packets over its one
connection. The camera is spoken to by its own address and answered when it asks who is there. What the camera says
that ends a reading becomes a `Fault`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from services.contracts.camera_address import CameraAddress
from services.ingest.core.reasons import Fault
from services.ingest.core.rtsp_login import Answering, CannotAnswer, Login
from services.ingest.core.rtsp_text import Message, NotRtsp, Packet, Splitter, packet

# What the decoder is told to read; any port will do, for who listens there itself.
LOCAL = "rtsp://127.0.0.1:554/signpost-link"
_LOCAL = re.compile(r"\Artsp://127\.0\.0\.1:[0-9]{1,5}/signpost-link(?=/|\Z)")
# An empty packet of a stream, and an empty report of a reader (RFC 3550).
_OPENINGS = (bytes((0x80,)) + bytes(11), bytes((0x80, 201, 0, 1)) + bytes(4))
_ASKING = ("OPTIONS", "DESCRIBE", "SETUP", "PLAY")
_KNOWN = (*_ASKING, "GET_PARAMETER", "TEARDOWN")
# No packet and no report is shorter (RFC 3550); behind one that is, the decoder loses its place.
_LEAST_PACKET_BYTES = 8
# So much in a row that is neither packet nor message is no camera's.
_STRANGE_BYTES = 64 * 1024
# An answer that the camera finds wrong is not sent again, but for a question that had only grown old.
_MOST_SENT = 3
_FAULTS = {
    401: Fault.UNAUTHORISED,
    403: Fault.UNAUTHORISED,
    404: Fault.NOT_FOUND,
    410: Fault.NOT_FOUND,
    453: Fault.CAMERA_BUSY,
    461: Fault.TRANSPORT_REFUSED,
    503: Fault.CAMERA_BUSY,
}


class Broken(Exception):
    """The reading cannot go on."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.value)
        self.fault = fault


@dataclass(frozen=True)
class _Asked:
    """A request under way: as the decoder put it, and how often it was sent."""

    message: Message
    sent: int = 0


@dataclass(frozen=True)
class Ports:
    """Where a stream's packets and its reports are sent over UDP: ours, and the camera's once it has said."""

    ours: tuple[int, int]
    channels: tuple[int, int]
    cameras: tuple[int, int] | None = None


class CameraLink:
    """Both directions of one connection. One thread owns it; what is to be sent lies in the two buffers."""

    def __init__(
        self,
        address: CameraAddress,
        *,
        chance: Callable[[], str],
        udp_ports: Callable[[], tuple[int, int] | None] = lambda: None,
    ) -> None:
        """`udp_ports` gives two ports of ours for the next stream, or None: it comes over this connection."""
        self.to_camera, self.to_decoder = bytearray(), bytearray()
        self._udp: list[Ports] = []
        self._datagrams: list[tuple[int, int, bytes]] = []
        self._address = address
        self._chance = chance
        self._udp_ports = udp_ports
        self._decoder, self._camera = Splitter(), Splitter(pass_over_bytes=_STRANGE_BYTES)
        self._asked: dict[int, _Asked] = {}
        self._count = 0
        self._answering: Answering | None = None
        self.playing = False

    def from_decoder(self, piece: bytes) -> None:
        """Raises Broken: the decoder says what it has no reason to say."""
        for one in _read(self._decoder, piece, Fault.READER_DIED):
            if isinstance(one, Packet):
                self._report(one)
            elif one.first.startswith("RTSP/"):
                self.to_camera += one.to_bytes()  # an answer to what the camera has asked
            else:
                self._ask(one)

    def from_camera(self, piece: bytes) -> None:
        """Raises Broken."""
        for one in _read(self._camera, piece, Fault.UNREADABLE if self.playing else Fault.NOT_RTSP):
            if isinstance(one, Packet):
                self._pass_on(one)
            elif one.first.startswith("RTSP/"):
                self._answered(one)
            elif one.first.startswith("REDIRECT "):
                raise Broken(Fault.REDIRECTED)
            else:
                self.to_decoder += one.to_bytes()

    def over_udp(self, port: int, content: bytes) -> None:
        """A datagram of the camera that came to `port` of ours."""
        for stream in self._udp:
            if port in stream.ours:
                channel = stream.channels[stream.ours.index(port)]
                self._pass_on(Packet(channel, packet(channel, content)))

    def take_datagrams(self) -> list[tuple[int, int, bytes]]:
        """What is to be sent over UDP: from which port of ours, to which of the camera's, what."""
        taken, self._datagrams = self._datagrams, []
        return taken

    @property
    def waits(self) -> bool:
        """Whether the camera owes an answer without which nothing begins."""
        return not self.playing and any(_asked(one.message)[0] in _ASKING for one in self._asked.values())

    def why_not_begun(self, otherwise: Fault) -> Fault:
        """Why a reading ends before its stream began: what was heard is no camera, or else `otherwise`."""
        return Fault.NOT_RTSP if self._camera.strange else otherwise

    def _pass_on(self, of_stream: Packet) -> None:
        if len(of_stream.content) >= _LEAST_PACKET_BYTES:
            self.to_decoder += of_stream.raw

    def _report(self, report: Packet) -> None:
        """The decoder's word on how the stream arrives."""
        if not self._udp:
            self.to_camera += report.raw
            return
        for stream in self._udp:
            if report.channel in stream.channels and stream.cameras is not None:
                which = stream.channels.index(report.channel)
                self._datagrams.append((stream.ours[which], stream.cameras[which], report.content))

    def _ask(self, message: Message) -> None:
        method, uri = _asked(message)
        if method not in _KNOWN:
            raise Broken(Fault.READER_DIED)
        uri = _LOCAL.sub(lambda _: self._address.url(), uri, count=1)
        message = replace(message, first=f"{method} {uri} RTSP/1.0").without("Authorization")
        if method == "SETUP" and (ours := self._udp_ports()) is not None:
            self._udp.append(Ports(ours, _pair(message, "interleaved") or (0, 1)))
            message = message.with_header("Transport", f"RTP/AVP;unicast;client_port={ours[0]}-{ours[1]}")
        self._send(_Asked(message))

    def _send(self, asked: _Asked) -> None:
        self._count += 1
        message = asked.message.with_header("CSeq", str(self._count))
        if self._answering is not None:
            message = message.with_header("Authorization", self._answering.header(*_asked(message)))
        self._asked[self._count] = replace(asked, sent=asked.sent + 1)
        self.to_camera += message.to_bytes()

    def _answered(self, answer: Message) -> None:
        asked = self._of(answer)
        if asked is None:
            return  # to nothing that was asked
        method, _ = _asked(asked.message)
        status = _status(answer)
        if status == 401 and self._may_answer(answer, asked):
            self._send(asked)
            return
        if method in _ASKING and not self.playing and status != 200:
            raise Broken(_fault(status))
        self.playing = self.playing or method == "PLAY"
        if method == "SETUP" and self._udp and "client_port" in (asked.message.get("Transport") or ""):
            answer = self._set_up(answer)
        self.to_decoder += answer.with_header("CSeq", asked.message.get("CSeq") or "0").to_bytes()

    def _of(self, answer: Message) -> _Asked | None:
        """The request that it answers: the oldest, where it names none that there is."""
        number = answer.get("CSeq") or ""
        known = int(number) if re.fullmatch("[0-9]{1,9}", number) else -1
        if known not in self._asked:
            known = min(self._asked, default=-1)
        return self._asked.pop(known, None)

    def _may_answer(self, answer: Message, asked: _Asked) -> bool:
        """Whether the request is worth sending again, with an answer to what the camera asks."""
        address = self._address
        if address.user is None or asked.sent >= _MOST_SENT:
            return False
        known = self._answering is not None
        try:
            self._answering = Answering(
                Login(address.user, address.password or ""), answer.all("WWW-Authenticate"), chance=self._chance
            )
        except CannotAnswer:
            raise Broken(Fault.LOGIN_UNKNOWN) from None
        return not known or asked.sent == 1 or self._answering.stale

    def _set_up(self, answer: Message) -> Message:
        """The camera's answer as the decoder expects it: its packets come over the one connection."""
        stream = self._udp[-1]
        cameras = _pair(answer, "server_port")
        if cameras is None:
            raise Broken(Fault.TRANSPORT_REFUSED)
        self._udp[-1] = replace(stream, cameras=cameras)
        # A firewall on the way lets in what answers to something that went out.
        self._datagrams += [
            (ours, theirs, opening) for ours, theirs, opening in zip(stream.ours, cameras, _OPENINGS, strict=True)
        ]
        channels = f"{stream.channels[0]}-{stream.channels[1]}"
        return answer.with_header("Transport", f"RTP/AVP/TCP;unicast;interleaved={channels}")


def _read(splitter: Splitter, piece: bytes, fault: Fault) -> list[Message | Packet]:
    try:
        return splitter.feed(piece)
    except NotRtsp:
        raise Broken(fault) from None


def _asked(message: Message) -> tuple[str, str]:
    try:
        return message.asked
    except NotRtsp:
        raise Broken(Fault.READER_DIED) from None


def _status(answer: Message) -> int:
    try:
        return answer.status or 0
    except NotRtsp:
        raise Broken(Fault.NOT_RTSP) from None


def _fault(status: int) -> Fault:
    if 300 <= status < 400:
        return Fault.REDIRECTED
    return _FAULTS.get(status, Fault.CAMERA_REFUSES)


def _pair(message: Message, name: str) -> tuple[int, int] | None:
    """Two numbers of a Transport header; the second is the first's next where it is not given."""
    found = re.search(rf"{name}=([0-9]{{1,5}})(?:-([0-9]{{1,5}}))?", message.get("Transport") or "")
    if found is None:
        return None
    first = int(found[1])
    return first, int(found[2]) if found[2] else first + 1
