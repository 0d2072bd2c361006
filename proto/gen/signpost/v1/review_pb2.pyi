from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class SignInRequest(_message.Message):
    __slots__ = ("user", "password", "device")
    USER_FIELD_NUMBER: _ClassVar[int]
    PASSWORD_FIELD_NUMBER: _ClassVar[int]
    DEVICE_FIELD_NUMBER: _ClassVar[int]
    user: str
    password: str
    device: str
    def __init__(self, user: _Optional[str] = ..., password: _Optional[str] = ..., device: _Optional[str] = ...) -> None: ...

class SignInResponse(_message.Message):
    __slots__ = ("token", "expires_at_us", "roles", "device")
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_AT_US_FIELD_NUMBER: _ClassVar[int]
    ROLES_FIELD_NUMBER: _ClassVar[int]
    DEVICE_FIELD_NUMBER: _ClassVar[int]
    token: str
    expires_at_us: int
    roles: _containers.RepeatedScalarFieldContainer[str]
    device: str
    def __init__(self, token: _Optional[str] = ..., expires_at_us: _Optional[int] = ..., roles: _Optional[_Iterable[str]] = ..., device: _Optional[str] = ...) -> None: ...

class SignOutRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class SignOutResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class WhoAmIRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class WhoAmIResponse(_message.Message):
    __slots__ = ("user", "name", "roles", "scripted")
    USER_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    ROLES_FIELD_NUMBER: _ClassVar[int]
    SCRIPTED_FIELD_NUMBER: _ClassVar[int]
    user: str
    name: str
    roles: _containers.RepeatedScalarFieldContainer[str]
    scripted: bool
    def __init__(self, user: _Optional[str] = ..., name: _Optional[str] = ..., roles: _Optional[_Iterable[str]] = ..., scripted: _Optional[bool] = ...) -> None: ...

class WatchCasesRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class CaseSummary(_message.Message):
    __slots__ = ("case", "state", "camera", "captured_at_us", "expires_at_us", "alerts", "claimable", "round", "opened_at_us", "mine")
    CASE_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    CAMERA_FIELD_NUMBER: _ClassVar[int]
    CAPTURED_AT_US_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_AT_US_FIELD_NUMBER: _ClassVar[int]
    ALERTS_FIELD_NUMBER: _ClassVar[int]
    CLAIMABLE_FIELD_NUMBER: _ClassVar[int]
    ROUND_FIELD_NUMBER: _ClassVar[int]
    OPENED_AT_US_FIELD_NUMBER: _ClassVar[int]
    MINE_FIELD_NUMBER: _ClassVar[int]
    case: str
    state: str
    camera: str
    captured_at_us: int
    expires_at_us: int
    alerts: int
    claimable: bool
    round: int
    opened_at_us: int
    mine: Claim
    def __init__(self, case: _Optional[str] = ..., state: _Optional[str] = ..., camera: _Optional[str] = ..., captured_at_us: _Optional[int] = ..., expires_at_us: _Optional[int] = ..., alerts: _Optional[int] = ..., claimable: _Optional[bool] = ..., round: _Optional[int] = ..., opened_at_us: _Optional[int] = ..., mine: _Optional[_Union[Claim, _Mapping]] = ...) -> None: ...

class ClaimCaseRequest(_message.Message):
    __slots__ = ("case",)
    CASE_FIELD_NUMBER: _ClassVar[int]
    case: str
    def __init__(self, case: _Optional[str] = ...) -> None: ...

class ClaimRef(_message.Message):
    __slots__ = ("case", "fence")
    CASE_FIELD_NUMBER: _ClassVar[int]
    FENCE_FIELD_NUMBER: _ClassVar[int]
    case: str
    fence: int
    def __init__(self, case: _Optional[str] = ..., fence: _Optional[int] = ...) -> None: ...

