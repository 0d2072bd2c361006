"""The drafts of `docs/deployment.md` are what the code takes."""

from __future__ import annotations

import re
from pathlib import Path

from console.authority.draft import parse
from services.contracts.authorisation import rules
from services.contracts.cameras_file import parse_cameras
from tests.unit.console.authority.drafts import digest_of, some_facts

PAGE = Path(__file__).parents[4] / "docs" / "deployment.md"
BLOCKS = re.findall(r"```yaml\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)


def block(start: str) -> str:
    (found,) = (text for text in BLOCKS if text.startswith(start))
    return str(found)


def test_the_documented_draft_keeps_every_rule() -> None:
    draft = parse(block("id:"), digest_of=digest_of)
    assert draft.broken() == ()
    facts = some_facts(
        deployment=draft.deployment,
        id="bravo",
        model="sface-0123456789abcdef",
        score_kind="gallery_normalised",
        thresholds=None,
    )
    assert rules.broken(draft.document(facts)) == ()


def test_the_documented_cameras_are_read_and_are_those_of_the_draft() -> None:
    cameras = parse_cameras(block("cameras:"), origin="the page")
    authorised = parse(block("id:"), digest_of=digest_of).bounds().cameras
    assert [(one.id, one.source) for one in cameras] == [(one.id, one.source) for one in authorised]
