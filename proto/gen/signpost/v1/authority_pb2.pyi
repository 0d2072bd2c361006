from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class AuthorityRecord(_message.Message):
    __slots__ = ("registry", "document", "state", "lease", "revocation", "certificate", "hold", "sharing")
    REGISTRY_FIELD_NUMBER: _ClassVar[int]
    DOCUMENT_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    LEASE_FIELD_NUMBER: _ClassVar[int]
    REVOCATION_FIELD_NUMBER: _ClassVar[int]
    CERTIFICATE_FIELD_NUMBER: _ClassVar[int]
    HOLD_FIELD_NUMBER: _ClassVar[int]
    SHARING_FIELD_NUMBER: _ClassVar[int]
    registry: str
    document: PublishedDocument
    state: str
    lease: str
    revocation: str
    certificate: str
    hold: str
    sharing: str
    def __init__(self, registry: _Optional[str] = ..., document: _Optional[_Union[PublishedDocument, _Mapping]] = ..., state: _Optional[str] = ..., lease: _Optional[str] = ..., revocation: _Optional[str] = ..., certificate: _Optional[str] = ..., hold: _Optional[str] = ..., sharing: _Optional[str] = ...) -> None: ...

class PublishedDocument(_message.Message):
    __slots__ = ("document", "approvals")
    DOCUMENT_FIELD_NUMBER: _ClassVar[int]
    APPROVALS_FIELD_NUMBER: _ClassVar[int]
    document: bytes
    approvals: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, document: _Optional[bytes] = ..., approvals: _Optional[_Iterable[str]] = ...) -> None: ...
