"""From a verified document to the `Authority` that today's services read, so that wiring is a replacement."""

from __future__ import annotations

from collections.abc import Iterable

from services.contracts import authority
from services.contracts.authorisation.approvals import Verified
from services.contracts.authorisation.document import Camera, Document
from services.contracts.authorisation.refusals import camera_mismatch
from services.contracts.errors import Misconfigured


def as_authority(verified: Verified) -> authority.Authority:
    """For a service that opens no camera: an address says what the source is and holds no password."""
    document = verified.document
    return _authority(
        document,
        (
            authority.Camera(
                id=known.id, source=known.source, address=f"{known.source}://{known.host or known.id}"
            )
            for known in document.cameras
        ),
    )


def as_authority_of_reader(verified: Verified, cameras: Iterable[authority.Camera]) -> authority.Authority:
    """For ingest: `cameras` say how each is read (address, pace, size); what is read is the document's to say.

    Raises Misconfigured naming each camera of either side that the other has not, or has with another kind of
    source or host. Never shows an address.
    """
    read = {camera.id: camera for camera in cameras}
    document = verified.document
    wrong = unlike(document, read.values())
    if wrong:
        raise Misconfigured(f"cameras as read are not those of authority {document.id}: {'; '.join(wrong)} [C-28]")
    return _authority(document, (read[known.id] for known in document.cameras))


def unlike(document: Document, cameras: Iterable[authority.Camera]) -> list[str]:
    """Each camera that the document and `cameras`, as they are to be read, have not alike, and why.

    Never shows an address.
    """
    read = {camera.id: camera for camera in cameras}
    return [
        *(f"{unknown}: not in the authority" for unknown in read if document.camera(unknown) is None),
        *(f"{known.id}: {why}" for known in document.cameras if (why := _mismatch(known, read.get(known.id)))),
    ]


def _mismatch(known: Camera, read: authority.Camera | None) -> str | None:
    return "nothing says how it is read" if read is None else camera_mismatch(known, read)


def _authority(document: Document, cameras: Iterable[authority.Camera]) -> authority.Authority:
    sealed = document.watchlist
    return authority.Authority(
        deployment=document.id,
        version=document.version,
        use_case=document.admits,
        purpose=document.purpose,
        cameras=tuple(cameras),  # in the document's order: a camera's partition follows from it
        window=authority.Window(start=document.window.start, end=document.window.end),
        watchlist=authority.Watchlist(
            name=sealed.id,
            max_entries=sealed.max_entries,
            score_kind=sealed.score_kind,
            model=sealed.model,
            thresholds=sealed.thresholds,
        ),
        verification=document.verification,
        retention=document.retention,
    )
