"""Attacks on what `authority` and `faces` hold, in one town whose authority is suspended meanwhile.

Nothing may be searched while it is: whatever the attacker writes, one search is one too many. Before each attack,
and when a person who may has resumed it, the town searches.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from console.edges.kafka_read import KafkaReader
from services.contracts import codec, codec_authority, ids, keys, topics
from services.contracts.authorisation.approvals import approve
from services.contracts.authorisation.document import Document
from services.contracts.authorisation.enums import Move, Role
from services.contracts.authorisation.records import (
    DocumentPublished,
    LeaseRenewed,
    Record,
    RegistryIssued,
    StateRecorded,
)
from services.contracts.authorisation.registry import sign_registry
from services.contracts.authorisation.statements import sign
from services.contracts.codec import Sealing
from services.runtime.keys.cipher import AesGcm
from signpost.v1 import envelope_pb2
from tests.integration.match.lists import PEOPLE
from tests.reliability.attacks.town import Town
from tests.unit.contracts.authorisation.builders import PEOPLE as ROLES
from tests.unit.contracts.authorisation.builders import (
    a_change,
    a_lease,
    a_registered_key,
    a_registry,
    an_attestation,
    an_order,
    approvals,
    key,
    published,
)

# Past every lease that oversight will write while we look.
_FAR = 10**6
_DAY = timedelta(days=1)
# What a person in a hurry might try; none of it is a setting, and Python's own switches off what `assert` checks.
CLAIMS = {
    "AUTHORITY_CHECK": "off",
    "CHECK_AUTHORITY": "false",
    "SIGNPOST_CHECKS": "off",
    "SKIP_AUTHORITY": "1",
    "ALLOW_UNSIGNED": "true",
    "LEASE_MAX_AGE_S": "1000000000",
    "IGNORE_CLOCK": "1",
    "VERIFY_SIGNATURES": "0",
    "CIPHER": "null",
    "ENCRYPTION": "off",
    "THRESHOLD": "0",
    "THRESHOLDS": '{"1": 0.0}',
    "INSECURE": "1",
    "DEBUG": "1",
    "PYTHONOPTIMIZE": "2",
}


def forged(town: Town) -> None:
    """A root, a registry, people and an authority of the attacker's own; and true headers over his payloads."""
    document, at = town.signed.document, _now()
    everybody = tuple(
        a_registered_key(person, secret=_as(person), valid_from=at - _DAY, valid_to=at + _DAY) for person in ROLES
    )
    root = key("mallory's root")
    registry = a_registry(
        sequence=99, issued_at=at - _DAY, valid_until=at + _DAY, root=root.public, keys=everybody
    )
    town.signed.write(RegistryIssued(sign_registry(registry, root)))
    wider = _wider(document)
    signatures = tuple(
        approve(wider, key(_as(person)), role=ROLES[person], person=person, at=at) for person in ("ann", "olu")
    )
    town.signed.write(DocumentPublished(wider.canonical_bytes(), signatures))
    resumed = _resumed(town, by=_as("oversight"), order=_order(town, _as("olu")))
    leases = [a_lease(one, _FAR, at, by=_as("oversight"), state_sequence=n) for one, n in _leased(town, wider)]
    town.signed.write(*_road(wider, at, _as), resumed, *leases)
    true = [one for one in _written(town) if isinstance(one, LeaseRenewed)][-1]
    town.signed.write(*(_spliced(true, lease) for lease in leases))


