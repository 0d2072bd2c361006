"""Why something lies outside an authority, as a closed set, and the checks that need its document alone."""

from __future__ import annotations

from enum import StrEnum

from services.contracts.authorisation.document import Document
from services.contracts.authority import ADMITTED_SOURCES, SourceKind


class Refusal(StrEnum):
    """A metric label and a count reason."""

    OTHER_DEPLOYMENT = "other_deployment"
    OUTSIDE_WINDOW = "outside_window"
    UNKNOWN_CAMERA = "unknown_camera"
    SOURCE_NOT_ADMITTED = "source_not_admitted"
    MODEL_NOT_ADMITTED = "model_not_admitted"
    LIST_NOT_ADMITTED = "list_not_admitted"
    CAMERA_CHANGED = "camera_changed"
    ENTRY_REVOKED = "entry_revoked"
    BACKDATED = "backdated"
    CLOCK_NOT_ACCEPTED = "clock_not_accepted"
    CLOCK_STEPPED = "clock_stepped"
    NO_REGISTRY = "no_registry"
    REGISTRY_FORKED = "registry_forked"
    REGISTRY_BEHIND = "registry_behind"
    NO_LEASE = "no_lease"
    LEASE_STALE = "lease_stale"
    LEASE_FORKED = "lease_forked"
    NOT_VERIFIED = "not_verified"
    NOT_ACTIVE = "not_active"
    STATE_BEHIND = "state_behind"
    STATE_DISPUTED = "state_disputed"
    REVOCATIONS_BEHIND = "revocations_behind"
    REVOCATIONS_DISPUTED = "revocations_disputed"


def camera_refusal(
    document: Document, camera: str, *, source: SourceKind, host: str | None, certificate_sha256: str | None
) -> Refusal | None:
    """Why a camera as it was opened is not the one that was authorised, or None. ingest asks at each connection.

    Where the document names a certificate, the camera must have shown that one.
    """
    known = document.camera(camera)
    if known is None:
        return Refusal.UNKNOWN_CAMERA
    if source is not known.source or host != known.host:
        return Refusal.CAMERA_CHANGED
    if known.certificate_sha256 not in (None, certificate_sha256):
        return Refusal.CAMERA_CHANGED
    return None if source in ADMITTED_SOURCES[document.admits] else Refusal.SOURCE_NOT_ADMITTED
