"""What passes between a camera and its decoder, byte by byte."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.contracts.camera_address import parse_address
from services.ingest.core.camera_link import LOCAL, Broken, CameraLink
from services.ingest.core.reasons import Fault
from services.ingest.core.rtsp_text import Message, NotRtsp, Packet, Splitter, packet

SECRET = "hunter2"
DIGEST = 'WWW-Authenticate: Digest realm="x", nonce="1", algorithm=SHA-256\r\n'


def a_link(
    address: str = f"rtsp://viewer:{SECRET}@10.0.0.21/x?y=1", ports: tuple[int, int] | None = None
) -> CameraLink:
    return CameraLink(parse_address(address), chance=lambda: "chance", udp_ports=lambda: ports)


def asked(method: str, number: int = 1, uri: str = LOCAL, headers: str = "") -> bytes:
    return f"{method} {uri} RTSP/1.0\r\nCSeq: {number}\r\n{headers}\r\n".encode()


def answered(status: str = "200 OK", number: int = 1, headers: str = "", body: str = "") -> bytes:
    length = f"Content-Length: {len(body)}\r\n" if body else ""
    return f"RTSP/1.0 {status}\r\nCSeq: {number}\r\n{headers}{length}\r\n{body}".encode()


def taken(buffer: bytearray) -> str:
    text = buffer.decode("latin-1")
    buffer.clear()
    return text


def playing(link: CameraLink) -> CameraLink:
    link.from_decoder(asked("PLAY"))
    link.from_camera(answered())
    link.to_camera.clear()
    link.to_decoder.clear()
    return link


def test_the_camera_is_asked_by_its_own_address_and_the_decoder_knows_none() -> None:
    link = a_link()
    link.from_decoder(asked("DESCRIBE", 7))
    assert taken(link.to_camera).startswith("DESCRIBE rtsp://10.0.0.21:554/x?y=1 RTSP/1.0\r\n")
    link.from_camera(answered(number=1, body="v=0"))
    assert taken(link.to_decoder) == "RTSP/1.0 200 OK\r\nContent-Length: 3\r\nCSeq: 7\r\n\r\nv=0"
    link.from_decoder(asked("SETUP", 8, f"{LOCAL}/track1"))
    assert taken(link.to_camera).startswith("SETUP rtsp://10.0.0.21:554/x?y=1/track1 RTSP/1.0\r\n")


def test_a_camera_of_this_machine_is_asked_by_the_addresses_that_it_gave() -> None:
    """Its path began as the one that stands for it: another stream was asked for, and never came."""
    link = a_link("rtsp://127.0.0.1:8554/signpost-link-2")
    for own in ("rtsp://127.0.0.1:8554/signpost-link-2/track1", "rtsp://10.0.0.9/signpost-link/track1"):
        link.from_decoder(asked("SETUP", uri=own))
        assert taken(link.to_camera).startswith(f"SETUP {own} RTSP/1.0\r\n")


def test_a_login_is_answered_without_the_decoder_and_with_every_request_from_then_on() -> None:
    link = a_link()
    link.from_decoder(asked("DESCRIBE", 7))
    assert "Authorization" not in taken(link.to_camera)
    link.from_camera(answered("401 Unauthorized", 1, DIGEST))
    again = taken(link.to_camera)
    assert "CSeq: 2\r\n" in again and "Authorization: Digest" in again
    link.from_camera(answered(number=2))
    link.from_decoder(asked("SETUP", 8))
    assert "Authorization: Digest" in taken(link.to_camera)
    heard = taken(link.to_decoder)
    assert heard == "RTSP/1.0 200 OK\r\nCSeq: 7\r\n\r\n"
    assert SECRET not in again and "viewer" not in heard


def test_a_question_that_has_grown_old_while_the_stream_plays_ends_nothing() -> None:
    link = a_link()
    link.from_decoder(asked("PLAY"))
    link.from_camera(answered("401 Unauthorized", 1, DIGEST) + answered(number=2))
    link.from_decoder(asked("GET_PARAMETER", 9))
    link.to_camera.clear()
    link.from_camera(answered("401 Unauthorized", 3, DIGEST.replace('nonce="1"', 'nonce="2"')))
    assert 'nonce="2"' in taken(link.to_camera)


def test_a_keepalive_that_the_camera_does_not_know_ends_nothing() -> None:
    link = playing(a_link())
    link.from_decoder(asked("GET_PARAMETER", 9))
    link.from_camera(answered("451 Parameter Not Understood", 2))
    assert "451" in taken(link.to_decoder)


def test_the_streams_packets_pass_as_they_are() -> None:
    link = playing(a_link())
    sent = packet(0, b"a picture") + packet(1, b"\r\n\r\nRTSP/1.0 302 Moved")
    link.from_camera(sent)
    assert bytes(link.to_decoder) == sent
    link.from_decoder(packet(1, b"report"))
    assert bytes(link.to_camera) == packet(1, b"report")


@pytest.mark.parametrize(
    "strange",
    [bytes(7), b"\xff\xfe\xfd", b"hello", b"\r\n", bytes(60_000), packet(0, b"short"), packet(9, b"")],
    ids=["zeros", "bytes", "text", "blank line", "many", "short packet", "empty packet"],
)
def test_what_a_camera_leaves_between_its_packets_is_passed_over(strange: bytes) -> None:
    """A few bytes of its own between two packets, and no picture came any more."""
    link = playing(a_link())
    sent = packet(0, b"a picture")
    link.from_camera((strange + sent) * 3)
    assert bytes(link.to_decoder) == sent * 3


def test_bytes_that_never_become_a_packet_end_the_reading() -> None:
    link = playing(a_link())
    with pytest.raises(Broken) as broken:
        link.from_camera(bytes(70_000))
    assert broken.value.fault is Fault.UNREADABLE


@pytest.mark.parametrize("head", ["RTSP/1.0 200 OK\r\nServer H264DVR", "RTSP/1.0  200  OK", "RTSP/1.0 200"])
def test_an_answer_may_be_oddly_written(head: str) -> None:
    """A line without a colon, or two blanks, and the camera `sent no video`."""
    link = a_link()
    link.from_decoder(asked("DESCRIBE", 7))
    link.from_camera(f"{head}\r\nCSeq: 1\r\nContent-Length: 3\r\n\r\nv=0".encode())
    assert taken(link.to_decoder).endswith("Content-Length: 3\r\nCSeq: 7\r\n\r\nv=0")


def test_a_stream_is_asked_for_by_the_name_that_the_camera_gave_blanks_and_all() -> None:
    """A track called `track ID=1` was taken for a decoder that had gone mad."""
    link = a_link()
    link.from_decoder(asked("SETUP", uri=f"{LOCAL}/track ID=1"))
    assert taken(link.to_camera).startswith("SETUP rtsp://10.0.0.21:554/x?y=1/track ID=1 RTSP/1.0\r\n")


@pytest.mark.parametrize("answer", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"RTSP/1.0 OK\r\n\r\n", bytes(70_000)])
def test_what_is_no_camera_is_said_to_be_none(answer: bytes) -> None:
    """A web server on the camera's port was `no video that is known here: set the camera to H.264`."""
    link = a_link()
    link.from_decoder(asked("OPTIONS"))
    with pytest.raises(Broken) as broken:
        link.from_camera(answer)
    assert broken.value.fault is Fault.NOT_RTSP


