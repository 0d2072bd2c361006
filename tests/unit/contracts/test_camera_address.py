"""The one reading of a camera's address: of who drafts an authority, who checks it and who connects."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.contracts.camera_address import BadAddress, parse_address, parse_place

SECRET = "hunter2"


@pytest.mark.parametrize(
    ("text", "place", "url"),
    [
        ("rtsp://10.0.0.21/stream1", "10.0.0.21", "rtsp://10.0.0.21:554/stream1"),
        ("RTSP://10.0.0.21/x", "10.0.0.21", "rtsp://10.0.0.21:554/x"),
        (" rtsp://10.0.0.21/x \n", "10.0.0.21", "rtsp://10.0.0.21:554/x"),
        ("rtsps://Cam-1.Local./x", "cam-1.local", "rtsps://cam-1.local:322/x"),
        ("rtsp://cam_1:8554", "cam_1:8554", "rtsp://cam_1:8554"),
        ("rtsp://[2001:DB8:0::21]:554/x", "[2001:db8::21]:554", "rtsp://[2001:db8::21]:554/x"),
        ("rtsp://[::1]/x", "[::1]", "rtsp://[::1]:554/x"),
        ("rtsp://[fe80::1%25eth0]/x", "[fe80::1%eth0]", "rtsp://[fe80::1]:554/x"),
        ("rtsp://[fe80::1%eth0]/x", "[fe80::1%eth0]", "rtsp://[fe80::1]:554/x"),
        ("rtsp://[::ffff:10.0.0.21]/x", "10.0.0.21", "rtsp://10.0.0.21:554/x"),
        ("rtsp://10.0.0.21/cam?channel=1&subtype=0", "10.0.0.21", "rtsp://10.0.0.21:554/cam?channel=1&subtype=0"),
        ("rtsp://10.0.0.21?a=b", "10.0.0.21", "rtsp://10.0.0.21:554?a=b"),
        ("rtsp://10.0.0.21/ch^1/%20", "10.0.0.21", "rtsp://10.0.0.21:554/ch^1/%20"),
        ("rtsp://10.0.0.21/Zoë", "10.0.0.21", "rtsp://10.0.0.21:554/Zo%C3%AB"),
        ("rtsp://10.0.0.21/user=a@b", "10.0.0.21", "rtsp://10.0.0.21:554/user=a@b"),
    ],
)
def test_an_address_is_read_in_one_way(text: str, place: str, url: str) -> None:
    found = parse_address(text)
    assert (str(found.place), found.url()) == (place, url)
    assert parse_place(str(found.place)) == found.place


@pytest.mark.parametrize(
    ("userinfo", "user", "password"),
    [
        ("viewer", "viewer", None),
        ("viewer:", "viewer", ""),
        ("a:p%40ss", "a", "p@ss"),
        ("a:p@ss:w", "a", "p@ss:w"),
        ("a:paßwort", "a", "paßwort"),
        ("a:%E6%BC%A2%23%2F%5B%5C%20", "a", "漢#/[\\ "),
    ],
)
def test_user_and_password_are_what_was_meant(userinfo: str, user: str, password: str | None) -> None:
    found = parse_address(f"rtsp://{userinfo}@10.0.0.21/x")
    assert (found.user, found.password) == (user, password)
    assert "10.0.0.21" in found.url() and (password or user) not in found.url()


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("front door", "must be rtsp://host/..."),
        ("rtsp:/10.0.0.21/x", "must be rtsp://host/..."),
        (f"http://v:{SECRET}@10.0.0.21/v.mjpg", "read over RTSP only"),
        (f"rtspu://v:{SECRET}@10.0.0.21/x", "transport"),
        (f"rtsp://v:{SECRET}#1@10.0.0.21/x", "%23"),
        (f"rtsp://v:{SECRET}/1@10.0.0.21/x", "%2F"),
        (f"rtsp://v:{SECRET}?1@10.0.0.21/x", "%3F"),
        ("rtsp://v:1234/5@10.0.0.21/x", "%2F"),
        (f"rtsp://v:{SECRET}[@10.0.0.21/x", "%5B"),
        (f"rtsp://v:{SECRET}\\@10.0.0.21/x", "%5C"),
        (f"rtsp://v:{SECRET} @10.0.0.21/x", "%20"),
        (f"rtsp://v:100%{SECRET}@10.0.0.21/x", "%25"),
        (f"rtsp://v:{SECRET}%0D%0A@10.0.0.21/x", "control character"),
        ("rtsp://10.0.0.21/a b", "%20"),
        ("rtsp://10.0.0.21/a\r\nTEARDOWN", "%20"),
        ("rtsp://10.0.0.21/a#b", "%23"),
        ("rtsp://10.0.0.21\\x", "must name its host"),
        ("rtsp:///x", "must name its host"),
        ("rtsp://v@/x", "must name its host"),
        ("rtsp://ca\tm/x", "must name its host"),
        ("rtsp://c\u0430mera/x", "xn--"),
        ("rtsp://::1/x", "in brackets"),
        ("rtsp://2001:db8::21:554/x", "in brackets"),
        ("rtsp://[::1/x", "in brackets"),
        ("rtsp://[::1]554/x", "in brackets"),
        ("rtsp://[10.0.0.21]/x", "no IPv6"),
        ("rtsp://[fe80::1%]/x", "zone"),
        ("rtsp://010.0.0.21/x", "leading zeros"),
        ("rtsp://10.1/x", "IPv4"),
        ("rtsp://167772181/x", "IPv4"),
        ("rtsp://0x0a000015/x", "IPv4"),
        ("rtsp://cam:0/x", "port"),
        ("rtsp://cam:99999/x", "port"),
        ("rtsp://cam:0554/x", "port"),
        ("rtsp://cam:65536/x", "port"),
        ("rtsp://cam:\uff15\uff15\uff14/x", "port"),
    ],
)
def test_what_two_readers_might_take_for_two_cameras_is_refused_with_advice(text: str, advice: str) -> None:
    with pytest.raises(BadAddress) as refused:
        parse_address(text)
    assert advice in str(refused.value)
    assert SECRET not in str(refused.value)


@given(st.text())
def test_any_text_is_an_address_or_is_refused(text: str) -> None:
    for whole in (text, f"rtsp://{text}", f"rtsp://v:{text}@10.0.0.21/x", f"rtsp://[{text}]/", f"rtsp://h/{text}"):
        try:
            found = parse_address(whole)
        except BadAddress:
            continue
        assert found.url().isascii() and not any(sign.isspace() for sign in found.url())
        assert parse_address(found.url()).is_at(found.place) or "%" in found.place.host
