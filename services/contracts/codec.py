"""Events to bytes and back: the one place that knows how a record looks on a topic.

Reading has two steps, because a key may be gone: `peek` tells what a record is and which key it needs, from the
clear part alone; `open_event` authenticates and decrypts. An event without biometrics needs no key for either.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol, TypeVar

from google.protobuf.message import Message

from services.contracts import codec_fields, decisions, events, topics
from services.contracts.errors import Oversized, Undecodable
from services.contracts.events import Event
from signpost.v1 import alert_pb2, counts_pb2, decision_pb2, envelope_pb2, face_pb2, frame_pb2

E = TypeVar("E", bound=Event)

# What a Cipher adds to a plaintext: the key's mark, AES-GCM's nonce and tag. Tests hold the real one to it.
CIPHER_BYTES = 8 + 12 + 16
# What the sealed part costs beside its own bytes: its field's tag, and its length.
_SEALED_FIELD_BYTES = 1 + 5


class Cipher(Protocol):
    """Authenticated encryption. The one real implementation is `services.runtime.keys.cipher`."""

    def seal(self, key: bytes, plaintext: bytes, aad: bytes) -> bytes:
        """Nonce and ciphertext; a fresh random nonce each call."""

    def open(self, key: bytes, sealed: bytes, aad: bytes) -> bytes:
        """The plaintext. Raises errors.Tampered when key, aad or bytes are not those of `seal`."""


@dataclass(frozen=True)
class _Shape:
    """How an event is laid out: its clear body, and the message of its sealed part if it has one."""

    kind: type[Event]
    body: type[Message]
    secret: type[Message] | None = None


_SHAPES = (
    _Shape(events.FrameCaptured, frame_pb2.FrameCaptured, frame_pb2.FrameSecret),
    _Shape(events.FaceObserved, face_pb2.FaceObserved, face_pb2.FaceSecret),
    _Shape(events.AlertRaised, alert_pb2.AlertRaised, alert_pb2.AlertSecret),
    _Shape(events.StageCounts, counts_pb2.StageCounts),
    _Shape(events.CameraGap, counts_pb2.CameraGap),
    _Shape(events.DeadLettered, counts_pb2.DeadLettered),
    _Shape(decisions.CaseOpened, decision_pb2.CaseOpened),
    _Shape(decisions.AlertFolded, decision_pb2.AlertFolded),
    _Shape(decisions.AlertJudged, decision_pb2.AlertJudged),
    _Shape(decisions.CaseDecided, decision_pb2.CaseDecided),
    _Shape(decisions.CaseExpired, decision_pb2.CaseExpired),
    _Shape(decisions.DecisionSuperseded, decision_pb2.DecisionSuperseded),
    _Shape(decisions.EngagementRecorded, decision_pb2.EngagementRecorded),
    _Shape(decisions.OutcomeRecorded, decision_pb2.OutcomeRecorded),
)
_BY_KIND = {shape.kind: shape for shape in _SHAPES}
_BY_NAME = {shape.kind.__name__: shape for shape in _SHAPES}


@dataclass(frozen=True)
class Sealing:
    """The key an event's sealed part is written under."""

    key_id: str
    key: bytes = field(repr=False)
    cipher: Cipher = field(repr=False)


@dataclass(frozen=True)
class Peeked:
    """A record's clear part: enough to count it, refuse it, or fetch the key it needs. Not yet authenticated."""

    kind: type[Event]
    topic: str
    event_id: str
    trace_id: str
    deployment: str
    captured_at: datetime
    key_id: str
    _envelope: envelope_pb2.Envelope = field(repr=False)

    @property
    def body(self) -> Message:
        """The clear body, parsed. Raises Undecodable."""
        return codec_fields.parsed(_BY_NAME[self._envelope.type].body(), self._envelope.body)

    def text(self, name: str) -> str:
        """The text field `name` of the clear body; ValueError if this kind has none. Raises Undecodable."""
        held = getattr(self.body, name, None)
        if not isinstance(held, str):
            raise ValueError(f"{self.kind.__name__} has no text {name} in clear")  # noqa: TRY004 - our own bug
        return held


def encode(event: Event, *, topic: str) -> bytes:
    """Bytes of an event that holds no biometrics. ValueError for one that does: it needs `encode_sealed`.

    Raises Oversized for more than its topic takes.
    """
    shape = _BY_KIND[type(event)]
    if shape.secret is not None:
        raise ValueError(f"{shape.kind.__name__} holds biometrics and is never written in clear")
    raw = _envelope(event, shape, key_id="").SerializeToString()
    topics.check_size(topic, len(raw))
    return raw


def encode_sealed(event: Event, *, topic: str, sealing: Sealing) -> bytes:
    """Bytes of an event whose biometric part is encrypted and bound to `topic` and to the clear part.

    Raises Oversized, before anything is sealed, for more than its topic takes.
    """
    envelope, secret = _unsealed(event, sealing.key_id)
    topics.check_size(topic, _sealed_size(envelope, secret))
    envelope.sealed = sealing.cipher.seal(sealing.key, secret.SerializeToString(), _aad(topic, envelope))
    return envelope.SerializeToString()


