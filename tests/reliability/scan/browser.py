"""A reviewer's browser that keeps a profile on the disk, as theirs do."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.fakes.casework import FakeSessions

CHROMIUM = Path("/usr/bin/chromium")
_ARGUMENTS = ("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking")
_WITHIN_MS = 30_000


def look_at_a_case(page_url: str, profile: Path) -> int:
    """Sign in as ann, take the first case, see its pictures, and close; how many pictures were shown."""
    with sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            profile, executable_path=str(CHROMIUM), args=list(_ARGUMENTS)
        )
        context.set_default_timeout(_WITHIN_MS)
        page = context.new_page()
        page.goto(page_url)
        page.locator("#user:focus").wait_for()
        page.keyboard.type("ann")
        page.keyboard.press("Tab")
        page.keyboard.type(FakeSessions.PASSWORD)
        page.keyboard.press("Enter")
        # The page takes no click for a moment after its screen has changed.
        page.locator("body[data-screen=queue][data-settled=yes]").wait_for(state="attached")
        page.locator("[data-case] button").first.click()
        page.locator("#answers:not([disabled])").wait_for()
        shown = page.locator("img").count()
        context.close()
    return shown
