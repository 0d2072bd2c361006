"""Why something lies outside an authority, as a closed set, and the checks that need its document alone."""

from __future__ import annotations

from enum import StrEnum

from services.contracts import authority
from services.contracts.authorisation.document import Camera, Document
from services.contracts.authority import ADMITTED_SOURCES, SourceKind
from services.contracts.camera_address import BadAddress, parse_address, parse_place


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


def camera_refusal(document: Document, camera: authority.Camera) -> Refusal | None:
    """Why a camera as it is to be read is not the one that was authorised, or None. ingest asks at each opening.

    Whether it shows the certificate that the document names, its connection tells.
    """
    known = document.camera(camera.id)
    if known is None:
        return Refusal.UNKNOWN_CAMERA
    if camera_mismatch(known, camera) is not None:
        return Refusal.CAMERA_CHANGED
    return None if camera.source in ADMITTED_SOURCES[document.admits] else Refusal.SOURCE_NOT_ADMITTED


def camera_mismatch(known: Camera, read: authority.Camera) -> str | None:
    """In what a camera as it is to be read differs from the one that was authorised; shows no address."""
    if read.source is not known.source:
        return f"is read as {read.source}, authorised as {known.source}"
    return _address_mismatch(known, read) if read.source is SourceKind.RTSP else None


def _address_mismatch(known: Camera, read: authority.Camera) -> str | None:
    try:
        address = parse_address(read.address)
    except BadAddress as bad:
        return f"is read from another host than authorised: its address {bad}"
    if known.host is None or not address.is_at(parse_place(known.host)):
        return f"is read from another host than authorised, {known.host}"
    if known.certificate_sha256 is not None and not address.tls:
        return "is read without TLS (rtsps://), and the authority names its certificate"
    if known.certificate_sha256 is not None and read.transport == "udp":
        return "is read over UDP, which the certificate that the authority names does not cover: `transport: tcp`"
    return None
