"""Whatever ends a claim, a connection or a session: it is said, nothing can be pressed, no picture stays."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Route, expect

from services.review.core.views import CaseState, Judgement
from tests.integration.review.web.desk import WITHIN_MS, AtDesk
from tests.integration.review.web.served import Served

SignIn = Callable[..., AtDesk]

_BLOBS = "[...document.querySelectorAll('.pane img')].map(i => i.src)"
_READABLE = """async addresses => {
  const found = [];
  for (const address of addresses) {
    await fetch(address).then(() => found.push(address), () => {});
  }
  return found;
}"""


def _addresses(desk: AtDesk) -> list[str]:
    found: list[str] = desk.page.evaluate(_BLOBS)
    assert len(found) == 6
    return found


def _are_gone(desk: AtDesk, addresses: list[str]) -> None:
    """Neither in the page nor in the browser's store of blobs. The policy forbids to fetch blobs; an image may."""
    assert desk.pictures() == 0
    shown = desk.page.evaluate(
        """addresses => Promise.all(addresses.map(address => {
             const image = new Image(); image.src = address;
             return image.decode().then(() => true, () => false);
           }))""",
        addresses,
    )
    assert shown == [False] * len(addresses)


def test_a_blob_can_be_read_while_the_claim_lasts(served: Served, at_desk: SignIn) -> None:
    """The other tests here would pass without this if blobs could never be read."""
    served.open("case-1")
    ann = at_desk("ann")
    ann.take("case-1")
    shown = ann.page.evaluate(
        """addresses => Promise.all(addresses.map(address => {
             const image = new Image(); image.src = address;
             return image.decode().then(() => true, () => false);
           }))""",
        _addresses(ann),
    )
    assert all(shown)


def test_a_claim_that_another_ended_is_said_and_clears_the_pictures(served: Served, at_desk: SignIn) -> None:
    served.open("case-1")
    ann = at_desk("ann")
    ann.take("case-1")
    addresses = _addresses(ann)
    served.casework.lapse("case-1")
    ann.is_at("done")
    assert "goes to somebody else" in ann.text("#done-text")
    _are_gone(ann, addresses)


def test_a_claim_that_runs_out_is_said_by_the_page_itself(served: Served, at_desk: SignIn) -> None:
    served.open("case-1", claim_s=2)
    ann = at_desk("ann")
    ann.page.locator("[data-case='case-1'] button").click()
    ann.is_at("done")
    assert ann.text("#done-title") == "Claim lapsed"
    assert ann.pictures() == 0


def test_a_case_that_ends_meanwhile_is_said(served: Served, at_desk: SignIn) -> None:
    case = served.open("case-1")
    ann = at_desk("ann")
    ann.take("case-1")
    case.state = CaseState.EXPIRED
    ann.is_at("done")
    assert "no action" in ann.text("#done-text")
    assert ann.pictures() == 0


def test_a_judgement_clears_the_pictures(served: Served, at_desk: SignIn) -> None:
    served.open("case-1")
    ann = at_desk("ann")
    ann.take("case-1")
    addresses = _addresses(ann)
    ann.judge("c")
    _are_gone(ann, addresses)


def test_a_person_who_works_keeps_the_claim(served: Served, at_desk: SignIn) -> None:
    case = served.open("case-1", claim_s=6)
    ann = at_desk("ann")
    ann.take("case-1")
    until = case.claims["ann"].expires_at
    ann.press("+")
    expect(ann.page.locator("#claim-left")).to_have_text("0:03", timeout=WITHIN_MS)
    ann.press("0")
    expect(ann.page.locator("#claim-left")).to_have_text("0:06", timeout=WITHIN_MS)
    assert case.claims["ann"].expires_at > until


def test_a_lost_connection_is_said_stops_everything_and_comes_back(served: Served, at_desk: SignIn) -> None:
    case = served.open("case-1")
    ann = at_desk("ann")
    ann.take("case-1")
    ann.press("c")
    addresses = _addresses(ann)
    served.stop()
    expect(ann.page.locator("#alarm")).to_contain_text("Connection lost", timeout=WITHIN_MS)
    assert ann.page.locator("#link").inner_text() == "Not connected"
    for control in ("#record", "#put-back", "#keep"):
        assert ann.page.locator(control).is_disabled()
    assert ann.page.get_by_label("Not a match").is_disabled()
    ann.press("m", "Enter")
    expect(ann.page.locator(".pane img")).to_have_count(0, timeout=WITHIN_MS)
    _are_gone(ann, addresses)
    served.start()
    expect(ann.page.locator("#link")).to_have_text("Live", timeout=WITHIN_MS)
    assert ann.page.locator("#alarm").inner_text() == ""
    ann.has_pictures()
    assert not case.judged
    ann.judge("c")
    assert case.judged == {"ann": Judgement.CANNOT_TELL}


def test_no_case_can_be_taken_without_a_connection(served: Served, at_desk: SignIn) -> None:
    served.open("case-1")
    ann = at_desk("ann")
    ann.sees("case-1")
    served.stop()
    expect(ann.page.locator("#link")).to_have_text("Not connected", timeout=WITHIN_MS)
    assert ann.page.locator("[data-case='case-1'] button").is_disabled()


def test_a_session_that_ends_clears_the_page(served: Served, at_desk: SignIn) -> None:
    served.open("case-1")
    ann = at_desk("ann")
    ann.take("case-1")
    addresses = _addresses(ann)
    served.sessions.end_all()
    ann.is_at("ended")
    _are_gone(ann, addresses)
    assert ann.page.locator("#queue li").count() == 0
    assert "gate-1" not in ann.text("body")
    ann.page.get_by_role("link", name="Sign in again").click()
    ann.page.get_by_label("User name").wait_for()


def test_signing_out_clears_the_page_and_going_back_shows_nothing(served: Served, at_desk: SignIn) -> None:
    served.open("case-1")
    ann = at_desk("ann", url=served.url)
    ann.take("case-1")
    ann.page.get_by_role("button", name="Sign out").click()
    ann.page.get_by_label("User name").wait_for()
    assert not served.sessions.sessions
    ann.page.go_back()
    ann.page.get_by_label("User name").wait_for()
    assert ann.pictures() == 0


def test_a_judgement_whose_answer_is_lost_is_said_again_and_counts_once(served: Served, at_desk: SignIn) -> None:
    """The server has it; who was told "nothing was recorded" would go on believing that."""
    case = served.open("case-1")
    ann = at_desk("ann")
    ann.take("case-1")

    def lose_first(route: Route) -> None:
        route.fetch()
        route.abort()

    ann.page.route("**/judgement", lose_first, times=1)
    ann.judge("c")
    assert ann.text("#done-title") == "Recorded: cannot tell"
    assert case.judged == {"ann": Judgement.CANNOT_TELL}


def test_a_judgement_that_is_never_answered_is_not_called_unrecorded(served: Served, at_desk: SignIn) -> None:
    served.open("case-1")
    ann = at_desk("ann")
    ann.take("case-1")

    def lose(route: Route) -> None:
        route.fetch()
        route.abort()

    ann.page.route("**/judgement", lose)
    ann.press("c", "Enter")
    ann.is_at("done")
    assert ann.text("#done-title") == "Not certain"
    assert "Nothing was recorded" not in ann.text("main")
    assert ann.pictures() == 0