def altered(town: Town) -> None:
    """Tokens and documents that were signed, with some words changed, the signatures as they were."""
    document, approved = town.signed.document, approvals(town.signed.document, at=_now() - _DAY)
    town.signed.write(DocumentPublished(_wider(document).canonical_bytes(), approved))
    lower = document.canonical_bytes().replace(b'"thresholds":{"1":0.5}', b'"thresholds":{"1":0.1}')
    assert lower != document.canonical_bytes(), "the document does not look as we thought"
    town.signed.write(DocumentPublished(lower, approved))
    last_lease = [one for one in _written(town) if isinstance(one, LeaseRenewed)][-1]
    last_move = [one for one in _written(town) if isinstance(one, StateRecorded)][-1]
    town.signed.write(_reworded(last_lease, b'"suspended"', b'"active"'))
    town.signed.write(_reworded(last_move, b'"suspended"', b'"active"'))
    town.signed.write(_reworded(last_lease, b'"sequence":', b'"sequence":9'))


def wrong_role(town: Town) -> None:
    """Signatures that are good, of people who are registered, for what is not theirs to say."""
    at = _now()
    for person in ("rex", "liz", "eve", "aud", "ann"):
        town.signed.write(_resumed(town, order=_order(town, person)))
    for person in ("sam", "olu", "rex"):
        town.signed.write(_resumed(town, by=person, order=_order(town, "olu")))
        lease = a_lease(town.signed.document, _FAR, at, by=person, state_sequence=town.signed.moves + 1)
        town.signed.write(lease)
    wider = _wider(town.signed.document)
    signatures = tuple(
        approve(wider, key(person), role=role, person=person, at=at)
        for person, role in (("ann", Role.AUTHOR), ("liz", Role.AUTHORISING_OFFICER), ("rex", Role.REVIEWER))
    )
    town.signed.write(DocumentPublished(wider.canonical_bytes(), signatures), *_road(wider, at, str))


def replayed_from_elsewhere(town: Town) -> None:
    """Everything of another deployment that is in force, under the same root, written under our name."""
    at = _now()
    twin = Document.read(town.signed.document.model_dump() | {"id": f"{town.deployment}-twin", "serial": 2})
    town.signed.write(published(twin, at=at - _DAY), *_road(twin, at, str))
    town.signed.write(a_lease(twin, _FAR, at), a_lease(twin, _FAR + 1, at))


def old_state_replayed(town: Town) -> None:
    """All that the topic ever held of this deployment, once more, as it was."""
    town.signed.write(*_written(town))


def plaintext(town: Town) -> None:
    """Records nobody signed, under `alg: none` and under nothing at all."""
    lease = a_lease(town.signed.document, _FAR, _now(), state_sequence=town.signed.moves)
    _, payload, signature = lease.token.split(".")
    none = _base64(json.dumps({"alg": "none", "typ": "signpost-lease+jws"}).encode())
    clear = base64.urlsafe_b64decode(payload + "==").decode()
    for token in (f"{none}.{payload}.", f"{none}.{payload}.{signature}", f".{payload}.", clear):
        town.signed.write(LeaseRenewed(token))


def plaintext_faces(town: Town) -> None:
    """Faces that are not sealed, not sealed by us, or moved to where they do not belong; nobody showed them."""
    for number in range(4):
        camera = ids.CameraId("gate-1")
        track = ids.track_id(ids.frame_id(camera, 9, 9, number + 1), 0)
        face = town.world.a_face(number, camera=camera, track=track, vector=PEOPLE["anna"])
        spec = keys.face(town.world.authority, face.event_id, face.captured_at)
        true = envelope_pb2.Envelope.FromString(town.crowd.sealed(face))
        bare = envelope_pb2.Envelope.FromString(true.SerializeToString())
        bare.ClearField("sealed")
        bare.ClearField("key_id")
        moved = envelope_pb2.Envelope.FromString(true.SerializeToString())
        moved.body = moved.body.replace(b"gate-1", b"gate-2")
        clear = codec.encode_sealed(
            face, topic=topics.FACES.name, sealing=Sealing(spec.id, bytes(32), NullCipher())
        )
        zero = codec.encode_sealed(face, topic=topics.FACES.name, sealing=Sealing(spec.id, bytes(32), AesGcm()))
        values = (bare.SerializeToString(), moved.SerializeToString(), clear, zero)
        town.crowd.send_raw(camera, values[number])


