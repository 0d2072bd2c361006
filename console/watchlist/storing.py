"""Where a list lies: its files at the operator's, its key in the key store, its parts in the durable Redis."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

from pydantic import SecretStr

from console.authority import files
from console.edges import list_redis
from console.edges.private_file import write_private_bytes
from console.watchlist.build import Built
from console.watchlist.sealing import Sealed
from services.contracts import keys
from services.contracts.authorisation.document import Document
from services.contracts.authorisation.registry import Registry
from services.contracts.authority import Authority
from services.contracts.codec import Sealing
from services.contracts.errors import Misconfigured
from services.contracts.ids import SubjectToken, subject_token
from services.contracts.sealed.bundle.read import Contents, open_bundle
from services.contracts.sealed.bundle.write import write_draft
from services.contracts.sealed.faults import refuse
from services.contracts.sealed.manifest import Manifest
from services.contracts.sealed.terms import outside
from services.contracts.sharing.entering import not_shared_in
from services.contracts.sharing.register import SharingRegister
from services.runtime.clock import SystemClock
from services.runtime.keys.cipher import AesGcm
from services.runtime.keys.folder import FolderKeys
from services.runtime.redis_client import check_durable, connect


def store_draft(out: Path, built: Built, bounds: Authority, keys_dir: Path, *, now: datetime) -> None:
    """Write the draft under the list's key, which dies at the purge; it may be new. Raises Misconfigured."""
    if bounds.purge_at <= now:
        raise Misconfigured(f"{bounds.deployment}: its window and purge are over; nothing may be built for it")
    key_id = keys.watchlist(bounds).id
    key = FolderKeys(keys_dir, SystemClock()).get_or_create(key_id, expires_at=bounds.purge_at)
    write_private_bytes(out, write_draft(built.draft, built.pictures, sealing=Sealing(key_id, key, AesGcm())))


def store_sealed(out: Path, made: Sealed) -> None:
    """Write the sealed list and, beside it, what outlives its purge and what its authority names."""
    write_private_bytes(out, made.bundle)
    write_private_bytes(out.with_suffix(".manifest"), made.manifest)
    write_private_bytes(out.with_suffix(".seal"), made.seal)
    files.write_facts(out.with_suffix(".list.yaml"), made.facts)


def sealing_of(contents: Contents, keys_dir: Path) -> Sealing:
    """The list's key, by the id that its header gives. Raises Misconfigured."""
    key_id = contents.header.key_id
    key = FolderKeys(keys_dir, SystemClock()).get(key_id)
    if key is None:
        raise Misconfigured(f"the key store at {keys_dir} has no key {key_id}: its time may be over")
    return Sealing(key_id, key, AesGcm())


def token_of(deployment: str, keys_dir: Path) -> Callable[[str], SubjectToken]:
    """How the deployment calls a subject, by the organisation's reference. Raises Misconfigured."""
    key = FolderKeys(keys_dir, SystemClock()).get(f"{deployment}/deployment")
    if key is None:
        raise Misconfigured(
            f"the key store at {keys_dir} has no key of {deployment}: nobody searches for it (yet)"
        )
    return lambda reference: subject_token(key, reference)


def load(
    raw: bytes,
    document: Document,
    *,
    registry: Registry,
    sharing: SharingRegister,
    keys_dir: Path,
    redis_durable_url: str,
    now: datetime,
) -> Manifest:
    """Put a sealed list where match and review read it, until its key dies.

    Raises Refused for what is not two people's or outside its authority, and for another body's picture that did
    not come by the sharing register; Altered, Misconfigured, Transient.
    """
    bundle = open_bundle(raw, registry=registry, now=now)
    bundle.contents.check()
    of = bundle.contents.manifest(sealing_of(bundle.contents, keys_dir))
    refuse((*outside(of, document), *not_shared_in(of, sharing, now)))
    until = document.window.end + timedelta(hours=document.retention.list_h)
    with closing(connect(SecretStr(redis_durable_url), client_name="watchlist-load")) as durable:
        check_durable(durable)
        list_redis.load(durable, bundle, until=until)
    return of
