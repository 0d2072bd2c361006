"""The way from a camera to the process that decodes it: one connection, to the camera that was authorised."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from services.contracts.authority import Camera
from services.ingest.admission import AdmittedSources
from services.ingest.core.readings import Ended, Picture, Reading
from services.ingest.core.reasons import Fault
from services.ingest.edges.reader_child import ReaderProcesses
from services.ingest.ports import Source
from tests.integration.ingest.scripted_camera import Login, ScriptedCamera
from tests.integration.ingest.tls_camera import a_certificate
from tests.support import eventually
from tests.unit.contracts.authorisation.builders import a_camera, a_document

WITHIN_S = 20.0
PASSWORD = "correct-horse-7"


@contextmanager
def reading(
    camera: ScriptedCamera, *, userinfo: str = "", certificate: str | None = None, **how: object
) -> Iterator[Source]:
    """The camera, opened as ingest opens it under an authority that names it."""
    document = a_document(cameras=[a_camera("gate-1", host=camera.place, certificate_sha256=certificate)])
    sources = AdmittedSources(document, ReaderProcesses(timeout_s=5, max_source_px=8_000_000))
    read = {"id": "gate-1", "source": "rtsp", "address": camera.address(userinfo), **how}
    with closing(sources.open(Camera.model_validate(read))) as source:
        yield source


def first(source: Source, kind: type[Reading]) -> Reading:
    """The first reading of a kind; an end of another is one too."""
    found: list[Reading] = []

    def came() -> bool:
        one = source.next(1.0)
        found.extend([one] if isinstance(one, kind | Ended) else [])
        return bool(found)

    eventually(came, f"{kind.__name__} or the end", within_s=WITHIN_S)
    return found[0]


def fault(
    camera: ScriptedCamera, *, userinfo: str = "", certificate: str | None = None, **how: object
) -> Fault | None:
    """Why the camera cannot be read; None if it gave a picture."""
    with reading(camera, userinfo=userinfo, certificate=certificate, **how) as source:
        found = first(source, Picture)
        return found.fault if isinstance(found, Ended) else None


@pytest.mark.parametrize("transport", ["tcp", "udp"])
def test_a_camera_is_read_over_one_connection_by_a_process_that_makes_none(transport: str) -> None:
    with ScriptedCamera() as camera:
        assert fault(camera, transport=transport) is None
        assert camera.connections == 1
        (asked,) = camera.said("DESCRIBE")
    assert asked.startswith(f"DESCRIBE rtsp://{camera.place}/stream?channel=1 RTSP/1.0"), "its own address"


def test_a_camera_on_ipv6_is_read() -> None:
    with ScriptedCamera(host="::1") as camera:
        assert fault(camera) is None


@pytest.mark.parametrize("scheme", ["Basic", "MD5", "SHA-256", "SHA-512-256", "MD5-sess", "SHA-256-sess"])
def test_a_camera_may_ask_for_any_login_that_the_standards_name(scheme: str) -> None:
    with ScriptedCamera(login=Login("viewer", PASSWORD, scheme)) as camera:
        assert fault(camera, userinfo=f"viewer:{PASSWORD}") is None


def test_a_password_of_any_signs_reaches_the_camera_as_it_is() -> None:
    password = 'p#/?[]@:% "\\ß漢'
    written = "p%23%2F%3F%5B%5D%40%3A%25%20%22%5Cß%E6%BC%A2"
    with ScriptedCamera(login=Login("viewer", password, "SHA-256")) as camera:
        assert fault(camera, userinfo=f"viewer:{written}") is None


def test_a_password_is_said_to_nobody_who_has_not_asked() -> None:
    with ScriptedCamera() as camera:
        assert fault(camera, userinfo=f"viewer:{PASSWORD}") is None
        assert camera.said("Authorization") == []


@pytest.mark.parametrize(
    ("userinfo", "login", "why"),
    [
        ("viewer:wrong", Login("viewer", PASSWORD), Fault.UNAUTHORISED),
        ("viewer:wrong", Login("viewer", PASSWORD, "Basic"), Fault.UNAUTHORISED),
        ("", Login("viewer", PASSWORD), Fault.UNAUTHORISED),
        (f"viewer:{PASSWORD}", Login("viewer", PASSWORD, "Negotiate"), Fault.LOGIN_UNKNOWN),
        (
            f"viewer:{PASSWORD}",
            Login("viewer", PASSWORD, 'Digest realm="x", nonce="y", algorithm=TTH'),
            Fault.LOGIN_UNKNOWN,
        ),
    ],
)
def test_a_login_that_fails_is_told_from_one_that_is_not_known(userinfo: str, login: Login, why: Fault) -> None:
    with ScriptedCamera(login=login) as camera:
        assert fault(camera, userinfo=userinfo) is why
        assert len(camera.said("Authorization")) <= 1, "a wrong password is not said twice: cameras lock out"


@pytest.mark.parametrize(
    ("method", "status", "why"),
    [
        ("DESCRIBE", "404 Not Found", Fault.NOT_FOUND),
        ("DESCRIBE", "403 Forbidden", Fault.UNAUTHORISED),
        ("SETUP", "453 Not Enough Bandwidth", Fault.CAMERA_BUSY),
        ("DESCRIBE", "453 Not Enough Bandwidth", Fault.CAMERA_BUSY),
        ("PLAY", "503 Service Unavailable", Fault.CAMERA_BUSY),
        ("SETUP", "461 Unsupported Transport", Fault.TRANSPORT_REFUSED),
        ("PLAY", "455 Method Not Valid in This State", Fault.CAMERA_REFUSES),
        ("DESCRIBE", "500 Internal Server Error", Fault.CAMERA_REFUSES),
    ],
)
def test_what_a_camera_answers_instead_of_a_stream_is_said_as_it_is(method: str, status: str, why: Fault) -> None:
    with ScriptedCamera(statuses={method: status}) as camera:
        assert fault(camera) is why


@pytest.mark.parametrize("method", ["OPTIONS", "DESCRIBE", "SETUP", "PLAY"])
def test_a_camera_that_falls_silent_is_said_to_be_silent(method: str) -> None:
    """It was `no video that is known here`, and the advice was to change the codec."""
    with ScriptedCamera(statuses={method: ""}) as camera:
        assert fault(camera) is Fault.TIMED_OUT


@pytest.mark.parametrize(
    ("said", "holds", "why"),
    [
        (b"SSH-2.0-OpenSSH_9.2\r\n", True, Fault.NOT_RTSP),
        (b"\x15\x03\x01\x00\x02\x02\x46", False, Fault.NOT_RTSP),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", False, Fault.NOT_RTSP),
        (b"RTSP/1.0 200 OK\r\nContent-Length: 9\r\n\r\n", True, Fault.TIMED_OUT),
        (b"", False, Fault.CAMERA_REFUSES),
    ],
    ids=["another service", "TLS", "a web server", "half an answer", "nothing"],
)
def test_what_answers_and_is_no_camera_is_told_from_one(said: bytes, holds: bool, why: Fault) -> None:
    with _answering(said, holds=holds) as address, closing(_opened(address)) as source:
        assert first(source, Picture) == Ended(why)


@pytest.mark.parametrize("method", ["OPTIONS", "DESCRIBE", "SETUP", "PLAY"])
def test_a_camera_cannot_send_its_reader_to_another_host(method: str) -> None:
    with ScriptedCamera() as other:
        headers = f"Location: {other.address()}\r\n"
        with ScriptedCamera(statuses={method: "302 Moved Temporarily"}, headers=headers) as camera:
            assert fault(camera, userinfo=f"viewer:{PASSWORD}") is Fault.REDIRECTED
        assert other.connections == 0


def test_a_camera_is_read_over_the_connection_on_which_it_showed_its_certificate(tmp_path: Path) -> None:
    context, shown = a_certificate(tmp_path)
    with ScriptedCamera(context=context, login=Login("viewer", PASSWORD)) as camera:
        assert fault(camera, userinfo=f"viewer:{PASSWORD}", certificate=shown) is None
        assert camera.connections == 1


def test_who_takes_a_cameras_place_hears_neither_password_nor_request(tmp_path: Path) -> None:
    """The certificate was looked at on one connection and the stream read on a second: an impostor passed the
    first through to the camera, took the second over and was told the password."""
    own, impostors = a_certificate(tmp_path), a_certificate(tmp_path)
    with ScriptedCamera(context=own[0]) as camera, ScriptedCamera(context=impostors[0]) as impostor:
        with _passing_on(camera, then=impostor) as between:
            userinfo = f"viewer:{PASSWORD}"
            assert fault(between, userinfo=userinfo, certificate=own[1]) is None
            assert impostor.connections == 0
            assert fault(between, userinfo=userinfo, certificate=own[1]) is Fault.NOT_AS_AUTHORISED
        assert (impostor.connections, impostor.heard) == (1, [])


def test_without_tls_a_named_certificate_is_never_shown(tmp_path: Path) -> None:
    with ScriptedCamera() as camera:
        assert fault(camera, certificate="a" * 64) is Fault.NOT_AS_AUTHORISED
        assert camera.connections == 0


def test_a_camera_without_tls_where_the_address_says_so_is_told_from_one_that_is_away(tmp_path: Path) -> None:
    context, _ = a_certificate(tmp_path)
    with ScriptedCamera() as camera:
        camera.context, spoken = context, camera.context
        address = camera.address()
        camera.context = spoken
        with closing(_opened(address)) as source:
            assert first(source, Picture) == Ended(Fault.NO_TLS)
    with closing(_opened(address)) as source:
        assert first(source, Picture) == Ended(Fault.UNREACHABLE)


def _opened(address: str) -> Source:
    camera = Camera.model_validate({"id": "gate-1", "source": "rtsp", "address": address})
    return ReaderProcesses(timeout_s=5, max_source_px=8_000_000).open(camera)


@contextmanager
def _answering(said: bytes, *, holds: bool) -> Iterator[str]:
    """The address of what says this to whoever asks, and then holds the connection or ends it."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer() -> None:
            asker, _ = listening.accept()
            with asker:
                asker.recv(4096)
                asker.sendall(said)
                while holds and asker.recv(4096):
                    pass

        answering = threading.Thread(target=answer, daemon=True)
        answering.start()
        yield f"rtsp://127.0.0.1:{listening.getsockname()[1]}/stream"
        answering.join(5)


class _Between(ScriptedCamera):
    """Who stands between ingest and a camera: the first connection goes to one, the next to the other."""

    targets: list[ScriptedCamera]

    def _serve(self, plain: socket.socket) -> None:
        target = self.targets.pop(0)
        host, _, port = target.place.rpartition(":")
        with plain, socket.create_connection((host, int(port))) as onward:
            back = threading.Thread(target=_copy, args=(onward, plain), daemon=True)
            back.start()
            _copy(plain, onward)
            back.join(5)


def _passing_on(camera: ScriptedCamera, *, then: ScriptedCamera) -> ScriptedCamera:
    between = _Between(context=ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER))
    between.targets = [camera, then]
    return between


def _copy(source: socket.socket, to: socket.socket) -> None:
    try:
        while piece := source.recv(65536):
            to.sendall(piece)
        to.shutdown(socket.SHUT_WR)
    except OSError:
        return
