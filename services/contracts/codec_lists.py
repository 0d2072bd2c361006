"""Lists to sealed bytes and back: how a list lies in the durable Redis, and nothing in clear.

The AAD binds Redis name, deployment, key id, type, schema version and the list's digest: a blob that was moved
to another name, deployment or list does not open.
"""

from __future__ import annotations

from datetime import date
from typing import TypeVar

import numpy as np
from google.protobuf.message import DecodeError, Message

from services.contracts import ids, lists
from services.contracts.codec import Sealing
from services.contracts.codec_fields import from_micros, micros
from services.contracts.errors import Undecodable
from services.contracts.events import ScoreKind
from services.contracts.lists import Gallery, ListEntry, ReferenceImage, SubjectImages
from signpost.v1 import list_pb2

M = TypeVar("M", bound=Message)

SCHEMA_VERSION = 1


def seal_list(gallery: Gallery, *, deployment: str, sealing: Sealing) -> bytes:
    """The templates, sealed for `lists.templates(deployment, gallery.digest)`."""
    message = list_pb2.SealedList(
        name=gallery.name,
        model_id=gallery.model_id,
        score_kind=gallery.score_kind.value,
        cohort_size=gallery.cohort_size,
        cohort_weight=gallery.cohort_weight,
        built_at_us=micros(gallery.built_at),
        entries=[_entry_message(entry) for entry in gallery.entries],
    )
    name = lists.templates(deployment, gallery.digest)
    return _seal(message, name, deployment=deployment, digest=gallery.digest, sealing=sealing)


def open_list(sealed: bytes, *, deployment: str, digest: str, sealing: Sealing) -> Gallery:
    """The list of that digest. Raises Tampered, Undecodable, and the cipher's own Permanent for another key."""
    name = lists.templates(deployment, digest)
    message = _open(list_pb2.SealedList(), sealed, name, deployment=deployment, digest=digest, sealing=sealing)
    try:
        gallery = _gallery(message)
    except ValueError as error:
        raise Undecodable("a sealed list holds values that cannot be true") from error
    if gallery.digest != digest:
        raise Undecodable("a sealed list does not have the digest it is stored under")
    return gallery


def seal_images(images: SubjectImages, *, deployment: str, digest: str, sealing: Sealing) -> bytes:
    """One subject's pictures, sealed for `lists.images(deployment, digest, images.token)`."""
    message = list_pb2.SubjectImages(
        token=images.token,
        category=images.category,
        source=images.source,
        reason=images.reason,
        expires_on=images.expires_on.isoformat(),
        images=[
            list_pb2.ReferenceImage(jpeg=one.jpeg, taken_on=one.taken_on.isoformat(), quality=one.quality)
            for one in images.images
        ],
    )
    name = lists.images(deployment, digest, images.token)
    return _seal(message, name, deployment=deployment, digest=digest, sealing=sealing)


def open_images(
    sealed: bytes, *, deployment: str, digest: str, token: ids.SubjectToken, sealing: Sealing
) -> SubjectImages:
    """The pictures of that subject of that list. Raises as `open_list`."""
    name = lists.images(deployment, digest, token)
    message = _open(list_pb2.SubjectImages(), sealed, name, deployment=deployment, digest=digest, sealing=sealing)
    try:
        images = _subject_images(message)
    except ValueError as error:
        raise Undecodable("sealed reference images hold values that cannot be true") from error
    if images.token != token:
        raise Undecodable("sealed reference images are of another subject")
    return images


def _seal(message: Message, name: str, *, deployment: str, digest: str, sealing: Sealing) -> bytes:
    aad = _aad(message, name, deployment=deployment, digest=digest, key_id=sealing.key_id)
    return sealing.cipher.seal(sealing.key, message.SerializeToString(), aad)


def _open(empty: M, sealed: bytes, name: str, *, deployment: str, digest: str, sealing: Sealing) -> M:
    aad = _aad(empty, name, deployment=deployment, digest=digest, key_id=sealing.key_id)
    try:
        empty.ParseFromString(sealing.cipher.open(sealing.key, sealed, aad))
    except DecodeError as error:
        raise Undecodable(f"not a {empty.DESCRIPTOR.name}") from error
    return empty


def _aad(message: Message, name: str, *, deployment: str, digest: str, key_id: str) -> bytes:
    texts = (name, deployment, key_id, message.DESCRIPTOR.name, str(SCHEMA_VERSION), digest)
    return b"".join(len(part).to_bytes(4, "big") + part for part in (text.encode() for text in texts))


def _entry_message(entry: ListEntry) -> list_pb2.ListEntry:
    return list_pb2.ListEntry(
        token=entry.token,
        reference=entry.reference,
        category=entry.category,
        source=entry.source,
        reason=entry.reason,
        expires_on=entry.expires_on.isoformat(),
        vector=entry.vector.astype("<f4").tobytes(),
        images_sha256=entry.images_sha256,
        filler=entry.filler,
    )


def _gallery(message: list_pb2.SealedList) -> Gallery:
    return Gallery(
        name=message.name,
        model_id=message.model_id,
        score_kind=ScoreKind(message.score_kind),
        cohort_size=message.cohort_size,
        cohort_weight=message.cohort_weight,
        built_at=from_micros(message.built_at_us),
        entries=tuple(_entry(entry) for entry in message.entries),
    )


def _entry(message: list_pb2.ListEntry) -> ListEntry:
    return ListEntry(
        token=ids.SubjectToken(message.token),
        reference=message.reference,
        category=message.category,
        source=message.source,
        reason=message.reason,
        expires_on=date.fromisoformat(message.expires_on),
        vector=np.frombuffer(message.vector, dtype="<f4").astype(np.float32),
        images_sha256=message.images_sha256,
        filler=message.filler,
    )


def _subject_images(message: list_pb2.SubjectImages) -> SubjectImages:
    return SubjectImages(
        token=ids.SubjectToken(message.token),
        category=message.category,
        source=message.source,
        reason=message.reason,
        expires_on=date.fromisoformat(message.expires_on),
        images=tuple(
            ReferenceImage(jpeg=one.jpeg, taken_on=date.fromisoformat(one.taken_on), quality=one.quality)
            for one in message.images
        ),
    )
