from signpost.v1 import face_pb2 as _face_pb2
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class EnrolRequest(_message.Message):
    __slots__ = ("picture",)
    PICTURE_FIELD_NUMBER: _ClassVar[int]
    picture: bytes
    def __init__(self, picture: _Optional[bytes] = ...) -> None: ...

class EnrolResponse(_message.Message):
    __slots__ = ("template", "refusal")
    TEMPLATE_FIELD_NUMBER: _ClassVar[int]
    REFUSAL_FIELD_NUMBER: _ClassVar[int]
    template: Template
    refusal: Refusal
    def __init__(self, template: _Optional[_Union[Template, _Mapping]] = ..., refusal: _Optional[_Union[Refusal, _Mapping]] = ...) -> None: ...

class Template(_message.Message):
    __slots__ = ("model_id", "vector", "box", "quality", "reference_jpeg")
    MODEL_ID_FIELD_NUMBER: _ClassVar[int]
    VECTOR_FIELD_NUMBER: _ClassVar[int]
    BOX_FIELD_NUMBER: _ClassVar[int]
    QUALITY_FIELD_NUMBER: _ClassVar[int]
    REFERENCE_JPEG_FIELD_NUMBER: _ClassVar[int]
    model_id: str
    vector: bytes
    box: _face_pb2.Box
    quality: float
    reference_jpeg: bytes
    def __init__(self, model_id: _Optional[str] = ..., vector: _Optional[bytes] = ..., box: _Optional[_Union[_face_pb2.Box, _Mapping]] = ..., quality: _Optional[float] = ..., reference_jpeg: _Optional[bytes] = ...) -> None: ...

class Refusal(_message.Message):
    __slots__ = ("reason", "detail")
    REASON_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    reason: str
    detail: str
    def __init__(self, reason: _Optional[str] = ..., detail: _Optional[str] = ...) -> None: ...

class DescribeModelRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class DescribeModelResponse(_message.Message):
    __slots__ = ("model_id", "name", "licence", "training_data", "vector_length")
    MODEL_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    LICENCE_FIELD_NUMBER: _ClassVar[int]
    TRAINING_DATA_FIELD_NUMBER: _ClassVar[int]
    VECTOR_LENGTH_FIELD_NUMBER: _ClassVar[int]
    model_id: str
    name: str
    licence: str
    training_data: str
    vector_length: int
    def __init__(self, model_id: _Optional[str] = ..., name: _Optional[str] = ..., licence: _Optional[str] = ..., training_data: _Optional[str] = ..., vector_length: _Optional[int] = ...) -> None: ...
