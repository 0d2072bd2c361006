"""What a browser could be tricked into, or could keep: forged posts, used addresses, stored data."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page

from tests.integration.review.web.desk import AtDesk
from tests.integration.review.web.served import Served

SignIn = Callable[..., AtDesk]

_POST = """([path, headers]) => fetch(path, { method: "POST", headers, body: "{}" }).then(r => r.status)"""


def _status(page: Page, path: str) -> int:
    return int(page.evaluate("path => fetch(path).then(answer => answer.status)", path))


def test_a_post_without_the_pages_token_is_refused(served: Served, at_desk: SignIn) -> None:
    case = served.open("case-1")
    ann = at_desk("ann")
    assert ann.page.evaluate(_POST, ["/api/cases/case-1/claim", {}]) == 403
    assert not case.claims


def test_an_address_of_a_picture_is_good_once_and_for_one_session(served: Served, at_desk: SignIn) -> None:
    served.open("case-1")
    ann, ben = at_desk("ann"), at_desk("ben")
    ann.page.route("**/api/pictures/*", lambda route: route.abort())
    with ann.page.expect_response("**/claim") as claim:
        ann.page.locator("[data-case='case-1'] button").click()
    address = claim.value.json()["pictures"][0]["address"]
    ann.page.unroute("**/api/pictures/*")
    assert _status(ben.page, address) == 410
    assert _status(ann.page, address) == 200
    assert _status(ann.page, address) == 410


def test_pictures_that_do_not_come_forbid_a_judgement(served: Served, at_desk: SignIn) -> None:
    """Nobody decides about what was not on the screen."""
    served.open("case-1")
    ann = at_desk("ann")
    ann.page.route("**/api/pictures/*", lambda route: route.abort())
    ann.page.locator("[data-case='case-1'] button").click()
    ann.page.get_by_text("Not every picture could be shown").wait_for()
    assert ann.page.get_by_label("Cannot tell").is_disabled()
    ann.page.unroute("**/api/pictures/*")
    ann.is_at("case")
    ann.press("r")
    ann.has_pictures()


def test_nothing_of_a_case_is_in_the_address_the_title_or_any_store(served: Served, at_desk: SignIn) -> None:
    served.open("case-1")
    ann = at_desk("ann", url=served.url)
    ann.take("case-1")
    assert ann.page.url == f"{served.url}/"
    assert ann.page.title() == "(1) EXERCISE · Signpost review"
    kept = ann.page.evaluate(
        """async () => [localStorage.length, sessionStorage.length, (await indexedDB.databases()).length,
                        (await caches.keys()).length, document.cookie]"""
    )
    assert kept == [0, 0, 0, 0, ""]


def test_the_policy_lets_nothing_else_run_or_load(served: Served, at_desk: SignIn) -> None:
    ann = at_desk("ann")
    refused = ann.page.evaluate(
        """async () => {
          const refused = [];
          document.addEventListener("securitypolicyviolation", event => refused.push(event.effectiveDirective));
          const script = document.createElement("script");
          try { script.text = "document.title = 'run'"; } catch { refused.push("trusted-types"); }
          const image = new Image();
          image.src = "http://192.0.2.1/x.png";
          await fetch("http://192.0.2.1/").catch(() => {});
          await new Promise(resolve => setTimeout(resolve));
          return refused;
        }"""
    )
    assert {"trusted-types", "img-src", "connect-src"} <= set(refused)
    ann.errors.clear()


def test_the_page_cannot_be_framed(served: Served, at_desk: SignIn) -> None:
    other = at_desk("ann").page.context.new_page()
    with other.expect_console_message(lambda message: "frame-ancestors" in message.text):
        other.set_content(f"<iframe src='{served.url}/sign-in'></iframe>")
    assert other.frames[1].get_by_label("User name").count() == 0
