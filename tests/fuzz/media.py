"""Pictures and streams: what cameras send and what people enrol, in the process that decodes them."""

from __future__ import annotations

import io
import shutil
import socket
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

import av
import numpy as np
import simplejpeg
from numpy.typing import NDArray
from PIL import Image

from services.contracts import authority
from services.contracts.authority import SourceKind
from services.contracts.errors import Permanent
from services.embed.edges import pictures
from services.embed.edges.photo_process import PhotoProcess
from services.ingest.core import wire
from services.ingest.core.readings import Ended, Looped, Picture, Progress, Reading, Spoilt
from services.ingest.core.reasons import Fault, Flaw
from services.ingest.edges.reader_child import ReaderProcesses
from tests.fakes.clock import A_MORNING
from tests.fuzz.files import InMemory
from tests.fuzz.surface import Surface

_MOST_PIXELS = 2_000_000


@cache
def pixels() -> NDArray[np.uint8]:
    return np.random.default_rng(5).integers(0, 255, (48, 64, 3)).astype(np.uint8)


@cache
def jpeg() -> bytes:
    return bytes(simplejpeg.encode_jpeg(pixels(), quality=60))


@cache
def photographs() -> tuple[bytes, ...]:
    """One of each format, as small as can be."""
    image, found = Image.fromarray(pixels()), [jpeg()]
    exif = Image.Exif()
    exif[0x0112] = 6
    for form, more in (
        *(("PNG", {}), ("WEBP", {}), ("TIFF", {}), ("GIF", {}), ("BMP", {})),
        ("JPEG", {"exif": exif, "progressive": True}),
    ):
        out = io.BytesIO()
        image.save(out, format=form, **more)
        found.append(out.getvalue())
    return tuple(found)


def _frame(raw: bytes) -> bool:
    """A frame as embed decodes it."""
    pictures.frame_size(raw, max_pixels=_MOST_PIXELS)
    return pictures.decode(raw, at_least=(32, 24), max_pixels=_MOST_PIXELS).ndim == 3


@cache
def readings() -> tuple[bytes, ...]:
    """What a reader process writes to its pipe."""
    told = (
        Picture(A_MORNING, 0.2, 1, 64, 48, jpeg()),
        Spoilt(0.4, 2, Flaw.PICTURE_UNREADABLE),
        Progress(0.6, 3, damaged=1),
        Looped(),
        Ended(Fault.STALLED),
    )
    return (b"".join(wire.encode(one) for one in told), *(wire.encode(one) for one in told))


def _pipe(raw: bytes) -> bool:
    """What ingest makes of the pipe of a reader that somebody has taken hold of."""
    decoder = wire.Decoder()
    half = len(raw) // 2
    return len([*decoder.feed(raw[:half]), *decoder.feed(raw[half:])]) > 0


class Photographs:
    """Enrolment's decoder, in the process that the product has for it."""

    def __init__(self) -> None:
        self._process = PhotoProcess(max_pixels=_MOST_PIXELS)

    def take(self, raw: bytes) -> None:
        self._process.decode_upright(raw, max_pixels=_MOST_PIXELS)

    def goes_on(self) -> bool:
        return self._process.decode_upright(jpeg(), max_pixels=_MOST_PIXELS).shape == (48, 64, 3)

    def close(self) -> None:
        self._process.close()


class Camera:
    """A camera's reader: a process a reading, as ingest has it. What it reads lies in a folder, or is sent."""

    def __init__(self, source: SourceKind, good: bytes) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="signpost-fuzz-"))
        self._source = source
        self._good = good
        self._processes = ReaderProcesses(timeout_s=2.0, max_source_px=_MOST_PIXELS)

    def take(self, raw: bytes) -> None:
        self._readings(raw)

    def goes_on(self) -> bool:
        return any(isinstance(one, Picture) for one in self._readings(self._good))

    def close(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)

    def _readings(self, raw: bytes) -> list[Reading]:
        """All that comes of it, to its end."""
        with self._address(raw) as address:
            camera = authority.Camera.model_validate(
                {"id": "gate-1", "source": self._source.value, "address": address, "pace": "as_fast_as_taken"}
            )
            reader, found = self._processes.open(camera), list[Reading]()
            try:
                while not (found and isinstance(found[-1], Ended)):
                    reading = reader.next(_SILENT_S)
                    if reading is None:
                        raise TimeoutError(f"{self._source}: nothing for {_SILENT_S} s, and no end")
                    found.append(reading)
            finally:
                reader.close()
        return found

    @contextmanager
    def _address(self, raw: bytes) -> Iterator[str]:
        if self._source is SourceKind.RTSP:
            with _says(raw) as port:
                yield f"rtsp://127.0.0.1:{port}/live"
            return
        path = self._folder / ("one.jpg" if self._source is SourceKind.FOLDER else "one.ts")
        path.write_bytes(raw)
        yield str(self._folder if self._source is SourceKind.FOLDER else path)


