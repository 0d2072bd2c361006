"""Every route asks for a session, for our own page and for a role, and for nothing else."""

from __future__ import annotations

import pytest
from starlette.routing import Mount, Route

from services.review.core.people import Role
from services.review.core.roles import ROLES, Call
from services.review.web.cookies import proof_of
from tests.fakes.casework import a_person
from tests.unit.review.web.page import Page, a_page

# Every route of the page: its call, and a body that its handler takes.
ROUTES: dict[tuple[str, str], tuple[Call, object]] = {
    ("GET", "/api/me"): (Call.WHO_AM_I, None),
    ("POST", "/api/sign-out"): (Call.SIGN_OUT, {}),
    ("GET", "/api/queue"): (Call.WATCH_CASES, None),
    ("GET", "/api/cases/{case}"): (Call.GET_CASE, None),
    ("POST", "/api/cases/{case}/claim"): (Call.CLAIM_CASE, {}),
    ("POST", "/api/cases/{case}/renew"): (Call.RENEW_CLAIM, {"fence": 1}),
    ("POST", "/api/cases/{case}/release"): (Call.RELEASE_CLAIM, {"fence": 1, "reason": "put_back"}),
    ("POST", "/api/cases/{case}/view"): (Call.VIEW_CASE, {"fence": 1}),
    ("GET", "/api/pictures/{token}"): (Call.VIEW_PICTURE, None),
    ("POST", "/api/cases/{case}/judgement"): (
        Call.JUDGE,
        {"fence": 1, "judgement": "match", "features": ["ears"], "displayed_digest": "0" * 64},
    ),
    ("POST", "/api/cases/{case}/supersede"): (Call.SUPERSEDE, {"towards": "reopen", "reason": "a doubt"}),
    ("POST", "/api/cases/{case}/engagement"): (Call.RECORD_ENGAGEMENT, {"result": "engaged"}),
    ("POST", "/api/cases/{case}/outcome"): (Call.RECORD_OUTCOME, {"outcome": "confirmed"}),
}
OPEN = {("GET", "/"), ("GET", "/sign-in"), ("POST", "/sign-in")}


def _ask(page: Page, method: str, path: str, session: str, **more: dict[str, str]) -> tuple[int, str]:
    real = path.replace("{case}", "case-1").replace("{token}", "no-such-token")
    body = ROUTES[method, path][1]
    answer = (
        page.get(real, session=session, **more)
        if method == "GET"
        else page.post(real, body, session=session, **more)
    )
    is_refusal = answer.status >= 400 and answer.headers["content-type"] == "application/json"
    return answer.status, answer.json()["refused"] if is_refusal else ""


def test_no_route_stands_beside_the_table() -> None:
    found = set()
    for route in a_page().app.routes:
        if isinstance(route, Route):
            found |= {(method, route.path) for method in route.methods or () if method != "HEAD"}
        else:
            assert isinstance(route, Mount)
            assert route.path == "/static"
    assert found == set(ROUTES) | OPEN


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_a_route_is_for_the_roles_of_its_call_and_no_others(method: str, path: str, role: Role) -> None:
    """The pairs route x role, each."""
    page = a_page(a_person("somebody", role))
    status, refused = _ask(page, method, path, page.sessions.session("somebody"))
    if role in ROLES[ROUTES[method, path][0]]:
        assert refused not in ("not_allowed", "not_signed_in", "forged", "bad_input"), (status, refused)
        assert status < 500
    else:
        assert (status, refused) == (403, "not_allowed")


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_a_route_without_a_session_is_refused(method: str, path: str) -> None:
    assert _ask(a_page(), method, path, "") == (401, "not_signed_in")


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_a_route_after_the_session_has_ended_is_refused(method: str, path: str) -> None:
    page = a_page()
    session = page.sessions.session("ann")
    page.sessions.end_all()
    assert _ask(page, method, path, session) == (401, "not_signed_in")


@pytest.mark.parametrize("path", [path for method, path in ROUTES if method == "POST"])
def test_a_post_without_the_pages_token_is_refused(path: str) -> None:
    page = a_page()
    session = page.sessions.session("ann")
    somebody_elses = proof_of(page.sessions.session("ben"))
    for token in ("", "0" * 64, somebody_elses):
        found = _ask(page, "POST", path, session, headers={"X-Signpost-Token": token})
        assert found == (403, "forged")
    assert not page.casework.cases["case-1"].claims


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "http://evil.example", "Sec-Fetch-Site": "same-origin"},
        {"Origin": "null"},
        {"Origin": "null", "Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
    ids=str,
)
def test_a_post_that_another_site_sent_is_refused(headers: dict[str, str]) -> None:
    page = a_page()
    session = page.sessions.session("ann")
    found = _ask(page, "POST", "/api/cases/{case}/claim", session, headers=headers)
    assert found == (403, "forged")


@pytest.mark.parametrize("origin", ["http://127.0.0.1:8080", "null"])
def test_what_our_own_page_sends_is_welcome(origin: str) -> None:
    """A page that sends no referrer has its forms sent with a null origin."""
    page = a_page()
    headers = {"Origin": origin, "Sec-Fetch-Site": "same-origin"}
    answer = page.post("/api/cases/case-1/claim", session=page.sessions.session("ann"), headers=headers)
    assert answer.status == 200


@pytest.mark.parametrize("path", ["/", "/sign-in", "/api/me", "/api/pictures/x", "/static/js/main.js", "/nothing"])
def test_every_answer_forbids_what_it_does_not_need(path: str) -> None:
    headers = a_page().get(path).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == ("no-cache" if path.startswith("/static/") else "no-store")
