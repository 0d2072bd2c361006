from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ReferenceImage(_message.Message):
    __slots__ = ("jpeg", "taken_on", "sha256", "quality")
    JPEG_FIELD_NUMBER: _ClassVar[int]
    TAKEN_ON_FIELD_NUMBER: _ClassVar[int]
    SHA256_FIELD_NUMBER: _ClassVar[int]
    QUALITY_FIELD_NUMBER: _ClassVar[int]
    jpeg: bytes
    taken_on: str
    sha256: bytes
    quality: float
    def __init__(self, jpeg: _Optional[bytes] = ..., taken_on: _Optional[str] = ..., sha256: _Optional[bytes] = ..., quality: _Optional[float] = ...) -> None: ...

class ListEntry(_message.Message):
    __slots__ = ("reference", "category", "source", "reason", "expires_on", "vector", "images", "filler")
    REFERENCE_FIELD_NUMBER: _ClassVar[int]
    CATEGORY_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_ON_FIELD_NUMBER: _ClassVar[int]
    VECTOR_FIELD_NUMBER: _ClassVar[int]
    IMAGES_FIELD_NUMBER: _ClassVar[int]
    FILLER_FIELD_NUMBER: _ClassVar[int]
    reference: str
    category: str
    source: str
    reason: str
    expires_on: str
    vector: bytes
    images: _containers.RepeatedCompositeFieldContainer[ReferenceImage]
    filler: bool
    def __init__(self, reference: _Optional[str] = ..., category: _Optional[str] = ..., source: _Optional[str] = ..., reason: _Optional[str] = ..., expires_on: _Optional[str] = ..., vector: _Optional[bytes] = ..., images: _Optional[_Iterable[_Union[ReferenceImage, _Mapping]]] = ..., filler: _Optional[bool] = ...) -> None: ...

class SealedList(_message.Message):
    __slots__ = ("model_id", "score_kind", "cohort_size", "cohort_weight", "entries", "built_at_us")
    MODEL_ID_FIELD_NUMBER: _ClassVar[int]
    SCORE_KIND_FIELD_NUMBER: _ClassVar[int]
    COHORT_SIZE_FIELD_NUMBER: _ClassVar[int]
    COHORT_WEIGHT_FIELD_NUMBER: _ClassVar[int]
    ENTRIES_FIELD_NUMBER: _ClassVar[int]
    BUILT_AT_US_FIELD_NUMBER: _ClassVar[int]
    model_id: str
    score_kind: str
    cohort_size: int
    cohort_weight: float
    entries: _containers.RepeatedCompositeFieldContainer[ListEntry]
    built_at_us: int
    def __init__(self, model_id: _Optional[str] = ..., score_kind: _Optional[str] = ..., cohort_size: _Optional[int] = ..., cohort_weight: _Optional[float] = ..., entries: _Optional[_Iterable[_Union[ListEntry, _Mapping]]] = ..., built_at_us: _Optional[int] = ...) -> None: ...
