"""People decide cases in a real browser, by keyboard alone."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import expect

from services.review.core.views import CaseState, FaceFeature, Judgement, ReleaseReason
from tests.fakes.casework import SCORE
from tests.integration.review.web.desk import WITHIN_MS, AtDesk
from tests.integration.review.web.served import NOTE, Served
from tests.support import eventually

SignIn = Callable[..., AtDesk]


def test_a_case_is_decided_by_keyboard_alone(served: Served, at_desk: SignIn) -> None:
    case = served.open("case-1")
    ann = at_desk("ann", url=served.url)
    ann.sees("case-1")
    ann.press("ArrowDown", "Enter")
    ann.has_pictures()
    ann.press("n", "f", "Space", "ArrowDown", "ArrowDown", "Space", "Enter")
    ann.is_at("done")
    assert case.judged == {"ann": Judgement.NOT_A_MATCH}
    assert case.features["ann"] == (FaceFeature.EARS, FaceFeature.FOREHEAD)
    ann.back()
    expect(ann.page.locator("[data-case='case-1']")).to_contain_text("With other people", timeout=WITHIN_MS)


def test_two_people_in_two_browsers_agree_and_the_second_sees_nothing_of_the_first(
    served: Served, at_desk: SignIn
) -> None:
    case = served.open("case-1")
    ann, ben = at_desk("ann"), at_desk("ben")
    ann.take("case-1")
    ann.judge("m")
    assert "waits for another person" in ann.text("#done-text")
    from_here = len(served.wire)
    ben.take("case-1")
    told = b"".join(served.wire[from_here:])
    assert b"judgement" not in told
    assert b"ann" not in told
    ben.judge("m")
    assert "Two people agree" in ben.text("#done-text")
    assert case.state is CaseState.AGREED_MATCH


def test_no_score_is_on_the_wire_before_the_last_judgement(served: Served, at_desk: SignIn) -> None:
    """Every byte that the server sent, streams included."""
    served.open("case-1")
    ann = at_desk("ann")
    ann.take("case-1")
    ann.press("+", "r")
    ann.has_pictures()
    before = b"".join(served.wire)
    assert b"displayed_digest" in before
    assert b'"score":' not in before
    assert b'"threshold":' not in before
    assert str(SCORE).encode() not in before
    assert "0.6" not in ann.text("body")
    ann.judge("c")
    assert str(SCORE).encode() not in b"".join(served.wire), "the other has not judged yet"
    assert ann.page.locator("#score").is_hidden()
    ben = at_desk("ben")
    ben.take("case-1")
    ben.judge("c")
    assert ben.text("#score") == f"{SCORE:.3f}"


def test_no_picture_is_sent_before_a_claim(served: Served, at_desk: SignIn) -> None:
    case = served.open("case-1")
    ann = at_desk("ann")
    ann.sees("case-1")
    sent = b"".join(served.wire)
    assert not any(jpeg in sent for jpeg in case.pictures.values())
    ann.take("case-1")
    sent = b"".join(served.wire)
    assert all(sent.count(jpeg) == 1 for jpeg in case.pictures.values())


def test_all_pictures_are_shown_at_native_pixels_with_their_dates(served: Served, at_desk: SignIn) -> None:
    served.open("case-1")
    ann = at_desk("ann")
    ann.take("case-1")
    shown = ann.page.evaluate(
        "[...document.querySelectorAll('.pane img')].map(i => [i.naturalWidth, i.width, i.alt, i.src.slice(0, 5)])"
    )
    assert [width for _, width, _, _ in shown] == [160, 150, 140, 420, 240, 220]
    assert all(natural == width and source == "blob:" for natural, width, _, source in shown)
    assert len({alt for _, _, alt, _ in shown}) == len(shown)
    assert "Taken 20 May 2011" in ann.text("#reference-pane")
    assert "Date not known" in ann.text("#reference-pane")
    assert "other faces are blurred" in ann.text("#probe-pane")


def test_pictures_are_zoomed_by_key_and_by_button(served: Served, at_desk: SignIn) -> None:
    served.open("case-1")
    ann = at_desk("ann")
    ann.take("case-1")
    probe, reference = ann.page.locator("#probe-pane img").first, ann.page.locator("#reference-pane img").first
    ann.press("+")
    assert (probe.evaluate("i => i.width"), reference.evaluate("i => i.width")) == (320, 480)
    ann.page.get_by_role("group", name="Zoom of the list's pictures").get_by_role("button", name="Zoom in").click()
    assert (probe.evaluate("i => i.width"), reference.evaluate("i => i.width")) == (320, 720)
    ann.press("0")
    assert (probe.evaluate("i => i.width"), reference.evaluate("i => i.width")) == (160, 240)


def test_a_zoom_stays_with_the_picture_that_was_looked_at(served: Served, at_desk: SignIn) -> None:
    served.open("case-1")
    ann = at_desk("ann")
    ann.take("case-1")
    ann.press("+", "+", "+")
    middle = """() => {
      const view = document.getElementById("probe-pane").getBoundingClientRect();
      const at = document.elementFromPoint(view.left + view.width / 2, view.top + view.height / 2);
      return at.alt;
    }"""
    assert ann.page.evaluate(middle) == "Best shot 1 of the person seen"
    ann.press("+", "-")
    assert ann.page.evaluate(middle) == "Best shot 1 of the person seen"


def test_a_judgement_needs_an_answer_and_what_it_was_judged_by(served: Served, at_desk: SignIn) -> None:
    case = served.open("case-1")
    ann = at_desk("ann")
    ann.take("case-1")
    ann.press("Enter")
    assert ann.text("#judge-hint") == "Choose an answer."
    ann.press("m", "Enter")
    assert ann.text("#judge-hint") == "Tick what you judged by."
    assert not case.judged
    ann.press("c", "Enter")
    ann.is_at("done")
    assert case.judged == {"ann": Judgement.CANNOT_TELL}


def test_who_knows_the_person_hands_the_case_on(served: Served, at_desk: SignIn) -> None:
    case = served.open("case-1")
    ann = at_desk("ann")
    ann.take("case-1")
    ann.press("k")
    assert "Hand the case on" in ann.text("#record")
    ann.press("Enter")
    ann.is_at("done")
    assert (case.released, case.judged) == ([ReleaseReason.KNOWS_PERSON], {})
    assert ann.page.locator("#score").is_hidden()
    ann.back()
    expect(ann.page.locator("[data-case='case-1']")).to_contain_text("With other people", timeout=WITHIN_MS)


def test_a_case_that_was_put_back_can_be_taken_again(served: Served, at_desk: SignIn) -> None:
    case = served.open("case-1")
    ann = at_desk("ann")
    ann.take("case-1")
    ann.press("b")
    ann.is_at("done")
    assert case.released == [ReleaseReason.PUT_BACK]
    ann.back()
    ann.take("case-1")


def test_a_reload_gives_the_case_up_to_the_queue_and_continues_it_on_request(
    served: Served, at_desk: SignIn
) -> None:
    served.open("case-1")
    ann = at_desk("ann")
    ann.take("case-1")
    ann.page.reload()
    ann.is_at("queue")
    assert ann.pictures() == 0
    row = ann.page.locator("[data-case='case-1'] button")
    expect(row).to_have_text("Continue", timeout=WITHIN_MS)
    row.click()
    ann.has_pictures()


def test_new_pictures_are_offered_and_the_judgement_is_on_what_was_shown(served: Served, at_desk: SignIn) -> None:
    case = served.open("case-1")
    ann = at_desk("ann")
    ann.take("case-1")
    ann.press("m", "f", "Space")
    case.alerts = 2
    ann.page.locator("#news").wait_for()
    ann.press("r")
    ann.page.locator("#news").wait_for(state="hidden")
    ann.has_pictures()
    assert ann.page.locator("#answers :checked").count() == 0
    ann.judge("c")
    assert case.judged == {"ann": Judgement.CANNOT_TELL}


def test_a_supervisor_sets_a_match_aside_with_a_reason(served: Served, at_desk: SignIn) -> None:
    case = served.open("case-1")
    case.state = CaseState.AGREED_MATCH
    sue = at_desk("sue")
    sue.page.get_by_role("button", name="Set aside").click()
    sue.is_at("form")
    assert sue.pictures() == 0
    sue.page.get_by_label("Reason").fill("The reference is a mirror image.")
    sue.page.get_by_role("button", name="Set the match aside").click()
    sue.is_at("queue")
    assert case.state is CaseState.NO_ACTION
    assert case.superseded == ["The reference is a mirror image."]
    expect(sue.page.get_by_role("button", name="Open again")).to_be_visible(timeout=WITHIN_MS)


def test_an_officer_records_engagement_and_outcome(served: Served, at_desk: SignIn) -> None:
    case = served.open("case-1")
    case.state = CaseState.AGREED_MATCH
    ola = at_desk("ola")
    for answer, button in (
        ("The person was engaged", "Record engagement"),
        ("It is not the person sought", "Record outcome"),
    ):
        ola.page.get_by_role("button", name="Record: gate-1").click()
        ola.is_at("form")
        ola.page.get_by_label(answer).check()
        ola.page.get_by_role("button", name=button).click()
        ola.is_at("queue")
    assert [*case.engagements, *case.outcomes] == ["engaged", "not_the_person"]


def test_every_screen_says_that_it_is_an_exercise(served: Served, at_desk: SignIn) -> None:
    served.open("case-1")
    ann = at_desk("ann")
    _says_exercise(ann)
    ann.take("case-1")
    _says_exercise(ann)
    ann.judge("c")
    _says_exercise(ann)


def _says_exercise(desk: AtDesk) -> None:
    banner = desk.page.locator(".exercise")
    assert banner.is_visible()
    assert "EXERCISE" in banner.inner_text()
    assert NOTE in banner.inner_text()


def test_a_case_that_others_decide_leaves_the_queue(served: Served, at_desk: SignIn) -> None:
    case = served.open("case-1")
    ann = at_desk("ann")
    ann.sees("case-1")
    case.state = CaseState.NO_ACTION
    row = ann.page.locator("[data-case='case-1']")
    expect(row).to_contain_text("No action", timeout=WITHIN_MS)
    assert row.locator("button").count() == 0
    eventually(lambda: row.count() == 0, "the row to go", within_s=10)
    assert ann.page.get_by_text("No open cases.").is_visible()
