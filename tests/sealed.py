"""Sealed lists that run now, loaded as the operator does: for tests of who reads them on real servers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import redis

from console.edges import list_redis
from services.contracts.authorisation.enums import Category
from services.contracts.authorisation.registry import Registry
from services.contracts.authorisation.signing import SigningKey
from services.contracts.codec import Sealing
from services.contracts.scoring import Floats, raw_scores
from services.contracts.sealed.bundle.read import Bundle, open_bundle, open_draft
from services.contracts.sealed.bundle.write import write_draft, write_sealed
from services.contracts.sealed.draft import Draft
from services.contracts.sealed.entry import Entry, Status
from services.contracts.sealed.manifest import file_sha256
from services.contracts.sealed.seal import seal, sign
from tests.unit.contracts.sealed.lists_builder import MANAGER, OFFICER, a_draft, an_entry, pictures

# Two people's signatures, and a status that was asked for, take a moment; tests do not wait for it.
_BEFORE = timedelta(minutes=10)


def a_listed(entry_id: str, *, now: datetime, **changes: Any) -> Entry:
    """A volunteer's entry that may raise alerts from now on."""
    status = Status(checked_at=now - _BEFORE, max_age_h=24, system="consent forms", reference="form")
    values = {"status": status, "expires_at": now + timedelta(days=1), "category": Category.CONSENTING_VOLUNTEER}
    return an_entry(entry_id, **(values | changes))


def a_current_draft(
    templates: dict[str, Floats], *, now: datetime, entries: Sequence[Entry] = (), **plan: Any
) -> Draft:
    """A list of these people by entry id, written just now; `entries` are those that need to say more."""
    known = {entry.entry_id: entry for entry in entries}
    listed = [known.get(name) or a_listed(name, now=now) for name in templates]
    return a_draft(*listed, templates=templates, **({"created_at": now - _BEFORE} | plan))


def showing(draft: Draft, entry_id: str, *jpegs: bytes) -> Draft:
    """The draft, whose reviewers see these pictures of one entry; to be given to `sealed_up` as well."""
    of = draft.manifest
    shown = tuple(
        replace(picture, shown_sha256=file_sha256(jpeg))
        for picture, jpeg in zip(of.by_id[entry_id].pictures, jpegs, strict=True)
    )
    entries = (replace(one, pictures=shown) if one.entry_id == entry_id else one for one in of.entries)
    return replace(draft, manifest=replace(of, entries=tuple(entries)))


def sealed_up(
    draft: Draft,
    *,
    sealing: Sealing,
    registry: Registry,
    at: datetime,
    officer: SigningKey = OFFICER,
    shown: Mapping[str, tuple[bytes, ...]] | None = None,
) -> Bundle:
    """The draft, signed by its manager and an officer, as a file that was read again."""
    signatures = [sign(draft.manifest, key, at=at) for key in (MANAGER, officer)]
    made = seal(draft, signatures, similarity=raw_scores, registry=registry, now=at)
    contents = open_draft(write_draft(draft, {**pictures(draft), **(shown or {})}, sealing=sealing))
    return open_bundle(write_sealed(contents, made, MANAGER, at=at), registry=registry, now=at)


def load(client: redis.Redis, bundle: Bundle, *, until: datetime) -> str:
    """Into the durable Redis; its digest."""
    list_redis.load(client, bundle, until=until)
    return bundle.contents.seal.digest
