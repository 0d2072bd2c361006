"""What an author writes becomes what people sign, or is refused field by field."""

from __future__ import annotations

from pathlib import Path

import pytest

from console.authority.draft import parse, parse_sealed
from console.authority.files import read_facts, write_facts
from services.contracts.authorisation import rules
from services.contracts.authorisation.document import Document
from services.contracts.authorisation.findings import NotAuthorised
from services.contracts.events import ScoreKind
from tests.unit.console.authority.drafts import FACTS, digest_of, fields, some_facts, written


def found_in(text: str) -> str:
    with pytest.raises(NotAuthorised) as refused:
        parse(text, digest_of=digest_of)
    return str(refused.value)


def test_a_first_draft_breaks_no_rule_before_and_after_its_list_is_sealed() -> None:
    draft = parse(written(), digest_of=digest_of)
    assert draft.broken() == ()
    assert rules.broken(draft.document(some_facts())) == ()


def test_the_document_names_the_list_that_was_sealed() -> None:
    document = parse(written(), digest_of=digest_of).document(some_facts())
    assert (document.watchlist.digest, document.watchlist.model) == (FACTS["digest"], "sface-1")
    assert Document.from_canonical(document.canonical_bytes()) == document


def test_a_field_that_stands_twice_is_refused() -> None:
    """People sign the document: the last was taken, and whoever looked the draft through read the first."""
    twice = written() + "accountable_person: p-3\n"
    assert "the field stands at line 5 already" in found_in(twice)


def test_a_field_that_a_merge_brings_too_stands_once() -> None:
    assert "already" not in found_in("a: &a\n  b: 1\nc:\n  <<: *a\n  b: 2\n")


def test_a_file_stands_for_its_digest() -> None:
    document = parse(written(), digest_of=digest_of).document(some_facts())
    assert document.policy.sha256 == digest_of("try-1.papers/policy.md")
    assert {paper.sha256 for paper in document.documents} == {
        digest_of(f"try-1.papers/{paper.kind}.md") for paper in document.documents
    }


def test_a_file_that_cannot_be_read_is_named_by_its_field_and_not_by_its_name() -> None:
    def missing(name: str) -> str:
        raise FileNotFoundError(name)

    with pytest.raises(NotAuthorised) as refused:
        parse(written(), digest_of=missing)
    assert "policy.file: the file it names cannot be read (FileNotFoundError)" in str(refused.value)
    assert "policy.md" not in str(refused.value)


def test_a_file_beside_a_digest_is_refused() -> None:
    policy = {"address": "https://example.org", "file": "policy.md", "sha256": digest_of("other")}
    assert "policy.file: stands instead of sha256" in found_in(written(policy=policy))


def test_the_list_is_built_within_the_draft() -> None:
    bounds = parse(written(), digest_of=digest_of).bounds()
    assert bounds.deployment == "try-1"
    assert bounds.watchlist.name == "faces"
    assert bounds.watchlist.max_entries == 100
    assert bounds.watchlist.score_kind is ScoreKind.RAW
    assert bounds.watchlist.model is None
    assert bounds.purge_at > bounds.window.end


def test_a_model_that_the_draft_names_binds_the_list() -> None:
    draft = parse(written(watchlist=fields()["watchlist"] | {"model": "sface-1"}), digest_of=digest_of)
    assert draft.bounds().watchlist.model == "sface-1"
    with pytest.raises(NotAuthorised, match=r"watchlist\.model: is not that of the sealed list"):
        draft.document(some_facts(model="sface-2"))


@pytest.mark.parametrize(
    ("field", "other"),
    [("deployment", "try-2"), ("id", "others"), ("score_kind", "gallery_normalised")],
)
def test_the_list_of_another_draft_is_refused(field: str, other: str) -> None:
    draft = parse(written(), digest_of=digest_of)
    with pytest.raises(NotAuthorised, match=rf"watchlist\.{field}: is not that of the sealed list"):
        draft.document(some_facts(**{field: other}))


def test_a_digest_in_the_draft_must_be_the_list_s() -> None:
    draft = parse(written(watchlist=fields()["watchlist"] | {"digest": digest_of("mine")}), digest_of=digest_of)
    with pytest.raises(NotAuthorised, match=r"watchlist\.digest"):
        draft.document(some_facts())