class Claim(_message.Message):
    __slots__ = ("case", "fence", "expires_at_us")
    CASE_FIELD_NUMBER: _ClassVar[int]
    FENCE_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_AT_US_FIELD_NUMBER: _ClassVar[int]
    case: str
    fence: int
    expires_at_us: int
    def __init__(self, case: _Optional[str] = ..., fence: _Optional[int] = ..., expires_at_us: _Optional[int] = ...) -> None: ...

class ReleaseClaimRequest(_message.Message):
    __slots__ = ("case", "fence", "reason")
    CASE_FIELD_NUMBER: _ClassVar[int]
    FENCE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    case: str
    fence: int
    reason: str
    def __init__(self, case: _Optional[str] = ..., fence: _Optional[int] = ..., reason: _Optional[str] = ...) -> None: ...

class ReleaseClaimResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class PictureRef(_message.Message):
    __slots__ = ("name", "captured_at_us", "taken_on", "kind", "sha256", "camera")
    NAME_FIELD_NUMBER: _ClassVar[int]
    CAPTURED_AT_US_FIELD_NUMBER: _ClassVar[int]
    TAKEN_ON_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    SHA256_FIELD_NUMBER: _ClassVar[int]
    CAMERA_FIELD_NUMBER: _ClassVar[int]
    name: str
    captured_at_us: int
    taken_on: str
    kind: str
    sha256: str
    camera: str
    def __init__(self, name: _Optional[str] = ..., captured_at_us: _Optional[int] = ..., taken_on: _Optional[str] = ..., kind: _Optional[str] = ..., sha256: _Optional[str] = ..., camera: _Optional[str] = ...) -> None: ...

class Resemblance(_message.Message):
    __slots__ = ("likeness", "other")
    LIKENESS_FIELD_NUMBER: _ClassVar[int]
    OTHER_FIELD_NUMBER: _ClassVar[int]
    likeness: str
    other: str
    def __init__(self, likeness: _Optional[str] = ..., other: _Optional[str] = ...) -> None: ...

class CaseView(_message.Message):
    __slots__ = ("case", "camera", "captured_at_us", "pictures", "category", "displayed_digest", "claim_expires_at_us", "round", "expires_at_us", "resembles", "handling_instruction", "risk_flags")
    CASE_FIELD_NUMBER: _ClassVar[int]
    CAMERA_FIELD_NUMBER: _ClassVar[int]
    CAPTURED_AT_US_FIELD_NUMBER: _ClassVar[int]
    PICTURES_FIELD_NUMBER: _ClassVar[int]
    CATEGORY_FIELD_NUMBER: _ClassVar[int]
    DISPLAYED_DIGEST_FIELD_NUMBER: _ClassVar[int]
    CLAIM_EXPIRES_AT_US_FIELD_NUMBER: _ClassVar[int]
    ROUND_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_AT_US_FIELD_NUMBER: _ClassVar[int]
    RESEMBLES_FIELD_NUMBER: _ClassVar[int]
    HANDLING_INSTRUCTION_FIELD_NUMBER: _ClassVar[int]
    RISK_FLAGS_FIELD_NUMBER: _ClassVar[int]
    case: str
    camera: str
    captured_at_us: int
    pictures: _containers.RepeatedCompositeFieldContainer[PictureRef]
    category: str
    displayed_digest: str
    claim_expires_at_us: int
    round: int
    expires_at_us: int
    resembles: _containers.RepeatedCompositeFieldContainer[Resemblance]
    handling_instruction: str
    risk_flags: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, case: _Optional[str] = ..., camera: _Optional[str] = ..., captured_at_us: _Optional[int] = ..., pictures: _Optional[_Iterable[_Union[PictureRef, _Mapping]]] = ..., category: _Optional[str] = ..., displayed_digest: _Optional[str] = ..., claim_expires_at_us: _Optional[int] = ..., round: _Optional[int] = ..., expires_at_us: _Optional[int] = ..., resembles: _Optional[_Iterable[_Union[Resemblance, _Mapping]]] = ..., handling_instruction: _Optional[str] = ..., risk_flags: _Optional[_Iterable[str]] = ...) -> None: ...

