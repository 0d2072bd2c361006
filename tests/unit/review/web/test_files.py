"""The files that the browser runs say what the service layer says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import services.review.web
from services.review.core.views import Engagement, FaceFeature, Judgement, KnownOutcome, ReleaseReason

_WEB = Path(services.review.web.__file__).parent
_PAGES = sorted((_WEB / "pages").glob("*.html"))
_SCRIPTS = sorted((_WEB / "static" / "js").glob("*.js"))


def _values(name: str) -> set[str]:
    page = (_WEB / "pages" / "workbench.html").read_text("utf-8")
    return set(re.findall(rf'name="{name}" value="([a-z_]+)"', page))


def test_the_form_offers_every_feature_judgement_engagement_and_outcome() -> None:
    assert _values("feature") == set(FaceFeature)
    assert _values("answer") == {*Judgement, ReleaseReason.KNOWS_PERSON}
    assert _values("result") == set(Engagement)
    assert _values("outcome") == set(KnownOutcome)


@pytest.mark.parametrize("path", _PAGES, ids=lambda path: path.name)
def test_no_page_holds_inline_code_or_style_or_names_another_host(path: Path) -> None:
    html = path.read_text("utf-8")
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:|https?://", html)
    assert re.findall(r"<script(?![^>]*\bsrc=)", html) == []


@pytest.mark.parametrize("path", _SCRIPTS, ids=lambda path: path.name)
def test_no_script_writes_markup_stores_anything_or_names_another_host(path: Path) -> None:
    script = path.read_text("utf-8")
    forbidden = r"innerHTML|outerHTML|insertAdjacentHTML|\beval\b|localStorage|sessionStorage|indexedDB|https?://"
    assert re.findall(forbidden, script) == []


def test_every_script_that_is_imported_is_there() -> None:
    there = {path.name for path in _SCRIPTS}
    for path in _SCRIPTS:
        assert set(re.findall(r'from "\./([^"]+)"', path.read_text("utf-8"))) <= there
