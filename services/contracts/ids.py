"""Ids and how they derive from their cause, so that the same input twice gives the same id."""

from __future__ import annotations

import hashlib
import hmac
import re
from typing import NewType

from services.contracts.names import LABEL_PATTERN

DeploymentId = NewType("DeploymentId", str)
CameraId = NewType("CameraId", str)
FrameId = NewType("FrameId", str)
TrackId = NewType("TrackId", str)
SubjectToken = NewType("SubjectToken", str)
AlertId = NewType("AlertId", str)
CaseId = NewType("CaseId", str)

_NAME = re.compile(LABEL_PATTERN)
_DIGEST_CHARS = 32  # 128 bits: collisions are not a concern, keys and logs stay readable


def is_name(text: str) -> bool:
    """Whether `text` may name a deployment or camera: lower case, digits, hyphens, at most 63."""
    return _NAME.fullmatch(text) is not None


def derived(*parts: str | int) -> str:
    """A 128-bit hex id of its cause; parts are length-prefixed, so no two lists of parts collide."""
    digest = hashlib.sha256()
    for part in parts:
        raw = str(part).encode()
        digest.update(len(raw).to_bytes(4, "big"))
        digest.update(raw)
    return digest.hexdigest()[:_DIGEST_CHARS]


def run_id(camera: CameraId, lease: int, epoch: int) -> str:
    """One uninterrupted reading of a camera: a lease and a stream epoch within it."""
    return f"{camera}.{lease}.{epoch}"


def frame_id(camera: CameraId, lease: int, epoch: int, sequence: int) -> FrameId:
    return FrameId(f"{run_id(camera, lease, epoch)}.{sequence}")


def track_id(first_frame: FrameId, detection: int) -> TrackId:
    """A track is named for its first frame and its place among that frame's detections."""
    return TrackId(f"{first_frame}.{detection}")


def face_event_id(track: TrackId, revision: int) -> str:
    """The `revision`-th publication of a track; 1 is its first usable shot."""
    return f"{track}.r{revision}"


def subject_token(deployment_key: bytes, subject: str) -> SubjectToken:
    """The only name a subject has outside its list: HMAC-SHA256 under the deployment's own key."""
    mac = hmac.new(deployment_key, subject.encode(), hashlib.sha256)
    return SubjectToken(mac.hexdigest()[:_DIGEST_CHARS])


def alert_id(track: TrackId, list_digest: str, subject: SubjectToken) -> AlertId:
    """One a track, list and subject, however often the track is searched."""
    return AlertId(derived("alert", track, list_digest, subject))


def case_id(deployment: DeploymentId, first_alert: AlertId) -> CaseId:
    return CaseId(derived("case", deployment, first_alert))
