"""A report says what it was bound to, what else ran at once, what was recorded, and how far it can be checked."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import timedelta

import pytest

from console.authority.standing import Anchor, Standing, Version
from console.ledger.report import NOT_ANCHORED, Report, anchored, as_json, incidents, lines
from console.ledger.reporting import gathered, ordered
from console.sharing.book import Book
from services.contracts import codec_audit, codec_authority, topics
from services.contracts.audit.requests import SYSTEM, Action, AuditRequested
from services.contracts.authorisation.document import Document
from services.contracts.authorisation.enums import ClockState, Move, State
from services.contracts.authorisation.records import RegistryIssued
from services.contracts.authorisation.statements import Order, open_as
from services.contracts.errors import Misconfigured
from services.contracts.places import Log
from services.contracts.sealed.manifest import Manifest
from services.contracts.sharing.register import SharingRegister
from services.runtime.kafka.types import Record
from tests.unit.contracts.audit.builders import (
    a_request,
    a_sequencer,
    appended,
    begun,
    heads,
    root_fingerprint,
    signed,
    signed_keys,
)
from tests.unit.contracts.authorisation import builders as b
from tests.unit.contracts.sealed.lists_builder import a_draft, an_entry

HOUR = timedelta(hours=1)
ONE, TWO = (a_draft(*(an_entry(f"e-{n}") for n in range(size))).manifest for size in (1, 2))


def a_version(
    deployment: str = "north-1", *, hours: int = 0, state: State = State.ACTIVE, of: Manifest = ONE
) -> Version:
    watchlist = b.a_document().watchlist.model_dump()
    document = b.a_document(
        id=deployment,
        window={"start": b.START + hours * HOUR, "end": b.START + (hours + 4) * HOUR},
        watchlist=watchlist | {"digest": of.digest, "max_entries": 100, "max_templates": 300},
    )
    window = document.window
    standing = Standing(
        deployment, 1, 1, document.digest, state, 3, window.start, window.end, "full", attested=True
    )
    return Version(standing, document, ())


class Oversight:
    """Tells what it was made with."""

    def __init__(self, *known: Version, anchors: Iterable[Anchor] = ()) -> None:
        self._known = known
        self._anchors = list(anchors)

    def authorities(self) -> list[Standing]:
        return [one.standing for one in self._known]

    def versions(self, deployment: str) -> list[Version]:
        return [one for one in self._known if one.document.id == deployment]

    def anchors(self, deployment: str) -> list[Anchor]:
        return self._anchors

    def sharing(self) -> Book:
        return Book("city-police", SharingRegister())


class Chain:
    """A Kafka that has an audit chain, and no figures."""

    def __init__(self, *requested: AuditRequested) -> None:
        sequencer = a_sequencer()
        entries = [appended(sequencer, signed(one)) for one in requested]
        records: list[codec_audit.ChainRecord] = [begun(sequencer), *entries]
        audit = [codec_audit.encode_record(record) for record in records]
        registry = codec_authority.encode(RegistryIssued(signed_keys().token))
        self._values: dict[str, list[bytes]] = {topics.AUDIT.name: audit, topics.AUTHORITY.name: [registry]}

    def values(self, topic: str) -> list[bytes]:
        return self._values.get(topic, [])

    def records(self, topic: str) -> list[Record]:
        return []

    def stands(self, topic: str, group: str) -> dict[int, int | None]:
        return {}

    def ahead(self, topic: str, stands: Mapping[int, int | None]) -> tuple[Mapping[int, Log], Iterable[Record]]:
        return {}, ()


def a_report(*others: Version, manifests: Iterable[Manifest] = (), anchors: Iterable[Anchor] = ()) -> Report:
    oversight = Oversight(a_version(), *others, anchors=anchors)
    return gathered("north-1", oversight, Chain(), root=root_fingerprint(), manifests=manifests)


def test_without_a_sink_it_says_not_externally_anchored() -> None:
    assert f"anchored   {NOT_ANCHORED}" in list(lines(a_report()))
    assert as_json(a_report())["anchored"] == [NOT_ANCHORED]


def test_a_sink_that_has_taken_nothing_is_no_anchor() -> None:
    told = list(anchored([Anchor("url sink.example", None)]))
    assert told == [NOT_ANCHORED, "url sink.example: has taken no head yet"]


def test_with_a_sink_it_prints_the_last_anchored_head() -> None:
    head = heads(3)[-1]
    (told,) = anchored([Anchor("url sink.example", head)])
    assert told.startswith("url sink.example: entries 1 to 3, at ")
    assert head.head.root.hex() in told


def test_authorities_that_overlap_in_time_are_added_up_and_named() -> None:
    others = (
        a_version("south-1", hours=3, state=State.ENDED, of=TWO),
        a_version("east-1", hours=4),
        a_version("west-1", state=State.REFUSED),
    )
    found = a_report(*others)
    assert (found.overlap.entries, found.overlap.templates) == (200, 600)
    (told,) = (line for line in lines(found) if line.startswith("at once"))
    assert told == "at once    2 authorities, at most 200 entries and 600 templates (with south-1)"
    assert found.sealed is None


def test_with_every_manifest_the_lists_are_added_up_as_they_were_sealed() -> None:
    south = a_version("south-1", hours=3, of=TWO)
    assert a_report(south, manifests=[ONE]).sealed is None
    found = a_report(south, manifests=[ONE, TWO])
    assert found.sealed is not None
    # The one person of the first list is on the second, too.
    assert (found.sealed.entries, found.sealed.distinct_subjects, found.sealed.several) == (3, 2, 1)
    assert "3 entries" in next(line for line in lines(found) if line.startswith("at once"))


def test_the_clock_that_was_accepted_and_its_faults_are_told() -> None:
    version = a_version()
    document: Document = version.document.model_copy(
        update={"clock": version.document.clock.model_copy(update={"accepts": (ClockState.UNKNOWN,)})}
    )
    found = replace(a_report(), version=replace(version, document=document), incidents={Action.CLOCK_FAULT: 2})
    (told,) = (line for line in lines(found) if line.startswith("clock was"))
    assert told == "clock was  accepted when unknown; 2 clock faults recorded; times are no better than that"
    assert as_json(found)["clock"] == {"accepted": ["unknown"], "reason": document.clock.reason, "faults": 2}


def test_incidents_are_those_of_the_deployment_and_of_the_machines_during_its_window() -> None:
    document = a_version().document
    mine, theirs = ({"chain": one, "authority": one} for one in (document.id, "elsewhere"))
    machines = {"chain": SYSTEM, "authority": "", "authority_version": 0, "what": Action.CLOCK_FAULT}
    asked = [
        a_request(**mine, what=Action.STOPPED),
        a_request(**mine, what=Action.FACE_VIEWED),
        a_request(**theirs, what=Action.STOPPED),
        a_request(**machines, at=document.window.start),
        a_request(**machines, at=document.window.end),
    ]
    assert incidents(asked, document) == {Action.STOPPED: 1, Action.CLOCK_FAULT: 1}


def test_the_root_and_the_shares_are_told() -> None:
    told = list(lines(a_report()))
    assert f"root       {root_fingerprint()}" in told
    (shared,) = (line for line in told if line.startswith("shared"))
    assert "0 recorded here; shares made outside this system are not covered" in shared


def test_why_one_reviewer_is_enough_is_told_and_nothing_where_two_decide() -> None:
    version, why = a_version(), "two are on duty, and one is at the gate"
    alone = version.document.verification.model_copy(update={"reviewers": 1, "single_reviewer_reason": why})
    document: Document = version.document.model_copy(update={"verification": alone})
    assert f"reviewers  1: {why}" in lines(replace(a_report(), version=replace(version, document=document)))
    assert "reviewers  2" in lines(a_report())


def test_who_signs_it_orders_the_move_to_reported() -> None:
    found = a_report()
    token = ordered(found, b"the report", b.key("sam"), at=b.START)
    opened = open_as(Order, token, registry=b.a_registry(), now=b.START)
    said = opened.statement
    assert (said.move, said.sequence, said.digest) == (Move.REPORT, 4, found.document.digest)
    assert said.evidence == hashlib.sha256(b"the report").hexdigest()


def test_a_report_that_does_not_add_up_is_not_signed() -> None:
    found = a_report()
    wrong = replace(found.statement.lines[0], gap=1)
    lost = replace(found, statement=replace(found.statement, lines=(wrong,)))
    with pytest.raises(Misconfigured, match="do not add up"):
        ordered(lost, b"", b.key("sam"), at=b.START)
