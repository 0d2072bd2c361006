"""A real Chromium and the page that it looks at."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.integration.review.web.desk import AtDesk
from tests.integration.review.web.served import Served
from tests.integration.stack import missing_server

CHROMIUM = Path("/usr/bin/chromium")
# Nothing in the background talks to anybody.
_QUIET = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)

SignIn = Callable[..., AtDesk]


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """One Chromium for the package. Playwright keeps an event loop running for as long as it lives, and tests
    elsewhere want one of their own."""
    if not CHROMIUM.exists():
        missing_server(f"{CHROMIUM} is missing: apt-get install chromium")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=str(CHROMIUM), args=list(_QUIET))
        yield chromium
        chromium.close()


@pytest.fixture
def served() -> Iterator[Served]:
    page = Served()
    yield page
    page.stop()


@pytest.fixture
def at_desk(browser: Browser, served: Served) -> Iterator[SignIn]:
    """`at_desk("ann")`: a person at the page, in a browser of their own; whose page complains fails the test.

    With `url` they sign in there, at the form.
    """
    desks: list[AtDesk] = []

    def sign_in(user: str, *, url: str = "", **context: object) -> AtDesk:
        desks.append(AtDesk(browser, url or served.url, user, **context))
        return desks[-1].sign_in() if url else desks[-1].arrive(served.sessions.session(user))

    yield sign_in
    errors = [error for desk in desks for error in desk.errors]
    for desk in desks:
        desk.close()
    assert not errors, errors
