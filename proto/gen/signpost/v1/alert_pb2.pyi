from signpost.v1 import face_pb2 as _face_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class AlertRaised(_message.Message):
    __slots__ = ("alert", "subject", "camera", "track", "revision", "model_id", "list_digest", "score_kind", "searched_at_us", "authority_version")
    ALERT_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    CAMERA_FIELD_NUMBER: _ClassVar[int]
    TRACK_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    MODEL_ID_FIELD_NUMBER: _ClassVar[int]
    LIST_DIGEST_FIELD_NUMBER: _ClassVar[int]
    SCORE_KIND_FIELD_NUMBER: _ClassVar[int]
    SEARCHED_AT_US_FIELD_NUMBER: _ClassVar[int]
    AUTHORITY_VERSION_FIELD_NUMBER: _ClassVar[int]
    alert: str
    subject: str
    camera: str
    track: str
    revision: int
    model_id: str
    list_digest: str
    score_kind: str
    searched_at_us: int
    authority_version: int
    def __init__(self, alert: _Optional[str] = ..., subject: _Optional[str] = ..., camera: _Optional[str] = ..., track: _Optional[str] = ..., revision: _Optional[int] = ..., model_id: _Optional[str] = ..., list_digest: _Optional[str] = ..., score_kind: _Optional[str] = ..., searched_at_us: _Optional[int] = ..., authority_version: _Optional[int] = ...) -> None: ...

class AlertSecret(_message.Message):
    __slots__ = ("shots", "context_jpeg", "raw_score", "score", "threshold")
    SHOTS_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_JPEG_FIELD_NUMBER: _ClassVar[int]
    RAW_SCORE_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    THRESHOLD_FIELD_NUMBER: _ClassVar[int]
    shots: _containers.RepeatedCompositeFieldContainer[_face_pb2.Shot]
    context_jpeg: bytes
    raw_score: float
    score: float
    threshold: float
    def __init__(self, shots: _Optional[_Iterable[_Union[_face_pb2.Shot, _Mapping]]] = ..., context_jpeg: _Optional[bytes] = ..., raw_score: _Optional[float] = ..., score: _Optional[float] = ..., threshold: _Optional[float] = ...) -> None: ...
