"""Everybody can use it: names and roles, contrast in both colour schemes, sizes, 400 % zoom."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from services.review.core.views import CaseState, Judgement, Likeness, Resemblance
from tests.integration.review.web.desk import AtDesk
from tests.integration.review.web.served import Served

SignIn = Callable[..., AtDesk]

# Node.DOCUMENT_POSITION_FOLLOWING
_FOLLOWS = 4
# Ratios of every text against the nearest painted ground behind it, as WCAG 2.2 computes them.
_CONTRAST = """() => {
  const parse = text => {
    const [r, g, b, a = 1] = text.match(/[\\d.]+/g).map(Number);
    return { rgb: [r, g, b], a };
  };
  const light = ({ rgb }) => {
    const [r, g, b] = rgb.map(v => v / 255).map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = element => {
    for (let at = element; at; at = at.parentElement) {
      const colour = parse(getComputedStyle(at).backgroundColor);
      if (colour.a === 1) return colour;
    }
    return parse("rgb(255, 255, 255)");
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const found = [];
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || !element.checkVisibility()) continue;
    const [a, b] = [light(parse(getComputedStyle(element).color)), light(ground(element))];
    found.push([(Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05), walker.currentNode.data.trim()]);
  }
  return found;
}"""
# What can be pressed, and how large it is; a label presses its control too.
_TARGETS = """() => [...document.querySelectorAll("button, a, input:not([type=hidden]), textarea")]
  .filter(one => one.checkVisibility() && !one.matches(".skip"))
  .map(one => [one, (one.closest("label") ?? one).getBoundingClientRect()])
  .map(([one, box]) => [one.id || one.value || one.textContent, box.width, box.height])"""
_NAMELESS = """() => [...document.querySelectorAll("button, a, input:not([type=hidden]), textarea, [role], img")]
  .filter(one => one.checkVisibility())
  .filter(one => !(one.getAttribute("aria-label") || one.labels?.length || one.textContent.trim() || one.alt
                   || one.getAttribute("role") === "status"))
  .map(one => one.outerHTML)"""


def _contrast(page: Page) -> None:
    found = page.evaluate(_CONTRAST)
    assert len(found) > 5
    weak = [(round(ratio, 2), text) for ratio, text in found if ratio < 4.5]
    assert not weak


def _targets(page: Page) -> None:
    small = [target for target in page.evaluate(_TARGETS) if min(target[1], target[2]) < 24]
    assert not small


def _names(page: Page) -> None:
    assert page.evaluate(_NAMELESS) == []


def _check(page: Page) -> None:
    _contrast(page)
    _targets(page)
    _names(page)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_screen_has_contrast_sizes_and_names(served: Served, at_desk: SignIn, scheme: str) -> None:
    served.open("case-1")
    served.open("case-2").judged["ann"] = Judgement.MATCH
    ann = at_desk("ann", color_scheme=scheme)
    ann.sees("case-2")
    _check(ann.page)
    ann.take("case-1")
    _check(ann.page)
    ann.press("n", "f", "Space", "?")
    _check(ann.page)
    ann.press("Escape")
    _check(ann.page)
    ann.press("Enter")
    ann.is_at("done")
    _check(ann.page)
    served.sessions.end_all()
    ann.is_at("ended")
    _check(ann.page)
    ann.page.get_by_role("link", name="Sign in again").click()
    ann.page.get_by_label("User name").wait_for()
    _check(ann.page)


@pytest.mark.parametrize("user", ["sue", "ola"])
def test_the_plain_forms_have_contrast_sizes_and_names(served: Served, at_desk: SignIn, user: str) -> None:
    served.open("case-1").state = CaseState.AGREED_MATCH
    desk = at_desk(user)
    desk.page.locator("[data-case='case-1'] button").click()
    desk.is_at("form")
    _check(desk.page)


def test_the_roles_and_names_of_an_open_case_tell_it_all(served: Served, at_desk: SignIn) -> None:
    served.open("case-1")
    ann = at_desk("ann")
    ann.take("case-1")
    snapshot = ann.page.locator("main").aria_snapshot()
    for line in (
        'heading "gate-1,',
        'heading "Seen by the camera" [level=2]',
        'heading "On the list" [level=2]',
        'group "Pictures from the camera"',
        'group "Pictures from the list"',
        'form "Your judgement"',
        'group "Is this the same person?"',
        'radio "Not a match N"',
        'checkbox "Marks, scars"',
        'img "Best shot 1 of the person seen"',
        'img "Picture 1 of the listed person"',
        'button "Zoom in"',
        'button "Put the case back B"',
    ):
        assert line in snapshot, snapshot


def test_only_polite_regions_speak_and_no_clock_does(served: Served, at_desk: SignIn) -> None:
    served.open("case-1")
    ann = at_desk("ann")
    ann.take("case-1")
    regions = ann.page.evaluate(
        "[...document.querySelectorAll('[aria-live], [role=status], [role=alert], [role=timer]')].map(r => r.id)"
    )
    assert regions == ["alarm", "told", "cautions"]


def test_a_new_screen_is_read_out(served: Served, at_desk: SignIn) -> None:
    served.open("case-1")
    ann = at_desk("ann")
    focused = "document.activeElement.id"
    assert ann.page.evaluate(focused) == "queue-title"
    ann.take("case-1")
    assert ann.page.evaluate(focused) == "case-title"
    ann.judge("c")
    assert ann.page.evaluate(focused) == "done-title"


def test_focus_can_be_seen(served: Served, at_desk: SignIn) -> None:
    served.open("case-1")
    ann = at_desk("ann")
    ann.sees("case-1")
    ann.press("ArrowDown")
    outline = ann.page.evaluate("getComputedStyle(document.activeElement).outline")
    assert "3px" in outline
    assert "solid" in outline


@pytest.mark.parametrize("width", [320, 683])
def test_a_zoomed_page_flows_and_needs_no_sideways_scrolling(served: Served, at_desk: SignIn, width: int) -> None:
    """1280 px at 400 %, 1366 px at 200 %."""
    served.open("case-1")
    ann = at_desk("ann", viewport={"width": width, "height": 400})
    overflow = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    ann.sees("case-1")
    assert ann.page.evaluate(overflow) <= 0
    ann.take("case-1")
    assert ann.page.evaluate(overflow) <= 0
    ann.judge("m")
    assert ann.page.evaluate(overflow) <= 0


def test_nothing_moves(served: Served, at_desk: SignIn) -> None:
    served.open("case-1")
    ann = at_desk("ann")
    ann.take("case-1")
    assert ann.page.evaluate("document.getAnimations().length") == 0


def test_who_may_be_taken_for_the_person_is_read_out_before_anything_is_judged(
    served: Served, at_desk: SignIn
) -> None:
    brother = Resemblance(likeness=Likeness.SIBLING, other="b" * 32)
    served.open("case-1", resembles=(brother,), handling="Call the carer.")
    ann = at_desk("ann")
    ann.take("case-1")
    cautions = ann.page.get_by_role("status").filter(has_text="Careful")
    expect(cautions).to_contain_text("a brother or sister, who is on this list too")
    expect(cautions).to_contain_text("How to meet the person: Call the carer.")
    above = "document.getElementById('cautions').compareDocumentPosition(document.getElementById('judge'))"
    assert ann.page.evaluate(above) == _FOLLOWS
    served.open("case-2")
    ann.judge("c")
    expect(ann.page.locator("#cautions")).to_be_empty()