def fits(event: Event, *, topic: str, key_id: str) -> bool:
    """Whether `encode_sealed` would take this event for `topic`."""
    try:
        topics.check_size(topic, _sealed_size(*_unsealed(event, key_id)))
    except Oversized:
        return False
    return True


def _unsealed(event: Event, key_id: str) -> tuple[envelope_pb2.Envelope, Message]:
    """The clear part, and what is to be sealed. ValueError for an event that holds no biometrics."""
    shape = _BY_KIND[type(event)]
    if shape.secret is None:
        raise ValueError(f"{shape.kind.__name__} holds nothing to seal")
    secret = shape.secret()
    codec_fields.write(event, secret)
    return _envelope(event, shape, key_id=key_id), secret


def _sealed_size(envelope: envelope_pb2.Envelope, secret: Message) -> int:
    """What the record will be at the most, by some bytes of a length."""
    return envelope.ByteSize() + _SEALED_FIELD_BYTES + CIPHER_BYTES + secret.ByteSize()


def peek(raw: bytes, *, topic: str) -> Peeked:
    """Read the clear part of a record. Raises Undecodable."""
    envelope = codec_fields.parsed(envelope_pb2.Envelope(), raw)
    shape = _BY_NAME.get(envelope.type)
    if shape is None:
        raise Undecodable(f"a record on {topic} has an unknown type")
    if (shape.secret is not None) != bool(envelope.sealed and envelope.key_id):
        raise Undecodable(f"a {envelope.type} on {topic} is not sealed as its type must be")
    return Peeked(
        kind=shape.kind,
        topic=topic,
        event_id=envelope.event_id,
        trace_id=envelope.trace_id,
        deployment=envelope.deployment,
        captured_at=codec_fields.from_micros(envelope.captured_at_us),
        key_id=envelope.key_id,
        _envelope=envelope,
    )


def open_clear(peeked: Peeked) -> Event:
    """The event of a record that needs no key. Raises Undecodable, for one that needs one too."""
    if _BY_KIND[peeked.kind].secret is not None:
        raise Undecodable(f"{peeked.topic} holds a {peeked.kind.__name__}, which is sealed")
    return _build(peeked, peeked.body)


def open_sealed(peeked: Peeked, *, key: bytes, cipher: Cipher) -> Event:
    """Authenticate and decrypt. Raises Tampered, Undecodable."""
    shape = _BY_KIND[peeked.kind]
    if shape.secret is None:
        raise ValueError(f"{shape.kind.__name__} is not sealed")
    envelope = peeked._envelope
    plaintext = cipher.open(key, envelope.sealed, _aad(peeked.topic, envelope))
    return _build(peeked, peeked.body, codec_fields.parsed(shape.secret(), plaintext))


def expect(event: Event, kind: type[E]) -> E:
    """`event` as a `kind`. Raises Undecodable: the topic holds what it should not."""
    if not isinstance(event, kind):
        raise Undecodable(f"expected {kind.__name__}, found {type(event).__name__}")
    return event


def _envelope(event: Event, shape: _Shape, *, key_id: str) -> envelope_pb2.Envelope:
    body = shape.body()
    codec_fields.write(event, body)
    return envelope_pb2.Envelope(
        type=shape.kind.__name__,
        schema_version=event.SCHEMA_VERSION,
        event_id=event.event_id,
        trace_id=event.trace_id,
        deployment=event.deployment,
        captured_at_us=codec_fields.micros(event.captured_at),
        body=body.SerializeToString(deterministic=True) + event.extra,
        key_id=key_id,
    )


def _aad(topic: str, envelope: envelope_pb2.Envelope) -> bytes:
    """Everything the sealed part must not be moved away from, unambiguous by length prefixes."""
    parts = (
        topic.encode(),
        envelope.type.encode(),
        str(envelope.schema_version).encode(),
        envelope.event_id.encode(),
        envelope.trace_id.encode(),
        envelope.deployment.encode(),
        str(envelope.captured_at_us).encode(),
        envelope.key_id.encode(),
        hashlib.sha256(envelope.body).digest(),
    )
    return b"".join(len(part).to_bytes(4, "big") + part for part in parts)


def _unknown_fields(message: Message) -> bytes:
    """The serialized top-level fields this version of the schema does not know."""
    rest = type(message)()
    rest.CopyFrom(message)
    for known, _ in message.ListFields():
        rest.ClearField(known.name)
    return rest.SerializeToString(deterministic=True)


def _build(peeked: Peeked, *messages: Message) -> Event:
    try:
        event = peeked.kind(
            deployment=peeked.deployment,  # type: ignore[arg-type]  # a str until checked by the event itself
            trace_id=peeked.trace_id,
            captured_at=peeked.captured_at,
            extra=_unknown_fields(messages[0]),
            **codec_fields.read(peeked.kind, *messages),
        )
    except ValueError as error:
        raise Undecodable(
            f"a {peeked.kind.__name__} on {peeked.topic} holds values that cannot be true"
        ) from error
    if event.event_id != peeked.event_id:
        raise Undecodable(f"a {peeked.kind.__name__} on {peeked.topic} does not have the id of its cause")
    return event
