from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class SubmitRequest(_message.Message):
    __slots__ = ("document", "approvals")
    DOCUMENT_FIELD_NUMBER: _ClassVar[int]
    APPROVALS_FIELD_NUMBER: _ClassVar[int]
    document: bytes
    approvals: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, document: _Optional[bytes] = ..., approvals: _Optional[_Iterable[str]] = ...) -> None: ...

class ApproveRequest(_message.Message):
    __slots__ = ("approval",)
    APPROVAL_FIELD_NUMBER: _ClassVar[int]
    approval: str
    def __init__(self, approval: _Optional[str] = ...) -> None: ...

class OrderRequest(_message.Message):
    __slots__ = ("order",)
    ORDER_FIELD_NUMBER: _ClassVar[int]
    order: str
    def __init__(self, order: _Optional[str] = ...) -> None: ...

class AttestRequest(_message.Message):
    __slots__ = ("attestation",)
    ATTESTATION_FIELD_NUMBER: _ClassVar[int]
    attestation: str
    def __init__(self, attestation: _Optional[str] = ...) -> None: ...

class RevokeRequest(_message.Message):
    __slots__ = ("revocation",)
    REVOCATION_FIELD_NUMBER: _ClassVar[int]
    revocation: str
    def __init__(self, revocation: _Optional[str] = ...) -> None: ...

class HoldRequest(_message.Message):
    __slots__ = ("hold",)
    HOLD_FIELD_NUMBER: _ClassVar[int]
    hold: str
    def __init__(self, hold: _Optional[str] = ...) -> None: ...

class PutRegistryRequest(_message.Message):
    __slots__ = ("registry",)
    REGISTRY_FIELD_NUMBER: _ClassVar[int]
    registry: str
    def __init__(self, registry: _Optional[str] = ...) -> None: ...

class ExportRequest(_message.Message):
    __slots__ = ("export",)
    EXPORT_FIELD_NUMBER: _ClassVar[int]
    export: str
    def __init__(self, export: _Optional[str] = ...) -> None: ...

class ExportResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class EnterSharingRequest(_message.Message):
    __slots__ = ("line",)
    LINE_FIELD_NUMBER: _ClassVar[int]
    line: str
    def __init__(self, line: _Optional[str] = ...) -> None: ...

class ShowSharingRequest(_message.Message):
    __slots__ = ("after",)
    AFTER_FIELD_NUMBER: _ClassVar[int]
    after: int
    def __init__(self, after: _Optional[int] = ...) -> None: ...

class SharingView(_message.Message):
    __slots__ = ("lines", "lines_total", "head", "broken", "organisation")
    LINES_FIELD_NUMBER: _ClassVar[int]
    LINES_TOTAL_FIELD_NUMBER: _ClassVar[int]
    HEAD_FIELD_NUMBER: _ClassVar[int]
    BROKEN_FIELD_NUMBER: _ClassVar[int]
    ORGANISATION_FIELD_NUMBER: _ClassVar[int]
    lines: _containers.RepeatedScalarFieldContainer[str]
    lines_total: int
    head: str
    broken: bool
    organisation: str
    def __init__(self, lines: _Optional[_Iterable[str]] = ..., lines_total: _Optional[int] = ..., head: _Optional[str] = ..., broken: _Optional[bool] = ..., organisation: _Optional[str] = ...) -> None: ...

class ShowRequest(_message.Message):
    __slots__ = ("deployment",)
    DEPLOYMENT_FIELD_NUMBER: _ClassVar[int]
    deployment: str
    def __init__(self, deployment: _Optional[str] = ...) -> None: ...

class ListRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class Finding(_message.Message):
    __slots__ = ("field", "rule", "source")
    FIELD_FIELD_NUMBER: _ClassVar[int]
    RULE_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    field: str
    rule: str
    source: str
    def __init__(self, field: _Optional[str] = ..., rule: _Optional[str] = ..., source: _Optional[str] = ...) -> None: ...

class Findings(_message.Message):
    __slots__ = ("findings",)
    FINDINGS_FIELD_NUMBER: _ClassVar[int]
    findings: _containers.RepeatedCompositeFieldContainer[Finding]
    def __init__(self, findings: _Optional[_Iterable[_Union[Finding, _Mapping]]] = ...) -> None: ...

class AuthorityView(_message.Message):
    __slots__ = ("deployment", "version", "serial", "digest", "state", "state_sequence", "window_start_us", "window_end_us", "quorum", "attested", "waits_for")
    DEPLOYMENT_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    SERIAL_FIELD_NUMBER: _ClassVar[int]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    STATE_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    WINDOW_START_US_FIELD_NUMBER: _ClassVar[int]
    WINDOW_END_US_FIELD_NUMBER: _ClassVar[int]
    QUORUM_FIELD_NUMBER: _ClassVar[int]
    ATTESTED_FIELD_NUMBER: _ClassVar[int]
    WAITS_FOR_FIELD_NUMBER: _ClassVar[int]
    deployment: str
    version: int
    serial: int
    digest: str
    state: str
    state_sequence: int
    window_start_us: int
    window_end_us: int
    quorum: str
    attested: bool
    waits_for: _containers.RepeatedCompositeFieldContainer[Finding]
    def __init__(self, deployment: _Optional[str] = ..., version: _Optional[int] = ..., serial: _Optional[int] = ..., digest: _Optional[str] = ..., state: _Optional[str] = ..., state_sequence: _Optional[int] = ..., window_start_us: _Optional[int] = ..., window_end_us: _Optional[int] = ..., quorum: _Optional[str] = ..., attested: _Optional[bool] = ..., waits_for: _Optional[_Iterable[_Union[Finding, _Mapping]]] = ...) -> None: ...