def unknown_camera(town: Town) -> None:
    """Faces from a camera that the authority does not name."""
    for _ in range(50):
        town.crowd.pass_by(camera=ids.CameraId("gate-99"))


def claims(town: Town) -> None:
    """One of the two matchers was started with variables that claim to switch every check off."""


def rotated(town: Town) -> None:
    """The officer's old key, after the root has replaced it: an order to resume, rightly worded."""
    at = _now()
    fresh = a_registered_key("olu", secret="olu-2", valid_from=at - _DAY, valid_to=at + _DAY)
    town.signed.enrol(town.signed.registered("olu", valid_to=at - timedelta(milliseconds=200)), fresh)
    town.signed.write(_resumed(town, order=_order(town, "olu")))


def resumed_with_the_new_key(town: Town) -> None:
    town.resume(order=_order(town, "olu-2"))


class NullCipher:
    """`codec.Cipher` that does nothing."""

    def seal(self, key: bytes, plaintext: bytes, aad: bytes) -> bytes:
        return plaintext

    def open(self, key: bytes, sealed: bytes, aad: bytes) -> bytes:
        return sealed


def _now() -> datetime:
    return datetime.now(UTC)


def _as(person: str) -> str:
    return f"mallory as {person}"


def _wider(document: Document) -> Document:
    """The next version, with a lower threshold: nobody has approved it."""
    sealed = document.watchlist.model_dump() | {"thresholds": {1: 0.1}}
    fresh = {"version": document.version + 1, "supersedes": document.digest, "watchlist": sealed}
    return Document.read(document.model_dump() | fresh)


def _road(document: Document, at: datetime, signer: Callable[[str], str]) -> list[Record]:
    """From DRAFT to ACTIVE."""
    attested = sign(an_attestation(document, at), key(signer("eve")))
    moves = {1: (Move.SUBMIT, {}), 2: (Move.APPROVE, {}), 3: (Move.ACTIVATE, {"attestation": attested})}
    return [
        a_change(document, sequence, move, at, by=signer("oversight"), **more)
        for sequence, (move, more) in moves.items()
    ]


def _order(town: Town, by: str) -> str:
    return an_order(town.signed.document, town.signed.moves + 1, Move.RESUME, by, _now())


def _resumed(town: Town, *, order: str, by: str = "oversight") -> StateRecorded:
    """The resumption as the next move of the town's authority."""
    return a_change(town.signed.document, town.signed.moves + 1, Move.RESUME, _now(), by=by, order=order)


def _leased(town: Town, wider: Document) -> Iterable[tuple[Document, int]]:
    return ((town.signed.document, town.signed.moves + 1), (wider, 3))


def _written(town: Town) -> list[Record]:
    with closing(KafkaReader(town.servers.bootstrap)) as reader:
        records = [codec_authority.decode(value) for value in reader.values(topics.AUTHORITY.name)]
    return [record for record in records if _about(record, town.deployment)]


def _about(record: Record, deployment: str) -> bool:
    if isinstance(record, RegistryIssued):
        return False
    if isinstance(record, DocumentPublished):
        return f'"id":"{deployment}"'.encode() in record.document
    pieces = record.token.split(".")
    return len(pieces) == 3 and f'"deployment":"{deployment}"'.encode() in _decoded(pieces[1])


def _reworded(record: LeaseRenewed | StateRecorded, before: bytes, after: bytes) -> LeaseRenewed | StateRecorded:
    head, payload, signature = record.token.split(".")
    words = _decoded(payload)
    assert before in words, "the token does not look as we thought"
    return replace(record, token=f"{head}.{_base64(words.replace(before, after))}.{signature}")


def _spliced(true: LeaseRenewed, forged: LeaseRenewed) -> LeaseRenewed:
    """A payload of our own below a header that names oversight's key."""
    return LeaseRenewed(".".join([true.token.split(".")[0], *forged.token.split(".")[1:]]))


def _base64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
