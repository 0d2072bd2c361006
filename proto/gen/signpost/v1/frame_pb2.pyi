from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Optional as _Optional

DESCRIPTOR: _descriptor.FileDescriptor

class FrameCaptured(_message.Message):
    __slots__ = ("camera", "lease", "epoch", "sequence", "read", "dropped_before", "width_px", "height_px", "position_s")
    CAMERA_FIELD_NUMBER: _ClassVar[int]
    LEASE_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    READ_FIELD_NUMBER: _ClassVar[int]
    DROPPED_BEFORE_FIELD_NUMBER: _ClassVar[int]
    WIDTH_PX_FIELD_NUMBER: _ClassVar[int]
    HEIGHT_PX_FIELD_NUMBER: _ClassVar[int]
    POSITION_S_FIELD_NUMBER: _ClassVar[int]
    camera: str
    lease: int
    epoch: int
    sequence: int
    read: int
    dropped_before: int
    width_px: int
    height_px: int
    position_s: float
    def __init__(self, camera: _Optional[str] = ..., lease: _Optional[int] = ..., epoch: _Optional[int] = ..., sequence: _Optional[int] = ..., read: _Optional[int] = ..., dropped_before: _Optional[int] = ..., width_px: _Optional[int] = ..., height_px: _Optional[int] = ..., position_s: _Optional[float] = ...) -> None: ...

class FrameSecret(_message.Message):
    __slots__ = ("jpeg",)
    JPEG_FIELD_NUMBER: _ClassVar[int]
    jpeg: bytes
    def __init__(self, jpeg: _Optional[bytes] = ...) -> None: ...