def test_a_camera_that_sends_its_reader_elsewhere_while_it_plays_is_not_followed() -> None:
    link = playing(a_link())
    with pytest.raises(Broken) as broken:
        link.from_camera(b"REDIRECT rtsp://10.0.0.21/x RTSP/1.0\r\nCSeq: 1\r\nLocation: rtsp://10.0.0.66/\r\n\r\n")
    assert broken.value.fault is Fault.REDIRECTED


@pytest.mark.parametrize("method", ["RECORD", "ANNOUNCE", "SET_PARAMETER", "REDIRECT", "describe"])
def test_a_decoder_asks_for_a_stream_and_nothing_else(method: str) -> None:
    """Who took it over speaks to the camera with the camera's login."""
    link = a_link()
    with pytest.raises(Broken):
        link.from_decoder(asked(method))
    assert not link.to_camera


def test_over_udp_the_decoder_sees_packets_on_its_own_connection() -> None:
    link = a_link(ports=(6000, 6001))
    link.from_decoder(asked("SETUP", 3, headers="Transport: RTP/AVP/TCP;unicast;interleaved=2-3\r\n"))
    assert "Transport: RTP/AVP;unicast;client_port=6000-6001\r\n" in taken(link.to_camera)
    link.from_camera(
        answered(headers="Transport: RTP/AVP;unicast;client_port=6000-6001;server_port=9000-9001\r\n")
    )
    assert "Transport: RTP/AVP/TCP;unicast;interleaved=2-3\r\n" in taken(link.to_decoder)
    assert [way[:2] for way in link.take_datagrams()] == [(6000, 9000), (6001, 9001)], "it opens a firewall's way"
    link.over_udp(6000, b"a picture")
    link.over_udp(6000, b"short")
    link.over_udp(6002, b"no stream's")
    assert bytes(link.to_decoder) == packet(2, b"a picture")
    link.from_decoder(packet(3, b"report"))
    assert link.take_datagrams() == [(6001, 9001, b"report")]
    assert not link.to_camera


MESSAGE = Message("RTSP/1.0 200 OK", (("CSeq", "1"), ("Content-Length", "3")), b"v=0")


@given(st.lists(st.integers(min_value=1, max_value=40), max_size=40))
def test_pieces_may_fall_anywhere(lengths: list[int]) -> None:
    whole = (MESSAGE.to_bytes() + packet(0, b"$$\r\n\r\n")) * 3
    splitter, found = Splitter(), []
    at = 0
    for length in [*lengths, len(whole)]:
        found += splitter.feed(whole[at : at + length])
        at += length
    assert found == [MESSAGE, Packet(0, packet(0, b"$$\r\n\r\n"))] * 3


@given(
    st.binary(max_size=400),
    st.sampled_from([b"", b"RTSP/1.0 ", b"$", b"RTSP/1.0 401 No\r\nWWW-Authenticate: Digest "]),
)
def test_whatever_a_camera_sends_ends_at_most_its_own_reading(noise: bytes, before: bytes) -> None:
    for link in (a_link(), playing(a_link())):
        link.from_decoder(asked("GET_PARAMETER"))
        try:
            link.from_camera(before + noise + b"\r\n\r\n")
        except Broken as broken:
            assert broken.fault in Fault


@given(st.binary(max_size=400))
def test_whatever_a_decoder_sends_ends_at_most_its_own_reading(noise: bytes) -> None:
    link = a_link()
    try:
        link.from_decoder(noise + b"\r\n\r\n")
    except Broken as broken:
        assert broken.fault in Fault
    assert SECRET.encode() not in link.to_camera


@pytest.mark.parametrize(
    "raw",
    [
        b"A" * 70_000,
        b"RTSP/1.0 200 OK\r\nContent-Length: 99999999\r\n\r\n",
        b"RTSP/1.0 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n",
    ],
)
def test_what_is_no_rtsp_is_not_held_for_ever(raw: bytes) -> None:
    with pytest.raises(NotRtsp):
        Splitter().feed(raw)
