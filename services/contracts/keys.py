"""Every key there is: what it protects, where its parts lie, when each must be gone.

The table of `docs/privacy.md` in code. A record names its key by id; the reader derives the same spec from the
record's clear part, so a key's deadline never travels with what it protects.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from services.contracts.authorisation.purging import What
from services.contracts.authority import Authority
from services.contracts.keyspec import KeyPart, KeySpec, Where

_HOUR = timedelta(hours=1)


def _one(key_id: str, where: Where, expires_at: datetime) -> KeySpec:
    return KeySpec(key_id, (KeyPart(key_id, where, expires_at),))


def deployment(authority: Authority) -> KeySpec:
    """The deployment's own part: in every frame key, and what subject tokens are derived under."""
    return _one(f"{authority.deployment}/deployment", Where.STORE, authority.purge_at)


def frame(authority: Authority, captured_at: datetime) -> KeySpec:
    """The epoch key of `captured_at`: dead one epoch and the frames' retention later."""
    epoch_s = authority.retention.frame_epoch_s
    epoch = int(captured_at.timestamp()) // epoch_s
    ends = datetime.fromtimestamp((epoch + 1) * epoch_s, UTC)
    part = KeyPart(
        f"{authority.deployment}/epoch/{epoch}",
        Where.VOLATILE,
        ends + timedelta(seconds=authority.retention.frame_s),
    )
    return KeySpec(f"{authority.deployment}/frame/{epoch}", (part, *deployment(authority).parts))


def face(authority: Authority, event_id: str, captured_at: datetime) -> KeySpec:
    """A key of its own, destroyed by match once the face is searched; its deadline is a backstop."""
    expires_at = captured_at + timedelta(seconds=authority.retention.frame_s + authority.retention.face_s)
    return _one(f"{authority.deployment}/face/{event_id}", Where.VOLATILE, expires_at)


def alert(authority: Authority, searched_at: datetime) -> KeySpec:
    """The hour's alert key: dead when the adjudication retention of the hour's last alert ends."""
    hour = searched_at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    expires_at = hour + _HOUR + timedelta(hours=authority.retention.alert_h)
    return _one(f"{authority.deployment}/alert/{hour:%Y%m%dT%H}", Where.STORE, expires_at)


def evidence(authority: Authority) -> KeySpec:
    """What was confirmed or held is re-encrypted under this; 31 days at most."""
    expires_at = authority.window.end + timedelta(days=authority.retention.evidence_d)
    return _one(f"{authority.deployment}/evidence", Where.STORE, expires_at)


def review_store(authority: Authority) -> KeySpec:
    """What review keeps in the durable Redis (cases, sign-ins, the outbox, counts) is sealed under this."""
    return _one(f"{authority.deployment}/review", Where.STORE, evidence(authority).expires_at)


def past(authority: Authority, what: str, until: datetime) -> KeySpec:
    """No key, but a mark: that it is there says that `what` is over, and must not be believed again."""
    end = min(until, review_store(authority).expires_at)
    return _one(f"{authority.deployment}/past/{what}", Where.STORE, end)


def audit_salt(authority: Authority, token: str) -> KeySpec:
    """What keeps a person's or subject's commitment in the audit chain from being guessed; erased by itself."""
    return _one(f"{authority.deployment}/audit/{token}", Where.STORE, authority.purge_at)


def watchlist(authority: Authority) -> KeySpec:
    """The list's templates and reference images."""
    return _one(f"{authority.deployment}/list/{authority.watchlist.name}", Where.STORE, authority.purge_at)


def held(authority: Authority, case: str, until: datetime) -> KeySpec:
    """What is held of one case, past the purge: for as long as the hold lasts, and never longer than evidence."""
    key_id = f"{held_of(authority.deployment)}{case}/{until:%Y%m%dT%H%M%S}"
    return _one(key_id, Where.STORE, min(until, evidence(authority).expires_at))


def held_by_id(authority: Authority, key_id: str) -> KeySpec | None:
    """The spec of a key that pictures name as theirs, or None if it is none of those."""
    case, _, until = key_id.removeprefix(held_of(authority.deployment)).rpartition("/")
    try:
        spec = held(authority, case, datetime.strptime(until, "%Y%m%dT%H%M%S").replace(tzinfo=UTC))
    except ValueError:
        return None
    return spec if spec.id == key_id else None


def held_of(deployment: str) -> str:
    """How the ids of keys begin that a purge leaves."""
    return f"{deployment}/held/"


def epochs(deployment: str) -> tuple[What, Where, str]:
    """How the parts are called that a stop destroys at once."""
    return What.EPOCH_KEYS, Where.VOLATILE, f"{deployment}/epoch/"


def purged(deployment: str) -> tuple[tuple[What, Where, str], ...]:
    """How the ids of all keys begin that a purge destroys: every key above but what is held."""
    return (
        epochs(deployment),
        (What.FACE_KEYS, Where.VOLATILE, f"{deployment}/face/"),
        (What.ALERT_KEYS, Where.STORE, f"{deployment}/alert/"),
        (What.EVIDENCE_KEYS, Where.STORE, f"{deployment}/evidence"),
        (What.LIST_KEYS, Where.STORE, f"{deployment}/list/"),
        (What.OTHER_KEYS, Where.STORE, f"{deployment}/audit/"),
        (What.OTHER_KEYS, Where.STORE, f"{deployment}/past/"),
        (What.OTHER_KEYS, Where.STORE, f"{deployment}/review"),
        (What.OTHER_KEYS, Where.STORE, f"{deployment}/deployment"),
    )


# Every kind of key that `purged` names.
KINDS = tuple(dict.fromkeys(kind for kind, _, _ in purged("")))