def test_evidence_is_held_against_a_model_that_is_not_known_yet() -> None:
    """A draft for real use names its evidence before the list is built; its model must not be called wrong."""
    evidence = {
        "id": "equity-1",
        "sha256": digest_of("evidence"),
        "model": "sface-1",
        "thresholds": FACTS["thresholds"],
        "age_bands": ["adult"],
        "review_by": "2027-01-01",
    }
    draft = parse(written(equity=evidence), digest_of=digest_of)
    assert draft.broken() == ()
    # The list is built with the thresholds that the evidence is for, not with others that rules then refuse.
    assert draft.fpir_budget is None
    assert draft.watchlist.thresholds == FACTS["thresholds"]
    assert [one.field for one in rules.broken(draft.document(some_facts(model="sface-2")))] == ["equity.model"]


def test_a_draft_without_thresholds_gets_those_of_the_list_that_was_sealed() -> None:
    """A newcomer's list of two was searched at the threshold of a hundred: who is far away is missed."""
    draft = parse(written(), digest_of=digest_of)
    assert draft.fpir_budget == 0.001
    assert draft.document(some_facts()).watchlist.thresholds == {1: 0.454, 3: 0.463}


def test_a_draft_without_thresholds_needs_a_list_that_says_them() -> None:
    draft = parse(written(), digest_of=digest_of)
    with pytest.raises(NotAuthorised, match=r"watchlist\.thresholds"):
        draft.document(some_facts(thresholds=None))


def test_thresholds_that_the_draft_says_bind_the_list() -> None:
    own = fields()["watchlist"] | {"thresholds": {1: 0.6}}
    draft = parse(written(watchlist=own), digest_of=digest_of)
    assert draft.fpir_budget is None
    assert draft.document(some_facts(thresholds={1: 0.6})).watchlist.thresholds == {1: 0.6}
    with pytest.raises(NotAuthorised, match=r"watchlist\.thresholds: is not that of the sealed list \(1: 0\.454"):
        draft.document(some_facts())


def test_the_facts_of_a_list_are_read_as_they_were_written(tmp_path: Path) -> None:
    write_facts(tmp_path / "try.list.yaml", some_facts())
    assert read_facts(tmp_path / "try.list.yaml") == some_facts()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: [", r"document: must be YAML \(line"),
        ("- a", "document: must be a mapping"),
        ("a: 2026-13-45", "document: must be YAML"),
        ("id: try-1", "watchlist: must be a mapping"),
    ],
)
def test_what_is_no_draft_is_refused_in_words(text: str, said: str) -> None:
    with pytest.raises(NotAuthorised, match=said):
        parse(text, digest_of=digest_of)


def test_every_field_at_fault_is_named_and_no_value() -> None:
    said = found_in(written(organisation="The Club", surprise=1, serial=0))
    assert "organisation:" in said
    assert "serial:" in said
    assert "surprise:" in said
    assert "The Club" not in said


def test_a_rule_that_a_draft_breaks_names_its_source() -> None:
    draft = parse(written(accountable_person="p-1"), digest_of=digest_of)
    assert [str(one) for one in draft.broken()] == [
        "author: must be another than the senior accountable person [C-18, C-40]"
    ]


def test_facts_of_a_list_are_read_strictly() -> None:
    assert parse_sealed("\n".join(f"{name}: {value}" for name, value in FACTS.items())) == some_facts()
    with pytest.raises(NotAuthorised, match="digest"):
        parse_sealed("digest: abc")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (
            "a: &a [x, x]\n"
            + "".join(f"a{n}: &a{n} [*a{n - 1 if n else ''}, *a{n - 1 if n else ''}]\n" for n in range(40)),
            "values",
        ),
        ("a: &a\n  b: *a\n", "values"),
        ("a: " + "[" * 50_000, "nested so deeply"),
        ("a: " + "x" * 1_100_000, "at most 1 MiB"),
    ],
    ids=["aliases of aliases", "an alias of itself", "brackets", "too much"],
)
def test_a_draft_that_would_never_be_read_to_its_end_is_refused_at_once(text: str, why: str) -> None:
    """Forty lines of aliases kept `authority check` at work for ever."""
    assert why in found_in(text)
