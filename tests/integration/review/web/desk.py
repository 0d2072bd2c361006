"""A person at the page, in a browser of their own: what the tests do, in words."""

from __future__ import annotations

from playwright.sync_api import Browser, ConsoleMessage, Page, expect

from tests.fakes.casework import FakeSessions

# A busy machine draws slowly; nothing here takes longer unless it is broken.
WITHIN_MS = 15_000
SESSION = "signpost-session"
# Chromium says so of every answer that is no success; those are what some tests are about.
_EXPECTED = "Failed to load resource"


class AtDesk:
    """One signed-in person. `errors` collects what the page's own code, or its policy, complained of."""

    def __init__(self, browser: Browser, url: str, user: str, **context: object) -> None:
        self._context = browser.new_context(**({"viewport": {"width": 1366, "height": 800}} | context))  # type: ignore[arg-type]
        self._context.set_default_timeout(WITHIN_MS)
        self.page: Page = self._context.new_page()
        self.errors: list[str] = []
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("console", self._complaint)
        self.url = url
        self.user = user

    def arrive(self, session: str) -> AtDesk:
        """With a session that is open."""
        self._context.add_cookies(
            [{"name": SESSION, "value": session, "url": self.url, "httpOnly": True, "sameSite": "Strict"}]
        )
        self.page.goto(self.url)
        return self._live()

    def sign_in(self) -> AtDesk:
        """By keyboard alone."""
        self.page.goto(self.url)
        self.page.locator("#user:focus").wait_for()
        self.page.keyboard.type(self.user)
        self.page.keyboard.press("Tab")
        self.page.keyboard.type(FakeSessions.PASSWORD)
        self.page.keyboard.press("Enter")
        return self._live()

    def _live(self) -> AtDesk:
        self.is_at("queue")
        expect(self.page.locator("#link")).to_have_text("Live", timeout=WITHIN_MS)
        return self

    def is_at(self, screen: str) -> None:
        """Waits for a screen, and for the moment after which it takes keys."""
        self.page.locator(f"body[data-screen={screen}][data-settled=yes]").wait_for(state="attached")

    def sees(self, case: str) -> None:
        self.page.locator(f"[data-case='{case}']").wait_for()

    def take(self, case: str) -> None:
        self.page.locator(f"[data-case='{case}'] button").click()
        self.has_pictures()

    def has_pictures(self) -> None:
        """All of them are shown, and a judgement can be made."""
        self.is_at("case")
        self.page.locator("#answers:not([disabled])").wait_for()

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def judge(self, key: str) -> None:
        """An answer by its key, the first feature if it compares, and Enter."""
        self.press(key)
        if key in "mn":
            self.press("f", "Space")
        self.press("Enter")
        self.is_at("done")

    def back(self) -> None:
        self.press("Enter")
        self.is_at("queue")

    def text(self, selector: str) -> str:
        return self.page.locator(selector).inner_text()

    def pictures(self) -> int:
        return self.page.locator("img").count()

    def close(self) -> None:
        self._context.close()

    def _complaint(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and _EXPECTED not in message.text:
            self.errors.append(message.text)