class ViewPictureRequest(_message.Message):
    __slots__ = ("case", "fence", "name")
    CASE_FIELD_NUMBER: _ClassVar[int]
    FENCE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    case: str
    fence: int
    name: str
    def __init__(self, case: _Optional[str] = ..., fence: _Optional[int] = ..., name: _Optional[str] = ...) -> None: ...

class Picture(_message.Message):
    __slots__ = ("jpeg",)
    JPEG_FIELD_NUMBER: _ClassVar[int]
    jpeg: bytes
    def __init__(self, jpeg: _Optional[bytes] = ...) -> None: ...

class JudgeRequest(_message.Message):
    __slots__ = ("case", "fence", "judgement", "features", "displayed_digest")
    CASE_FIELD_NUMBER: _ClassVar[int]
    FENCE_FIELD_NUMBER: _ClassVar[int]
    JUDGEMENT_FIELD_NUMBER: _ClassVar[int]
    FEATURES_FIELD_NUMBER: _ClassVar[int]
    DISPLAYED_DIGEST_FIELD_NUMBER: _ClassVar[int]
    case: str
    fence: int
    judgement: str
    features: _containers.RepeatedScalarFieldContainer[str]
    displayed_digest: str
    def __init__(self, case: _Optional[str] = ..., fence: _Optional[int] = ..., judgement: _Optional[str] = ..., features: _Optional[_Iterable[str]] = ..., displayed_digest: _Optional[str] = ...) -> None: ...

class JudgeResponse(_message.Message):
    __slots__ = ("state", "score", "threshold")
    STATE_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    THRESHOLD_FIELD_NUMBER: _ClassVar[int]
    state: CaseState
    score: float
    threshold: float
    def __init__(self, state: _Optional[_Union[CaseState, _Mapping]] = ..., score: _Optional[float] = ..., threshold: _Optional[float] = ...) -> None: ...

class CaseState(_message.Message):
    __slots__ = ("case", "state", "outcome", "round", "camera", "captured_at_us", "alerts", "engagements", "outcomes")
    CASE_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    ROUND_FIELD_NUMBER: _ClassVar[int]
    CAMERA_FIELD_NUMBER: _ClassVar[int]
    CAPTURED_AT_US_FIELD_NUMBER: _ClassVar[int]
    ALERTS_FIELD_NUMBER: _ClassVar[int]
    ENGAGEMENTS_FIELD_NUMBER: _ClassVar[int]
    OUTCOMES_FIELD_NUMBER: _ClassVar[int]
    case: str
    state: str
    outcome: str
    round: int
    camera: str
    captured_at_us: int
    alerts: int
    engagements: int
    outcomes: int
    def __init__(self, case: _Optional[str] = ..., state: _Optional[str] = ..., outcome: _Optional[str] = ..., round: _Optional[int] = ..., camera: _Optional[str] = ..., captured_at_us: _Optional[int] = ..., alerts: _Optional[int] = ..., engagements: _Optional[int] = ..., outcomes: _Optional[int] = ...) -> None: ...

class SupersedeRequest(_message.Message):
    __slots__ = ("case", "towards", "reason")
    CASE_FIELD_NUMBER: _ClassVar[int]
    TOWARDS_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    case: str
    towards: str
    reason: str
    def __init__(self, case: _Optional[str] = ..., towards: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class RecordEngagementRequest(_message.Message):
    __slots__ = ("case", "result")
    CASE_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    case: str
    result: str
    def __init__(self, case: _Optional[str] = ..., result: _Optional[str] = ...) -> None: ...

class RecordOutcomeRequest(_message.Message):
    __slots__ = ("case", "outcome")
    CASE_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    case: str
    outcome: str
    def __init__(self, case: _Optional[str] = ..., outcome: _Optional[str] = ...) -> None: ...

class GetCaseRequest(_message.Message):
    __slots__ = ("case",)
    CASE_FIELD_NUMBER: _ClassVar[int]
    case: str
    def __init__(self, case: _Optional[str] = ...) -> None: ...
