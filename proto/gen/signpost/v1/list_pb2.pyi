from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ListEntry(_message.Message):
    __slots__ = ("token", "reference", "category", "source", "reason", "expires_on", "vector", "images_sha256", "filler")
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    REFERENCE_FIELD_NUMBER: _ClassVar[int]
    CATEGORY_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_ON_FIELD_NUMBER: _ClassVar[int]
    VECTOR_FIELD_NUMBER: _ClassVar[int]
    IMAGES_SHA256_FIELD_NUMBER: _ClassVar[int]
    FILLER_FIELD_NUMBER: _ClassVar[int]
    token: str
    reference: str
    category: str
    source: str
    reason: str
    expires_on: str
    vector: bytes
    images_sha256: bytes
    filler: bool
    def __init__(self, token: _Optional[str] = ..., reference: _Optional[str] = ..., category: _Optional[str] = ..., source: _Optional[str] = ..., reason: _Optional[str] = ..., expires_on: _Optional[str] = ..., vector: _Optional[bytes] = ..., images_sha256: _Optional[bytes] = ..., filler: _Optional[bool] = ...) -> None: ...

class SealedList(_message.Message):
    __slots__ = ("name", "model_id", "score_kind", "cohort_size", "cohort_weight", "built_at_us", "entries")
    NAME_FIELD_NUMBER: _ClassVar[int]
    MODEL_ID_FIELD_NUMBER: _ClassVar[int]
    SCORE_KIND_FIELD_NUMBER: _ClassVar[int]
    COHORT_SIZE_FIELD_NUMBER: _ClassVar[int]
    COHORT_WEIGHT_FIELD_NUMBER: _ClassVar[int]
    BUILT_AT_US_FIELD_NUMBER: _ClassVar[int]
    ENTRIES_FIELD_NUMBER: _ClassVar[int]
    name: str
    model_id: str
    score_kind: str
    cohort_size: int
    cohort_weight: float
    built_at_us: int
    entries: _containers.RepeatedCompositeFieldContainer[ListEntry]
    def __init__(self, name: _Optional[str] = ..., model_id: _Optional[str] = ..., score_kind: _Optional[str] = ..., cohort_size: _Optional[int] = ..., cohort_weight: _Optional[float] = ..., built_at_us: _Optional[int] = ..., entries: _Optional[_Iterable[_Union[ListEntry, _Mapping]]] = ...) -> None: ...

class ReferenceImage(_message.Message):
    __slots__ = ("jpeg", "taken_on", "quality")
    JPEG_FIELD_NUMBER: _ClassVar[int]
    TAKEN_ON_FIELD_NUMBER: _ClassVar[int]
    QUALITY_FIELD_NUMBER: _ClassVar[int]
    jpeg: bytes
    taken_on: str
    quality: float
    def __init__(self, jpeg: _Optional[bytes] = ..., taken_on: _Optional[str] = ..., quality: _Optional[float] = ...) -> None: ...

class SubjectImages(_message.Message):
    __slots__ = ("token", "category", "source", "reason", "expires_on", "images")
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    CATEGORY_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_ON_FIELD_NUMBER: _ClassVar[int]
    IMAGES_FIELD_NUMBER: _ClassVar[int]
    token: str
    category: str
    source: str
    reason: str
    expires_on: str
    images: _containers.RepeatedCompositeFieldContainer[ReferenceImage]
    def __init__(self, token: _Optional[str] = ..., category: _Optional[str] = ..., source: _Optional[str] = ..., reason: _Optional[str] = ..., expires_on: _Optional[str] = ..., images: _Optional[_Iterable[_Union[ReferenceImage, _Mapping]]] = ...) -> None: ...
