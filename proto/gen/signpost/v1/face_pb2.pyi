from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Box(_message.Message):
    __slots__ = ("left_px", "top_px", "width_px", "height_px")
    LEFT_PX_FIELD_NUMBER: _ClassVar[int]
    TOP_PX_FIELD_NUMBER: _ClassVar[int]
    WIDTH_PX_FIELD_NUMBER: _ClassVar[int]
    HEIGHT_PX_FIELD_NUMBER: _ClassVar[int]
    left_px: float
    top_px: float
    width_px: float
    height_px: float
    def __init__(self, left_px: _Optional[float] = ..., top_px: _Optional[float] = ..., width_px: _Optional[float] = ..., height_px: _Optional[float] = ...) -> None: ...

class Shot(_message.Message):
    __slots__ = ("jpeg", "captured_at_us", "box", "quality")
    JPEG_FIELD_NUMBER: _ClassVar[int]
    CAPTURED_AT_US_FIELD_NUMBER: _ClassVar[int]
    BOX_FIELD_NUMBER: _ClassVar[int]
    QUALITY_FIELD_NUMBER: _ClassVar[int]
    jpeg: bytes
    captured_at_us: int
    box: Box
    quality: float
    def __init__(self, jpeg: _Optional[bytes] = ..., captured_at_us: _Optional[int] = ..., box: _Optional[_Union[Box, _Mapping]] = ..., quality: _Optional[float] = ...) -> None: ...

class FaceObserved(_message.Message):
    __slots__ = ("camera", "track", "revision", "model_id", "quality", "first_seen_at_us")
    CAMERA_FIELD_NUMBER: _ClassVar[int]
    TRACK_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    MODEL_ID_FIELD_NUMBER: _ClassVar[int]
    QUALITY_FIELD_NUMBER: _ClassVar[int]
    FIRST_SEEN_AT_US_FIELD_NUMBER: _ClassVar[int]
    camera: str
    track: str
    revision: int
    model_id: str
    quality: float
    first_seen_at_us: int
    def __init__(self, camera: _Optional[str] = ..., track: _Optional[str] = ..., revision: _Optional[int] = ..., model_id: _Optional[str] = ..., quality: _Optional[float] = ..., first_seen_at_us: _Optional[int] = ...) -> None: ...

class FaceSecret(_message.Message):
    __slots__ = ("vector", "shots", "context_jpeg")
    VECTOR_FIELD_NUMBER: _ClassVar[int]
    SHOTS_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_JPEG_FIELD_NUMBER: _ClassVar[int]
    vector: bytes
    shots: _containers.RepeatedCompositeFieldContainer[Shot]
    context_jpeg: bytes
    def __init__(self, vector: _Optional[bytes] = ..., shots: _Optional[_Iterable[_Union[Shot, _Mapping]]] = ..., context_jpeg: _Optional[bytes] = ...) -> None: ...
