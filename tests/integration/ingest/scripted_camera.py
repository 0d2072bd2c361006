"""A camera over RTSP that behaves as a test tells it: its login, its answers, its TLS, and what it heard."""

from __future__ import annotations

import base64
import hashlib
import io
import re
import select
import socket
import ssl
import struct
import threading
import time
from collections.abc import Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, field
from functools import cache
from types import TracebackType
from typing import Self

import av

from tests.integration.ingest.pictures import a_picture

_FPS = 15
_REALM, _NONCE, _OPAQUE = "yard, north", "f00d", "cafe"
_HASHES = {"MD5": "md5", "SHA-256": "sha256", "SHA-512-256": "sha512_256"}


@cache
def _pictures() -> list[list[bytes]]:
    """Two seconds of H.264, picture by picture, as NAL units that each fit a packet."""
    out = io.BytesIO()
    with av.open(out, "w", format="h264") as container:
        stream = container.add_stream("libx264", rate=_FPS)
        stream.width, stream.height, stream.pix_fmt = 160, 120, "yuv420p"
        stream.options = {"preset": "ultrafast", "tune": "zerolatency", "g": str(_FPS)}
        for number in range(2 * _FPS):
            frame = av.VideoFrame.from_ndarray(a_picture(number * 3, 160, 120), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    pictures: list[list[bytes]] = [[]]
    for unit in re.split(rb"\x00\x00\x00\x01|\x00\x00\x01", out.getvalue()):
        if unit:
            assert len(unit) < 60_000
            pictures[-1].append(unit)
            if unit[0] & 31 in (1, 5):
                pictures.append([])
    return pictures[:-1]


@dataclass(frozen=True)
class Login:
    """Whom the camera lets in, and how it asks: `scheme` is Basic, a digest's algorithm, or something odd."""

    user: str
    password: str
    scheme: str = "MD5"

    @property
    def question(self) -> str:
        if self.scheme == "Basic":
            return f'Basic realm="{_REALM}"'
        if self.scheme.removesuffix("-sess") not in _HASHES:
            return self.scheme
        return (
            f'Digest realm="{_REALM}", nonce="{_NONCE}", algorithm={self.scheme}, qop="auth,auth-int", '
            f'opaque="{_OPAQUE}"'
        )

    def lets_in(self, said: str | None, method: str) -> bool:
        if said is None:
            return False
        if self.scheme == "Basic":
            given = base64.b64decode(said.removeprefix("Basic "))
            return given == f"{self.user}:{self.password}".encode()
        fields = {
            name: quoted or bare for name, quoted, bare in re.findall(r'(\w+)=(?:"([^"]*)"|([^\s,]+))', said)
        }
        nonces = f"{fields['nonce']}:{fields['nc']}:{fields['cnonce']}"
        secret = self._hash(f"{self.user}:{_REALM}:{self.password}")
        if self.scheme.endswith("-sess"):
            secret = self._hash(f"{secret}:{fields['nonce']}:{fields['cnonce']}")
        what = self._hash(f"{method}:{fields['uri']}")
        expected = self._hash(f"{secret}:{nonces}:auth:{what}")
        return bool(fields["response"] == expected and fields["opaque"] == _OPAQUE)

    def _hash(self, text: str) -> str:
        return hashlib.new(_HASHES[self.scheme.removesuffix("-sess")], text.encode()).hexdigest()


@dataclass
class ScriptedCamera:
    """A context manager; listens on a port of its own at `host`. `statuses` says what a method is answered;
    nothing, where it is empty."""

    host: str = "127.0.0.1"
    context: ssl.SSLContext | None = None
    login: Login | None = None
    statuses: Mapping[str, str] = field(default_factory=dict)
    headers: str = ""
    heard: list[str] = field(default_factory=list)
    connections: int = 0

    def __enter__(self) -> Self:
        self._ended = threading.Event()
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        self._listening = socket.create_server((self.host, 0), family=family)
        self._listening.settimeout(0.1)
        self._port = self._listening.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join(5)
        self._listening.close()

    @property
    def place(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self._port}"

    def address(self, userinfo: str = "") -> str:
        return f"rtsp{'s' if self.context else ''}://{userinfo and f'{userinfo}@'}{self.place}/stream?channel=1"

    def said(self, word: str) -> list[str]:
        """What was heard that has `word` in it."""
        return [text for text in self.heard if word in text]

    def _accept(self) -> None:
        while not self._ended.is_set():
            with suppress(TimeoutError):
                plain, _ = self._listening.accept()
                self.connections += 1
                self._threads.append(threading.Thread(target=self._serve, args=(plain,), daemon=True))
                self._threads[-1].start()

    def _serve(self, plain: socket.socket) -> None:
        with suppress(OSError), plain:
            plain.settimeout(5)
            connection = self.context.wrap_socket(plain, server_side=True) if self.context else plain
            with connection, closing(_Conversation(self, connection)) as conversation:
                conversation.hold(self._ended)


class _Conversation:
    def __init__(self, camera: ScriptedCamera, connection: socket.socket) -> None:
        self._camera, self._connection = camera, connection
        self._held = b""
        self._began_s: float | None = None
        self._sent = self._sequence = 0
        self._channel = 0
        self._udp: tuple[socket.socket, int] | None = None

    def close(self) -> None:
        if self._udp is not None:
            self._udp[0].close()

    def hold(self, ended: threading.Event) -> None:
        while not ended.is_set():
            pending = isinstance(self._connection, ssl.SSLSocket) and self._connection.pending() > 0
            if pending or select.select([self._connection], [], [], 0.02)[0]:
                piece = self._connection.recv(65536)
                if not piece or piece[:1] == b"\x16":  # TLS, where none is spoken
                    return
                self._held += piece
                self._read()
            self._stream()

    def _read(self) -> None:
        while self._held:
            if self._held[:1] == b"$":
                end = 4 + int.from_bytes(self._held[2:4], "big")
            else:
                end = self._held.find(b"\r\n\r\n") + 4
            if len(self._held) < max(end, 4):
                return
            whole, self._held = self._held[:end], self._held[end:]
            if whole[:1] != b"$":
                self._answer(whole.decode("latin-1"))

    def _answer(self, request: str) -> None:
        camera = self._camera
        camera.heard.append(request)
        method, _, rest = request.split("\r\n")[0].partition(" ")
        uri = rest.rpartition(" ")[0]
        said = re.search(r"^Authorization: (.*?)\r$", request, re.M)
        if camera.statuses.get(method) == "":
            return
        if method in camera.statuses:
            self._say(request, camera.statuses[method], camera.headers)
        elif camera.login is not None and not camera.login.lets_in(said[1] if said else None, method):
            self._say(request, "401 Unauthorized", f"WWW-Authenticate: {camera.login.question}\r\n")
        elif method == "DESCRIBE":
            self._say(request, "200 OK", f"Content-Base: {uri}/\r\nContent-Type: application/sdp\r\n", _sdp())
        elif method == "SETUP":
            self._say(request, "200 OK", f"Session: 7\r\nTransport: {self._transport(request)}\r\n")
        else:
            self._say(request, "200 OK", "Session: 7\r\n")
            if method == "PLAY":
                self._began_s = time.monotonic()

    def _transport(self, request: str) -> str:
        wanted = re.search(r"client_port=(\d+)-(\d+)", request)
        if wanted is None:
            return "RTP/AVP/TCP;unicast;interleaved=0-1;ssrc=00001234"
        udp = socket.socket(self._connection.family, socket.SOCK_DGRAM)
        udp.bind((self._camera.host, 0))
        self._udp = (udp, int(wanted[1]))
        port = udp.getsockname()[1]
        return f"RTP/AVP;unicast;client_port={wanted[1]}-{wanted[2]};server_port={port}-{port + 1};ssrc=00001234"

    def _say(self, request: str, status: str, headers: str = "", body: str = "") -> None:
        number = re.search(r"CSeq: *(\d+)", request)
        assert number is not None
        length = f"Content-Length: {len(body)}\r\n" if body else ""
        text = f"RTSP/1.0 {status}\r\nCSeq: {number[1]}\r\n{headers}{length}\r\n{body}"
        self._connection.sendall(text.encode())

    def _stream(self) -> None:
        while self._began_s is not None and self._began_s + self._sent / _FPS <= time.monotonic():
            pictures = _pictures()
            picture = pictures[self._sent % len(pictures)]
            for place, unit in enumerate(picture):
                self._sequence += 1
                last = place == len(picture) - 1
                self._send(self._sent * 90_000 // _FPS, unit, last=last)
            self._sent += 1

    def _send(self, at: int, unit: bytes, *, last: bool) -> None:
        packet = (
            struct.pack(">BBHII", 0x80, 96 | (0x80 if last else 0), self._sequence & 0xFFFF, at, 0x1234) + unit
        )
        if self._udp is not None:
            self._udp[0].sendto(packet, (self._camera.host, self._udp[1]))
        else:
            self._connection.sendall(struct.pack(">cBH", b"$", self._channel, len(packet)) + packet)


def _sdp() -> str:
    units = [unit for picture in _pictures() for unit in picture]
    sets = (next(unit for unit in units if unit[0] & 31 == kind) for kind in (7, 8))
    known = ",".join(base64.b64encode(one).decode() for one in sets)
    return (
        "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=x\r\nt=0 0\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n"
        f"a=fmtp:96 packetization-mode=1;sprop-parameter-sets={known}\r\na=control:track1\r\n"
    )