# Above what a reader may be silent for before it gives its source up.
_SILENT_S = 15.0


@contextmanager
def _says(raw: bytes) -> Iterator[int]:
    """A camera that answers everybody with these bytes, and hangs up."""
    with socket.create_server(("127.0.0.1", 0)) as door:

        def answer() -> None:
            with suppress(OSError):
                while True:
                    caller, _ = door.accept()
                    with caller:
                        caller.settimeout(1.0)
                        with suppress(OSError):
                            caller.recv(4096)
                            caller.sendall(raw)

        thread = threading.Thread(target=answer, name="signpost-fuzz-camera")
        thread.start()
        try:
            yield door.getsockname()[1]
        finally:
            # Wakes who waits to accept.
            with suppress(OSError):
                door.shutdown(socket.SHUT_RDWR)
            thread.join()


@cache
def video() -> bytes:
    """Eight frames of H.264 in a transport stream."""
    out = io.BytesIO()
    with av.open(out, "w", format="mpegts") as container:
        stream = container.add_stream("libx264", rate=8)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.options = {"preset": "ultrafast"}
        for _ in range(8):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels(), format="rgb24")))
        container.mux(stream.encode())
    return out.getvalue()


_SDP = b"v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=x\r\nt=0 0\r\n"
_SDP += b"m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n"


def rtsp() -> tuple[bytes, ...]:
    """What a camera answers first."""
    head = b"RTSP/1.0 %s\r\nCSeq: %d\r\n"
    return (
        head % (b"200 OK", 1) + b"Public: OPTIONS, DESCRIBE, SETUP, PLAY\r\n\r\n",
        head % (b"200 OK", 1)
        + b"\r\n"
        + head % (b"200 OK", 2)
        + b"Content-Type: application/sdp\r\nContent-Length: %d\r\n\r\n" % len(_SDP)
        + _SDP,
        head % (b"401 Unauthorized", 1) + b'WWW-Authenticate: Digest realm="x", nonce="y"\r\n\r\n',
        head % (b"302 Found", 1) + b"Location: rtsp://127.0.0.1:1/\r\n\r\n",
        b"$\0\xff\xff" + bytes(2000),
    )


class RtspCamera(Camera):
    """No answer of one piece is a whole camera: a good one is proved by a file beside it."""

    def goes_on(self) -> bool:
        other = Camera(SourceKind.FILE, video())
        try:
            return other.goes_on()
        finally:
            other.close()


def _of(read: Callable[[bytes], bool], good: Callable[[], bytes]) -> Callable[[], InMemory]:
    return lambda: InMemory(read, good())


SURFACES: Sequence[Surface] = (
    Surface("frame picture", _of(_frame, jpeg), (Permanent,), lambda: (jpeg(),), photographs),
    Surface("camera pipe", _of(_pipe, lambda: readings()[0]), (wire.Garbled,), readings),
    Surface("enrolment picture", Photographs, (Permanent,), photographs, heavy=True),
    Surface("camera folder", lambda: Camera(SourceKind.FOLDER, jpeg()), (), photographs, process=True),
    Surface(
        "camera file", lambda: Camera(SourceKind.FILE, video()), (), lambda: (video(),), photographs, process=True
    ),
    Surface("camera rtsp", lambda: RtspCamera(SourceKind.RTSP, b""), (), rtsp, process=True),
)
