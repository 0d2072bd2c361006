from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Optional as _Optional

DESCRIPTOR: _descriptor.FileDescriptor

class Envelope(_message.Message):
    __slots__ = ("type", "schema_version", "event_id", "trace_id", "deployment", "captured_at_us", "body", "key_id", "sealed")
    TYPE_FIELD_NUMBER: _ClassVar[int]
    SCHEMA_VERSION_FIELD_NUMBER: _ClassVar[int]
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    TRACE_ID_FIELD_NUMBER: _ClassVar[int]
    DEPLOYMENT_FIELD_NUMBER: _ClassVar[int]
    CAPTURED_AT_US_FIELD_NUMBER: _ClassVar[int]
    BODY_FIELD_NUMBER: _ClassVar[int]
    KEY_ID_FIELD_NUMBER: _ClassVar[int]
    SEALED_FIELD_NUMBER: _ClassVar[int]
    type: str
    schema_version: int
    event_id: str
    trace_id: str
    deployment: str
    captured_at_us: int
    body: bytes
    key_id: str
    sealed: bytes
    def __init__(self, type: _Optional[str] = ..., schema_version: _Optional[int] = ..., event_id: _Optional[str] = ..., trace_id: _Optional[str] = ..., deployment: _Optional[str] = ..., captured_at_us: _Optional[int] = ..., body: _Optional[bytes] = ..., key_id: _Optional[str] = ..., sealed: _Optional[bytes] = ...) -> None: ...
