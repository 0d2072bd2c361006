from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Count(_message.Message):
    __slots__ = ("name", "reason", "value")
    NAME_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    name: str
    reason: str
    value: int
    def __init__(self, name: _Optional[str] = ..., reason: _Optional[str] = ..., value: _Optional[int] = ...) -> None: ...

class StageCounts(_message.Message):
    __slots__ = ("stage", "incarnation", "totals", "standing", "final")
    STAGE_FIELD_NUMBER: _ClassVar[int]
    INCARNATION_FIELD_NUMBER: _ClassVar[int]
    TOTALS_FIELD_NUMBER: _ClassVar[int]
    STANDING_FIELD_NUMBER: _ClassVar[int]
    FINAL_FIELD_NUMBER: _ClassVar[int]
    stage: str
    incarnation: str
    totals: _containers.RepeatedCompositeFieldContainer[Count]
    standing: _containers.RepeatedCompositeFieldContainer[Count]
    final: bool
    def __init__(self, stage: _Optional[str] = ..., incarnation: _Optional[str] = ..., totals: _Optional[_Iterable[_Union[Count, _Mapping]]] = ..., standing: _Optional[_Iterable[_Union[Count, _Mapping]]] = ..., final: _Optional[bool] = ...) -> None: ...

class CameraGap(_message.Message):
    __slots__ = ("camera", "run", "began_at_us", "reason")
    CAMERA_FIELD_NUMBER: _ClassVar[int]
    RUN_FIELD_NUMBER: _ClassVar[int]
    BEGAN_AT_US_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    camera: str
    run: str
    began_at_us: int
    reason: str
    def __init__(self, camera: _Optional[str] = ..., run: _Optional[str] = ..., began_at_us: _Optional[int] = ..., reason: _Optional[str] = ...) -> None: ...

class DeadLettered(_message.Message):
    __slots__ = ("topic", "partition", "offset", "reason")
    TOPIC_FIELD_NUMBER: _ClassVar[int]
    PARTITION_FIELD_NUMBER: _ClassVar[int]
    OFFSET_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    topic: str
    partition: int
    offset: int
    reason: str
    def __init__(self, topic: _Optional[str] = ..., partition: _Optional[int] = ..., offset: _Optional[int] = ..., reason: _Optional[str] = ...) -> None: ...
