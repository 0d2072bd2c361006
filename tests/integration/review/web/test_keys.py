"""A key counts once, and only for what was on the screen when it went down."""

from __future__ import annotations

from collections.abc import Callable

from services.review.core.views import CaseState, Judgement
from tests.integration.review.web.desk import AtDesk
from tests.integration.review.web.served import Served

SignIn = Callable[..., AtDesk]


def _hold(desk: AtDesk, key: str, times: int = 6) -> None:
    """What a keyboard sends while a key is held: down again and again, marked as repeats."""
    for _ in range(times):
        desk.page.keyboard.down(key)


def test_enter_held_down_takes_a_case_and_does_not_decide_it(served: Served, at_desk: SignIn) -> None:
    """A hand left on the key must not judge the case that it has just opened."""
    case = served.open("case-1")
    ann = at_desk("ann")
    ann.sees("case-1")
    ann.press("ArrowDown")
    ann.page.keyboard.down("Enter")
    ann.has_pictures()
    ann.page.get_by_label("Cannot tell").check()
    _hold(ann, "Enter")
    ann.page.locator("#record").focus()
    _hold(ann, "Enter")
    assert not case.judged
    ann.page.keyboard.up("Enter")
    ann.press("Enter")
    ann.is_at("done")
    assert case.judged == {"ann": Judgement.CANNOT_TELL}


def test_enter_held_down_after_a_judgement_takes_no_further_case(served: Served, at_desk: SignIn) -> None:
    served.open("case-1")
    second = served.open("case-2")
    ann = at_desk("ann")
    ann.take("case-1")
    ann.press("c")
    ann.page.keyboard.down("Enter")
    ann.is_at("done")
    _hold(ann, "Enter")
    ann.is_at("done")
    ann.page.keyboard.up("Enter")
    ann.back()
    assert not second.claims


def test_a_letter_held_down_counts_once(served: Served, at_desk: SignIn) -> None:
    served.open("case-1")
    ann = at_desk("ann")
    ann.take("case-1")
    _hold(ann, "+")
    assert ann.page.locator("#probe-pane img").first.evaluate("i => i.width") == 320


def test_a_key_pressed_just_as_the_screen_changes_does_nothing(served: Served, at_desk: SignIn) -> None:
    """A person who meant the case must not press the button of the screen that replaced it."""
    case = served.open("case-1")
    ann = at_desk("ann")
    ann.take("case-1")
    ann.press("c")
    # In the page itself: no round trip of the test between the change and the key.
    ann.page.evaluate(
        """() => new MutationObserver(() => {
          if (document.body.dataset.screen !== "done") return;
          const press = { key: "Enter", bubbles: true, cancelable: true };
          document.activeElement.dispatchEvent(new KeyboardEvent("keydown", press));
          document.getElementById("back").click();
          document.body.dataset.pressed = "yes";
        }).observe(document.body, { attributeFilter: ["data-screen"] })"""
    )
    served.casework.lapse("case-1")
    ann.page.locator("body[data-pressed=yes]").wait_for(state="attached")
    ann.is_at("done")
    assert ann.text("#done-title") == "Claim lapsed"
    assert not case.judged


def test_a_press_that_began_on_one_case_does_not_act_on_another_screen(served: Served, at_desk: SignIn) -> None:
    served.open("case-1")
    ann = at_desk("ann")
    ann.take("case-1")
    ann.page.locator("#put-back").focus()
    ann.page.keyboard.down("Space")
    served.casework.lapse("case-1")
    ann.is_at("done")
    ann.page.locator("#back").focus()
    ann.page.keyboard.up("Space")
    ann.is_at("done")
    assert not served.casework.cases["case-1"].released


def test_no_update_of_the_queue_swaps_the_open_case(served: Served, at_desk: SignIn) -> None:
    first = served.open("case-1", camera="gate-1")
    ann = at_desk("ann")
    ann.take("case-1")
    title = ann.text("#case-title")
    ann.press("m", "f", "Space")
    others = [served.open(f"case-{number}", camera="gate-9", expires_in_s=60) for number in range(2, 6)]
    for other in others[:2]:
        other.state = CaseState.NO_ACTION
    others[2].alerts = 5
    ann.page.locator("[data-case='case-5']").wait_for(state="attached")
    assert ann.text("#case-title") == title
    assert ann.page.locator("#news").is_hidden()
    assert ann.page.locator("#answers :checked").count() == 1
    ann.press("Enter")
    ann.is_at("done")
    assert first.judged == {"ann": Judgement.MATCH}
    assert not any(other.judged or other.claims for other in others)


def test_nothing_is_claimed_by_itself(served: Served, at_desk: SignIn) -> None:
    case = served.open("case-1")
    later = served.open("case-2")
    ann = at_desk("ann")
    ann.sees("case-1")
    ann.take("case-1")
    ann.judge("c")
    ann.back()
    ann.sees("case-2")
    assert not later.claims
    assert case.judged


def test_focus_stays_on_its_row_while_the_queue_changes(served: Served, at_desk: SignIn) -> None:
    first = served.open("case-1")
    served.open("case-2")
    ann = at_desk("ann")
    ann.sees("case-2")
    ann.press("ArrowDown", "ArrowDown")
    focused = "document.activeElement.closest('li')?.dataset.case"
    assert ann.page.evaluate(focused) == "case-2"
    first.state = CaseState.EXPIRED
    served.open("case-3")
    ann.sees("case-3")
    assert ann.page.evaluate(focused) == "case-2"


def test_single_letters_can_be_switched_off(served: Served, at_desk: SignIn) -> None:
    """WCAG 2.1.4: who speaks to the computer would press them by accident."""
    served.open("case-1")
    ann = at_desk("ann")
    ann.press("?")
    ann.page.get_by_label("Use single letters as shortcuts").uncheck()
    ann.page.get_by_role("button", name="Close").click()
    ann.take("case-1")
    ann.press("m")
    assert ann.page.locator("#answers :checked").count() == 0
    ann.page.get_by_label("Match", exact=False).first.check()
    assert ann.page.locator("#answers :checked").count() == 1
