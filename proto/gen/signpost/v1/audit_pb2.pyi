from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class SignedAuditRequest(_message.Message):
    __slots__ = ("request", "key", "signature")
    REQUEST_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    request: bytes
    key: str
    signature: bytes
    def __init__(self, request: _Optional[bytes] = ..., key: _Optional[str] = ..., signature: _Optional[bytes] = ...) -> None: ...

class AuditRequested(_message.Message):
    __slots__ = ("chain", "producer", "sequence", "at_us", "what", "who", "subject", "authority", "authority_version", "about", "seen_sha256", "alert_row")
    CHAIN_FIELD_NUMBER: _ClassVar[int]
    PRODUCER_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    AT_US_FIELD_NUMBER: _ClassVar[int]
    WHAT_FIELD_NUMBER: _ClassVar[int]
    WHO_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    AUTHORITY_FIELD_NUMBER: _ClassVar[int]
    AUTHORITY_VERSION_FIELD_NUMBER: _ClassVar[int]
    ABOUT_FIELD_NUMBER: _ClassVar[int]
    SEEN_SHA256_FIELD_NUMBER: _ClassVar[int]
    ALERT_ROW_FIELD_NUMBER: _ClassVar[int]
    chain: str
    producer: str
    sequence: int
    at_us: int
    what: str
    who: bytes
    subject: bytes
    authority: str
    authority_version: int
    about: str
    seen_sha256: bytes
    alert_row: AlertRow
    def __init__(self, chain: _Optional[str] = ..., producer: _Optional[str] = ..., sequence: _Optional[int] = ..., at_us: _Optional[int] = ..., what: _Optional[str] = ..., who: _Optional[bytes] = ..., subject: _Optional[bytes] = ..., authority: _Optional[str] = ..., authority_version: _Optional[int] = ..., about: _Optional[str] = ..., seen_sha256: _Optional[bytes] = ..., alert_row: _Optional[_Union[AlertRow, _Mapping]] = ...) -> None: ...

class AlertRow(_message.Message):
    __slots__ = ("alert", "period", "period_began_at_us", "period_ends_at_us", "list_sha256", "probe_sha256", "outcome", "verified_by")
    ALERT_FIELD_NUMBER: _ClassVar[int]
    PERIOD_FIELD_NUMBER: _ClassVar[int]
    PERIOD_BEGAN_AT_US_FIELD_NUMBER: _ClassVar[int]
    PERIOD_ENDS_AT_US_FIELD_NUMBER: _ClassVar[int]
    LIST_SHA256_FIELD_NUMBER: _ClassVar[int]
    PROBE_SHA256_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    VERIFIED_BY_FIELD_NUMBER: _ClassVar[int]
    alert: str
    period: str
    period_began_at_us: int
    period_ends_at_us: int
    list_sha256: bytes
    probe_sha256: bytes
    outcome: str
    verified_by: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, alert: _Optional[str] = ..., period: _Optional[str] = ..., period_began_at_us: _Optional[int] = ..., period_ends_at_us: _Optional[int] = ..., list_sha256: _Optional[bytes] = ..., probe_sha256: _Optional[bytes] = ..., outcome: _Optional[str] = ..., verified_by: _Optional[_Iterable[bytes]] = ...) -> None: ...

class AuditRecord(_message.Message):
    __slots__ = ("audited", "head", "term")
    AUDITED_FIELD_NUMBER: _ClassVar[int]
    HEAD_FIELD_NUMBER: _ClassVar[int]
    TERM_FIELD_NUMBER: _ClassVar[int]
    audited: Audited
    head: SignedTreeHead
    term: TermBegun
    def __init__(self, audited: _Optional[_Union[Audited, _Mapping]] = ..., head: _Optional[_Union[SignedTreeHead, _Mapping]] = ..., term: _Optional[_Union[TermBegun, _Mapping]] = ...) -> None: ...

class TermBegun(_message.Message):
    __slots__ = ("id", "previous", "entries", "ended", "key", "signature")
    ID_FIELD_NUMBER: _ClassVar[int]
    PREVIOUS_FIELD_NUMBER: _ClassVar[int]
    ENTRIES_FIELD_NUMBER: _ClassVar[int]
    ENDED_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    id: bytes
    previous: bytes
    entries: int
    ended: _containers.RepeatedScalarFieldContainer[str]
    key: str
    signature: bytes
    def __init__(self, id: _Optional[bytes] = ..., previous: _Optional[bytes] = ..., entries: _Optional[int] = ..., ended: _Optional[_Iterable[str]] = ..., key: _Optional[str] = ..., signature: _Optional[bytes] = ...) -> None: ...

class Audited(_message.Message):
    __slots__ = ("chain", "number", "previous", "request_id", "request_sha256", "request", "term", "key", "signature")
    CHAIN_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    PREVIOUS_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    REQUEST_SHA256_FIELD_NUMBER: _ClassVar[int]
    REQUEST_FIELD_NUMBER: _ClassVar[int]
    TERM_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    chain: str
    number: int
    previous: bytes
    request_id: str
    request_sha256: bytes
    request: bytes
    term: bytes
    key: str
    signature: bytes
    def __init__(self, chain: _Optional[str] = ..., number: _Optional[int] = ..., previous: _Optional[bytes] = ..., request_id: _Optional[str] = ..., request_sha256: _Optional[bytes] = ..., request: _Optional[bytes] = ..., term: _Optional[bytes] = ..., key: _Optional[str] = ..., signature: _Optional[bytes] = ...) -> None: ...

class SignedTreeHead(_message.Message):
    __slots__ = ("chain", "size", "root", "last", "at_us", "key", "signature")
    CHAIN_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    ROOT_FIELD_NUMBER: _ClassVar[int]
    LAST_FIELD_NUMBER: _ClassVar[int]
    AT_US_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    chain: str
    size: int
    root: bytes
    last: bytes
    at_us: int
    key: str
    signature: bytes
    def __init__(self, chain: _Optional[str] = ..., size: _Optional[int] = ..., root: _Optional[bytes] = ..., last: _Optional[bytes] = ..., at_us: _Optional[int] = ..., key: _Optional[str] = ..., signature: _Optional[bytes] = ...) -> None: ...
