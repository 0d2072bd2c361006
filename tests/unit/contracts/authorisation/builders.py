"""An organisation with its root, its people and one authority for an afternoon; each builder takes changes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import cache

from services.contracts.authorisation.approvals import Verified, approve, verify
from services.contracts.authorisation.clock import ClockReading
from services.contracts.authorisation.document import Document
from services.contracts.authorisation.enums import (
    ClockState,
    DocumentKind,
    Move,
    RevocationReason,
    Role,
    State,
)
from services.contracts.authorisation.records import (
    DocumentPublished,
    LeaseRenewed,
    Record,
    RegistryIssued,
    RevocationRecorded,
    StateRecorded,
)
from services.contracts.authorisation.registry import RegisteredKey, Registry, sign_registry
from services.contracts.authorisation.signing import SigningKey
from services.contracts.authorisation.statements import (
    NOTHING,
    Attestation,
    EntriesRevoked,
    Lease,
    Order,
    StateChanged,
    sign,
)

START = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
END = START + timedelta(hours=4)
WRITTEN = START - timedelta(days=5)
APPROVED = START - timedelta(days=3)
NOON = START + timedelta(hours=1)  # when most tests ask

PEOPLE = {
    "ann": Role.AUTHOR,
    "olu": Role.AUTHORISING_OFFICER,
    "pat": Role.AUTHORISING_OFFICER,
    "uma": Role.URGENT_OFFICER,
    "liz": Role.LIST_MANAGER,
    "rex": Role.REVIEWER,
    "sam": Role.SUPERVISOR,
    "eve": Role.ENGAGEMENT_OFFICER,
    "aud": Role.AUDITOR,
    "oversight": Role.OVERSIGHT,
    "review": Role.SERVICE,
}
TOKENS = tuple(hashlib.sha256(name.encode()).hexdigest()[:32] for name in ("alpha", "bravo", "charlie"))


def secret(person: str) -> bytes:
    return hashlib.sha256(f"a key of {person}".encode()).digest()


@cache
def key(person: str) -> SigningKey:
    return SigningKey(secret(person))


ROOT = key("root")


def sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def a_registered_key(person: str, role: Role | None = None, **changes: object) -> RegisteredKey:
    own = str(changes.pop("secret", person))
    return RegisteredKey.model_validate(
        {
            "kid": key(own).kid,
            "public": key(own).public,
            "person": person,
            "role": role or PEOPLE[person],
            "valid_from": START - timedelta(days=100),
            "valid_to": START + timedelta(days=100),
        }
        | changes
    )


def a_registry(*extra: RegisteredKey, without: Iterable[str] = (), **changes: object) -> Registry:
    keys = tuple(a_registered_key(person) for person in PEOPLE if person not in set(without))
    return Registry.model_validate(
        {
            "organisation": "city-police",
            "sequence": 1,
            "issued_at": START - timedelta(days=50),
            "valid_until": START + timedelta(days=50),
            "root": ROOT.public,
            "keys": (*keys, *extra),
        }
        | changes
    )


def a_camera(name: str = "gate-1", **changes: object) -> dict[str, object]:
    return {
        "id": name,
        "owner": "city-police",
        "controller": "city-police",
        "source": "rtsp",
        "host": "camera.example",
        "zone": [[10, 10], [20, 10], [22, 20], [8, 20]],
    } | changes


def a_list(**changes: object) -> dict[str, object]:
    return {
        "id": "bravo",
        "digest": sha("list"),
        "max_entries": 1000,
        "max_templates": 3000,
        "categories": ["wanted_on_warrant"],
        "age_bands": ["adult"],
        "score_kind": "raw",
        "model": "sface-1",
        "thresholds": {1: 0.5, 3: 0.55},
    } | changes


def some_evidence(**changes: object) -> dict[str, object]:
    return {
        "id": "equity-2026-03",
        "sha256": sha("evidence"),
        "model": "sface-1",
        "thresholds": {1: 0.5, 3: 0.55},
        "age_bands": ["adult"],
        "review_by": "2027-01-01",
    } | changes


def some_papers() -> list[dict[str, object]]:
    return [
        {"kind": kind, "id": f"paper-{kind}", "sha256": sha(kind), "review_by": "2026-12-31"}
        for kind in DocumentKind
    ]


def fields(**changes: object) -> dict[str, object]:
    """A document as a person might write it."""
    return {
        "id": "oxford-street-1",
        "version": 1,
        "organisation": "city-police",
        "serial": 1,
        "accountable_person": "chief",
        "author": "ann",
        "created_at": WRITTEN,
        "purpose": "locate_wanted_on_warrant",
        "use_case": "crime_hotspot",
        "legal_basis": "common law; DPA 2018 s. 35",
        "policy": {"address": "https://police.example/lfr", "sha256": sha("policy")},
        "grounds": "eleven robberies in May, by people on the list",
        "alternatives_considered": "patrols alone were tried in April",
        "assembly": False,
        "site": {
            "name": "Oxford Street, north side",
            "origin_latitude": 51.515,
            "origin_longitude": -0.141,
            "polygon": [[0, 0], [100, 0], [100, 50], [0, 50]],
            "grounds": "nine of the eleven robberies were here",
            "review_by": "2026-12-31",
        },
        "cameras": [a_camera("gate-1"), a_camera("gate-2")],
        "window": {"start": START, "end": END},
        "watchlist": a_list(),
        "fpir_budget": 0.001,
        "equity": some_evidence(),
        "documents": some_papers(),
    } | changes


def a_document(**changes: object) -> Document:
    return Document.read(fields(**changes))


def an_exercise(**changes: object) -> Document:
    return a_document(
        **{
            "purpose": "exercise",
            "use_case": "exercise",
            "watchlist": a_list(categories=["consenting_volunteer"]),
            "equity": None,
        }
        | changes
    )


def approval(document: Document, person: str, at: datetime = APPROVED, **changes: object) -> str:
    role = PEOPLE[person]
    return approve(document, key(person), role=Role(str(changes.get("role", role))), person=person, at=at)


def approvals(document: Document, *people: str, at: datetime = APPROVED) -> tuple[str, ...]:
    return tuple(approval(document, person, at) for person in people or ("ann", "olu"))


def a_verified(document: Document | None = None, *people: str, at: datetime = APPROVED) -> Verified:
    document = document or a_document()
    return verify(
        document.canonical_bytes(),
        approvals(document, *people, at=at),
        a_registry(),
        root_fingerprint=ROOT.kid,
        now=max(NOON, at),
    )


def a_reading(
    at: datetime = NOON, *, state: ClockState = ClockState.SYNCHRONISED, **skew_s: float
) -> ClockReading:
    """Monotonic time that has run beside the time of day from START on; `monotonic_skew_s` pulls it apart."""
    monotonic_s = (at - START).total_seconds() + 50_000 + skew_s.get("monotonic_skew_s", 0.0)
    return ClockReading(at, monotonic_s, state)


def an_attestation(document: Document, at: datetime = START, **changes: object) -> Attestation:
    return Attestation.model_validate(
        {
            "deployment": document.id,
            "version": document.version,
            "digest": document.digest,
            "signed_at": at,
            "notice_address": "https://police.example/lfr/oxford-street-1",
            "notice_sha256": sha("notice"),
            "notice_published_at": at - timedelta(hours=20),
            "signs_up_at": at - timedelta(hours=1),
        }
        | changes
    )


def an_order(document: Document, sequence: int, move: Move, by: str, at: datetime, **changes: object) -> str:
    order = Order.model_validate(
        {
            "deployment": document.id,
            "version": document.version,
            "digest": document.digest,
            "signed_at": at,
            "sequence": sequence,
            "move": move,
            "reason": "the fault is mended",
        }
        | changes
    )
    return sign(order, key(by))


# The path to ACTIVE, and on; the times are those of the afternoon.
_ROAD = {
    Move.SUBMIT: (State.DRAFT, State.SUBMITTED),
    Move.APPROVE: (State.SUBMITTED, State.AUTHORISED),
    Move.CANCEL: (State.AUTHORISED, State.CANCELLED),
    Move.ACTIVATE: (State.AUTHORISED, State.ACTIVE),
    Move.SUSPEND: (State.ACTIVE, State.SUSPENDED),
    Move.RESUME: (State.SUSPENDED, State.ACTIVE),
    Move.STOP: (State.ACTIVE, State.ENDED),
    Move.END: (State.ACTIVE, State.ENDED),
    Move.ORDER_PURGE: (State.ENDED, State.ENDED),
    Move.REPORT: (State.PURGED, State.REPORTED),
}


def a_change(
    document: Document, sequence: int, move: Move, at: datetime, *, by: str = "oversight", **changes: object
) -> StateRecorded:
    before, after = _ROAD[move]
    said: dict[str, object] = {
        "deployment": document.id,
        "version": document.version,
        "digest": document.digest,
        "signed_at": at,
        "sequence": sequence,
        "move": move,
        "before": before,
        "after": after,
    }
    if move is Move.ACTIVATE:
        said["attestation"] = sign(an_attestation(document, at), key("eve"))
    if move is Move.RESUME:
        said["order"] = an_order(document, sequence, move, "olu", at)
    return StateRecorded(sign(StateChanged.model_validate(said | changes), key(by)))


def changes_to_active(document: Document) -> tuple[StateRecorded, ...]:
    return (
        a_change(document, 1, Move.SUBMIT, WRITTEN),
        a_change(document, 2, Move.APPROVE, APPROVED),
        a_change(document, 3, Move.ACTIVATE, START),
    )


def a_lease(
    document: Document, sequence: int = 1, at: datetime = NOON, *, by: str = "oversight", **changes: object
) -> LeaseRenewed:
    lease = Lease.model_validate(
        {
            "deployment": document.id,
            "version": document.version,
            "digest": document.digest,
            "signed_at": at,
            "sequence": sequence,
            "state": State.ACTIVE,
            "state_sequence": 3,
            "registry_sequence": 1,
            "revocations": 0,
            "revocations_head": NOTHING,
        }
        | changes
    )
    return LeaseRenewed(sign(lease, key(by)))


def revocations(
    document: Document, *tokens: str, at: datetime = NOON
) -> tuple[tuple[RevocationRecorded, ...], str]:
    """One record a token, chained, and the head."""
    head, records = NOTHING, []
    for sequence, token in enumerate(tokens, start=1):
        said = EntriesRevoked(
            deployment=document.id,
            signed_at=at,
            list_digest=document.watchlist.digest,
            sequence=sequence,
            previous=head,
            reason=RevocationReason.LOCATED,
            tokens=(token,),
        )
        head = said.head
        records.append(RevocationRecorded(sign(said, key("liz"))))
    return tuple(records), head


def a_registry_record(registry: Registry | None = None) -> RegistryIssued:
    return RegistryIssued(sign_registry(registry or a_registry(), ROOT))


def published(document: Document, *people: str, at: datetime = APPROVED) -> DocumentPublished:
    return DocumentPublished(document.canonical_bytes(), approvals(document, *people, at=at))


def running(document: Document | None = None, *, registry: Registry | None = None) -> tuple[Record, ...]:
    """Every record that stands when the authority is ACTIVE at NOON, oldest first, the lease last."""
    document = document or a_document()
    return (
        a_registry_record(registry),
        published(document),
        *changes_to_active(document),
        a_lease(document),
    )
