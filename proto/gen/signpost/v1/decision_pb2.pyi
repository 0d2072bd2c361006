from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable
from typing import ClassVar as _ClassVar, Optional as _Optional

DESCRIPTOR: _descriptor.FileDescriptor

class CaseOpened(_message.Message):
    __slots__ = ("case", "alert", "subject", "camera", "track", "list_digest", "opened_at_us", "expires_at_us")
    CASE_FIELD_NUMBER: _ClassVar[int]
    ALERT_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    CAMERA_FIELD_NUMBER: _ClassVar[int]
    TRACK_FIELD_NUMBER: _ClassVar[int]
    LIST_DIGEST_FIELD_NUMBER: _ClassVar[int]
    OPENED_AT_US_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_AT_US_FIELD_NUMBER: _ClassVar[int]
    case: str
    alert: str
    subject: str
    camera: str
    track: str
    list_digest: str
    opened_at_us: int
    expires_at_us: int
    def __init__(self, case: _Optional[str] = ..., alert: _Optional[str] = ..., subject: _Optional[str] = ..., camera: _Optional[str] = ..., track: _Optional[str] = ..., list_digest: _Optional[str] = ..., opened_at_us: _Optional[int] = ..., expires_at_us: _Optional[int] = ...) -> None: ...

class AlertFolded(_message.Message):
    __slots__ = ("case", "alert", "track", "camera", "folded_at_us", "reason")
    CASE_FIELD_NUMBER: _ClassVar[int]
    ALERT_FIELD_NUMBER: _ClassVar[int]
    TRACK_FIELD_NUMBER: _ClassVar[int]
    CAMERA_FIELD_NUMBER: _ClassVar[int]
    FOLDED_AT_US_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    case: str
    alert: str
    track: str
    camera: str
    folded_at_us: int
    reason: str
    def __init__(self, case: _Optional[str] = ..., alert: _Optional[str] = ..., track: _Optional[str] = ..., camera: _Optional[str] = ..., folded_at_us: _Optional[int] = ..., reason: _Optional[str] = ...) -> None: ...

class AlertJudged(_message.Message):
    __slots__ = ("case", "round", "seat", "reviewer", "judgement", "features", "displayed_digest", "judged_at_us", "dwell_ms", "scripted")
    CASE_FIELD_NUMBER: _ClassVar[int]
    ROUND_FIELD_NUMBER: _ClassVar[int]
    SEAT_FIELD_NUMBER: _ClassVar[int]
    REVIEWER_FIELD_NUMBER: _ClassVar[int]
    JUDGEMENT_FIELD_NUMBER: _ClassVar[int]
    FEATURES_FIELD_NUMBER: _ClassVar[int]
    DISPLAYED_DIGEST_FIELD_NUMBER: _ClassVar[int]
    JUDGED_AT_US_FIELD_NUMBER: _ClassVar[int]
    DWELL_MS_FIELD_NUMBER: _ClassVar[int]
    SCRIPTED_FIELD_NUMBER: _ClassVar[int]
    case: str
    round: int
    seat: int
    reviewer: str
    judgement: str
    features: _containers.RepeatedScalarFieldContainer[str]
    displayed_digest: str
    judged_at_us: int
    dwell_ms: int
    scripted: bool
    def __init__(self, case: _Optional[str] = ..., round: _Optional[int] = ..., seat: _Optional[int] = ..., reviewer: _Optional[str] = ..., judgement: _Optional[str] = ..., features: _Optional[_Iterable[str]] = ..., displayed_digest: _Optional[str] = ..., judged_at_us: _Optional[int] = ..., dwell_ms: _Optional[int] = ..., scripted: _Optional[bool] = ...) -> None: ...

class CaseDecided(_message.Message):
    __slots__ = ("case", "round", "outcome", "decided_at_us", "judgements")
    CASE_FIELD_NUMBER: _ClassVar[int]
    ROUND_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    DECIDED_AT_US_FIELD_NUMBER: _ClassVar[int]
    JUDGEMENTS_FIELD_NUMBER: _ClassVar[int]
    case: str
    round: int
    outcome: str
    decided_at_us: int
    judgements: int
    def __init__(self, case: _Optional[str] = ..., round: _Optional[int] = ..., outcome: _Optional[str] = ..., decided_at_us: _Optional[int] = ..., judgements: _Optional[int] = ...) -> None: ...

class CaseExpired(_message.Message):
    __slots__ = ("case", "round", "expired_at_us", "judgements")
    CASE_FIELD_NUMBER: _ClassVar[int]
    ROUND_FIELD_NUMBER: _ClassVar[int]
    EXPIRED_AT_US_FIELD_NUMBER: _ClassVar[int]
    JUDGEMENTS_FIELD_NUMBER: _ClassVar[int]
    case: str
    round: int
    expired_at_us: int
    judgements: int
    def __init__(self, case: _Optional[str] = ..., round: _Optional[int] = ..., expired_at_us: _Optional[int] = ..., judgements: _Optional[int] = ...) -> None: ...

class DecisionSuperseded(_message.Message):
    __slots__ = ("case", "round", "from_outcome", "to_outcome", "reason", "by", "superseded_at_us")
    CASE_FIELD_NUMBER: _ClassVar[int]
    ROUND_FIELD_NUMBER: _ClassVar[int]
    FROM_OUTCOME_FIELD_NUMBER: _ClassVar[int]
    TO_OUTCOME_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    BY_FIELD_NUMBER: _ClassVar[int]
    SUPERSEDED_AT_US_FIELD_NUMBER: _ClassVar[int]
    case: str
    round: int
    from_outcome: str
    to_outcome: str
    reason: str
    by: _containers.RepeatedScalarFieldContainer[str]
    superseded_at_us: int
    def __init__(self, case: _Optional[str] = ..., round: _Optional[int] = ..., from_outcome: _Optional[str] = ..., to_outcome: _Optional[str] = ..., reason: _Optional[str] = ..., by: _Optional[_Iterable[str]] = ..., superseded_at_us: _Optional[int] = ...) -> None: ...

class EngagementRecorded(_message.Message):
    __slots__ = ("case", "number", "result", "by", "recorded_at_us")
    CASE_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    BY_FIELD_NUMBER: _ClassVar[int]
    RECORDED_AT_US_FIELD_NUMBER: _ClassVar[int]
    case: str
    number: int
    result: str
    by: str
    recorded_at_us: int
    def __init__(self, case: _Optional[str] = ..., number: _Optional[int] = ..., result: _Optional[str] = ..., by: _Optional[str] = ..., recorded_at_us: _Optional[int] = ...) -> None: ...

class OutcomeRecorded(_message.Message):
    __slots__ = ("case", "number", "outcome", "by", "recorded_at_us")
    CASE_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    BY_FIELD_NUMBER: _ClassVar[int]
    RECORDED_AT_US_FIELD_NUMBER: _ClassVar[int]
    case: str
    number: int
    outcome: str
    by: str
    recorded_at_us: int
    def __init__(self, case: _Optional[str] = ..., number: _Optional[int] = ..., outcome: _Optional[str] = ..., by: _Optional[str] = ..., recorded_at_us: _Optional[int] = ...) -> None: ...