class VersionView(_message.Message):
    __slots__ = ("authority", "document", "approvals", "attestation", "states", "certificate")
    AUTHORITY_FIELD_NUMBER: _ClassVar[int]
    DOCUMENT_FIELD_NUMBER: _ClassVar[int]
    APPROVALS_FIELD_NUMBER: _ClassVar[int]
    ATTESTATION_FIELD_NUMBER: _ClassVar[int]
    STATES_FIELD_NUMBER: _ClassVar[int]
    CERTIFICATE_FIELD_NUMBER: _ClassVar[int]
    authority: AuthorityView
    document: bytes
    approvals: _containers.RepeatedScalarFieldContainer[str]
    attestation: str
    states: _containers.RepeatedScalarFieldContainer[str]
    certificate: str
    def __init__(self, authority: _Optional[_Union[AuthorityView, _Mapping]] = ..., document: _Optional[bytes] = ..., approvals: _Optional[_Iterable[str]] = ..., attestation: _Optional[str] = ..., states: _Optional[_Iterable[str]] = ..., certificate: _Optional[str] = ...) -> None: ...

class RevocationsView(_message.Message):
    __slots__ = ("revocations", "head")
    REVOCATIONS_FIELD_NUMBER: _ClassVar[int]
    HEAD_FIELD_NUMBER: _ClassVar[int]
    revocations: int
    head: str
    def __init__(self, revocations: _Optional[int] = ..., head: _Optional[str] = ...) -> None: ...

class RegistryView(_message.Message):
    __slots__ = ("sequence", "valid_until_us", "oversight_may_sign")
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    VALID_UNTIL_US_FIELD_NUMBER: _ClassVar[int]
    OVERSIGHT_MAY_SIGN_FIELD_NUMBER: _ClassVar[int]
    sequence: int
    valid_until_us: int
    oversight_may_sign: bool
    def __init__(self, sequence: _Optional[int] = ..., valid_until_us: _Optional[int] = ..., oversight_may_sign: _Optional[bool] = ...) -> None: ...

class ShowResponse(_message.Message):
    __slots__ = ("versions", "revocations", "lease_sequence", "anchors", "taken_off")
    VERSIONS_FIELD_NUMBER: _ClassVar[int]
    REVOCATIONS_FIELD_NUMBER: _ClassVar[int]
    LEASE_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    ANCHORS_FIELD_NUMBER: _ClassVar[int]
    TAKEN_OFF_FIELD_NUMBER: _ClassVar[int]
    versions: _containers.RepeatedCompositeFieldContainer[VersionView]
    revocations: RevocationsView
    lease_sequence: int
    anchors: _containers.RepeatedCompositeFieldContainer[AnchorView]
    taken_off: _containers.RepeatedCompositeFieldContainer[TakenOffView]
    def __init__(self, versions: _Optional[_Iterable[_Union[VersionView, _Mapping]]] = ..., revocations: _Optional[_Union[RevocationsView, _Mapping]] = ..., lease_sequence: _Optional[int] = ..., anchors: _Optional[_Iterable[_Union[AnchorView, _Mapping]]] = ..., taken_off: _Optional[_Iterable[_Union[TakenOffView, _Mapping]]] = ...) -> None: ...

class TakenOffView(_message.Message):
    __slots__ = ("list_digest", "tokens")
    LIST_DIGEST_FIELD_NUMBER: _ClassVar[int]
    TOKENS_FIELD_NUMBER: _ClassVar[int]
    list_digest: str
    tokens: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, list_digest: _Optional[str] = ..., tokens: _Optional[_Iterable[str]] = ...) -> None: ...

class AnchorView(_message.Message):
    __slots__ = ("sink", "head")
    SINK_FIELD_NUMBER: _ClassVar[int]
    HEAD_FIELD_NUMBER: _ClassVar[int]
    sink: str
    head: bytes
    def __init__(self, sink: _Optional[str] = ..., head: _Optional[bytes] = ...) -> None: ...

class ListResponse(_message.Message):
    __slots__ = ("authorities", "registry")
    AUTHORITIES_FIELD_NUMBER: _ClassVar[int]
    REGISTRY_FIELD_NUMBER: _ClassVar[int]
    authorities: _containers.RepeatedCompositeFieldContainer[AuthorityView]
    registry: RegistryView
    def __init__(self, authorities: _Optional[_Iterable[_Union[AuthorityView, _Mapping]]] = ..., registry: _Optional[_Union[RegistryView, _Mapping]] = ...) -> None: ...
