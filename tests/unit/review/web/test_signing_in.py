"""Signing in, staying in, and out: cookies, the form's token, and how often one may fail."""

from __future__ import annotations

import re
from collections.abc import Mapping

from services.contracts.authority import UseCase
from services.runtime.doors.peers import Proxies
from tests.fakes.casework import FakeSessions
from tests.unit.review.web.page import FORM, SESSION, Answer, Page, a_page


def _sign_in(
    page: Page,
    user: str,
    password: str = FakeSessions.PASSWORD,
    *,
    headers: Mapping[str, str] | None = None,
    cookies: Mapping[str, str] | None = None,
) -> Answer:
    """Open the form, fill it in, send it off."""
    form = page.get("/sign-in")
    secret = _cookie(form, FORM)
    token = re.search(r'name="csrf" value="([0-9a-f]{64})"', form.body.decode())
    assert token
    fields = {"csrf": token[1], "user": user, "password": password}
    brought = "; ".join(f"{name}={value}" for name, value in {FORM: secret, **(cookies or {})}.items())
    return page.submit("/sign-in", fields, headers={"Cookie": brought, **(headers or {})})


def _cookie(answer: Answer, name: str) -> str:
    for line in answer.cookies:
        key, _, value = line.partition(";")[0].partition("=")
        if key == name:
            return value
    raise AssertionError(f"no cookie {name} in {answer.cookies}")


def test_who_signs_in_gets_a_session_and_is_sent_to_the_queue() -> None:
    page = a_page()
    answer = _sign_in(page, "ann")
    assert (answer.status, answer.headers["location"]) == (303, "/")
    session = _cookie(answer, SESSION)
    assert page.get("/", session=session).status == 200
    assert page.get("/api/me", session=session).json()["name"] == "Ann"


def test_the_session_cookie_is_out_of_reach_of_scripts_and_other_sites() -> None:
    (line,) = [one for one in _sign_in(a_page(), "ann").cookies if one.startswith(SESSION)]
    parts = {part.strip().lower() for part in line.split(";")[1:]}
    assert {"httponly", "samesite=strict", "path=/", "max-age=28800"} <= parts
    assert not any(part.startswith("domain") for part in parts)


def test_cookies_are_secure_anywhere_but_on_loopback() -> None:
    (line,) = a_page(loopback=False).get("/sign-in").cookies
    assert line.startswith("__Host-signpost-form=")
    assert "secure" in line.lower()
    assert "secure" not in a_page(loopback=True).get("/sign-in").cookies[0].lower()


def test_an_unknown_user_and_a_wrong_password_read_the_same() -> None:
    page = a_page()
    texts = []
    for user, password in (("nobody", FakeSessions.PASSWORD), ("ann", "wrong")):
        answer = _sign_in(page, user, password)
        assert answer.status == 401
        texts.append(re.sub(r"[0-9a-f]{64}", "", answer.body.decode()))
    assert texts[0] == texts[1]
    assert "User name or password is wrong." in texts[0]


def test_a_form_that_is_not_ours_signs_nobody_in() -> None:
    """Else another site could sign a reviewer in as somebody else."""
    page = a_page()
    fields = {"csrf": "0" * 64, "user": "ann", "password": FakeSessions.PASSWORD}
    for headers in ({}, {"Cookie": f"{FORM}=made-up"}):
        answer = page.submit("/sign-in", fields, headers=headers)
        assert answer.status == 403
    assert not page.sessions.sessions


def test_a_form_of_many_fields_is_refused() -> None:
    """The ninth field was a bug to the server, and an error in its log for anybody to make."""
    page = a_page()
    answer = page.submit("/sign-in", {f"field-{number}": "x" for number in range(9)}, headers={})
    assert answer.status == 403
    assert "8 fields at most" in answer.body.decode()


def test_who_tries_too_often_is_told_how_long_to_wait() -> None:
    page = a_page()
    page.sessions.too_often_s = 29.2
    refused = _sign_in(page, "ann")
    assert (refused.status, refused.headers["retry-after"]) == (429, "30")
    assert "Please wait 30 seconds." in refused.body.decode()


def test_twenty_wrong_names_from_an_address_shut_nobody_else_out() -> None:
    """Behind an ingress everybody was one address, and twenty wrong tries of anybody locked all of them out."""
    page = a_page()
    for number in range(20):
        assert _sign_in(page, f"user-{number}", "wrong").status == 401
    assert _sign_in(page, "ann").status == 303


def test_a_browser_keeps_what_it_is_known_by_and_brings_it_back() -> None:
    page = a_page()
    first = _sign_in(page, "ann")
    (line,) = [one for one in first.cookies if one.startswith("signpost-device=")]
    parts = {part.strip().lower() for part in line.split(";")[1:]}
    assert {"httponly", "samesite=strict", "path=/", "max-age=2592000"} <= parts
    _sign_in(page, "ann", cookies={"signpost-device": _cookie(first, "signpost-device")})
    assert [one.device for one in page.sessions.asked] == ["", "device of ann"]


def test_the_address_is_the_connections_unless_a_trusted_proxy_names_another() -> None:
    given = {"X-Forwarded-For": "203.0.113.9"}
    page, behind = a_page(), a_page(proxies=Proxies.named(["192.0.2.0/24"], variable="TRUSTED_PROXIES"))
    _sign_in(page, "ann", headers=given)
    _sign_in(behind, "ann", headers=given)
    assert page.sessions.asked[0].peer == "192.0.2.7"
    assert behind.sessions.asked[0].peer == "203.0.113.9"


def test_without_a_session_the_page_sends_to_the_form() -> None:
    answer = a_page().get("/")
    assert (answer.status, answer.headers["location"]) == (303, "/sign-in")


def test_sign_out_ends_the_session_and_takes_the_cookie_back() -> None:
    page = a_page()
    session = page.sessions.session("ann")
    answer = page.post("/api/sign-out", session=session)
    assert answer.status == 200
    assert _cookie(answer, SESSION) in ("", '""')
    assert page.get("/api/me", session=session).status == 401


def test_an_exercise_says_so_on_every_page() -> None:
    page = a_page(note="Public-domain portraits <stand in>.")
    for html in (page.get("/sign-in").body, page.get("/", session=page.sessions.session("ann")).body):
        text = html.decode()
        assert "EXERCISE" in text.partition("</p>")[0]
        assert "Public-domain portraits &lt;stand in&gt;." in text
        assert "<title>EXERCISE" in text


def test_a_live_deployment_does_not_say_exercise() -> None:
    page = a_page(use_case=UseCase.LIVE)
    assert "EXERCISE" not in page.get("/sign-in").body.decode()
    assert "EXERCISE" not in page.get("/", session=page.sessions.session("ann")).body.decode()
