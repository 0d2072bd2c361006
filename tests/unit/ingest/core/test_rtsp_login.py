"""Answers to a camera's question who is there, held against the examples of the standards."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.core.rtsp_login import Answering, CannotAnswer, Login

# RFC 7616, section 3.9.1.
MUFASA = Login("Mufasa", "Circle of Life")
CHANCE = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"
ASKED = (
    'Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm={}, '
    'nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"'
)


def answering(*asked: str, login: Login = MUFASA) -> Answering:
    return Answering(login, asked, chance=lambda: CHANCE)


@pytest.mark.parametrize(
    ("algorithm", "response"),
    [
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ],
)
def test_the_answer_is_that_of_the_standards_example(algorithm: str, response: str) -> None:
    said = answering(ASKED.format(algorithm)).header("GET", "/dir/index.html")
    assert f'response="{response}"' in said
    assert "nc=00000001" in said


def test_the_strongest_way_that_is_offered_is_taken_whatever_the_order() -> None:
    both = (ASKED.format("MD5"), ASKED.format("SHA-256"))
    for asked in (both, both[::-1], (f'Basic realm="x", {", ".join(both)}',)):
        assert "algorithm=SHA-256" in answering(*asked).header("GET", "/")


def test_a_question_without_quality_is_answered_as_old_cameras_expect() -> None:
    """RFC 2069, with the response that its errata give."""
    login = Login("Mufasa", "CircleOfLife")
    asked = 'Digest realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093"'
    said = answering(asked, login=login).header("GET", "/dir/index.html")
    assert 'response="1949323746fe6a43ef61f9606e7febea"' in said
    assert "nc=" not in said


def test_no_answer_is_given_twice() -> None:
    asked = answering(ASKED.format("SHA-256"))
    counts = [re.findall("nc=([0-9a-f]+)", asked.header("GET", "/"))[0] for _ in range(3)]
    assert counts == ["00000001", "00000002", "00000003"]


@pytest.mark.parametrize(
    "asked",
    ["", "Negotiate", 'Digest realm="x"', 'Digest nonce="x", algorithm=TTH', 'Digest nonce="x", qop="auth-int"'],
)
def test_what_cannot_be_answered_is_said_so(asked: str) -> None:
    with pytest.raises(CannotAnswer):
        answering(asked)


@given(st.text(alphabet=st.characters(max_codepoint=255, exclude_characters="\r\n")), st.text(), st.text())
def test_whatever_a_camera_asks_the_answer_is_one_line(asked: str, user: str, password: str) -> None:
    login = Login(user.encode("utf-8", "ignore").decode(), password.encode("utf-8", "ignore").decode())
    for question in (asked, f"Digest nonce=x, {asked}", f"Basic {asked}"):
        try:
            said = answering(question, login=login).header("GET", "rtsp://h/x")
        except CannotAnswer:
            continue
        said.encode("latin-1")
