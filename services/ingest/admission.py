"""Cameras are opened only if they are the ones that were authorised, asked anew at each opening."""

from __future__ import annotations

import logging
from collections.abc import Callable

from services.contracts.authorisation.bridge import host_of
from services.contracts.authorisation.document import Document
from services.contracts.authorisation.refusals import camera_refusal
from services.contracts.authority import Camera, SourceKind
from services.ingest.core.readings import Ended, Reading
from services.ingest.core.reasons import Fault
from services.ingest.ports import Source, Sources

log = logging.getLogger(__name__)

Certificate = Callable[[str], str | None]
"""The SHA-256 of the certificate that is shown at an address; None where there is no TLS. Raises OSError."""


class AdmittedSources:
    """`Sources` before others: a camera that is not as `document` names it comes to its end at once.

    Where the document names a certificate, opening blocks until the camera has shown one, on a connection of its
    own just before the one that is read: who can change over between the two is not found until the next opening.
    """

    def __init__(self, document: Document, sources: Sources, *, certificate: Certificate) -> None:
        self._document = document
        self._sources = sources
        self._certificate = certificate

    def open(self, camera: Camera, *, start_s: float = 0.0) -> Source:
        try:
            shown = self._certificate(camera.address) if self._names_one(camera) else None
        except OSError:
            return _Closed(Fault.UNREACHABLE)
        host = host_of(camera.address) if camera.source is SourceKind.RTSP else self._host(camera)
        refusal = camera_refusal(
            self._document, camera.id, source=camera.source, host=host, certificate_sha256=shown
        )
        if refusal is None:
            return self._sources.open(camera, start_s=start_s)
        log.warning("camera is not as authorised", extra={"camera": camera.id, "reason": refusal})
        return _Closed(Fault.NOT_AS_AUTHORISED)

    def _names_one(self, camera: Camera) -> bool:
        known = self._document.camera(camera.id)
        return known is not None and known.certificate_sha256 is not None

    def _host(self, camera: Camera) -> str | None:
        """A file has none of its own to compare."""
        known = self._document.camera(camera.id)
        return known.host if known else None


class _Closed:
    """`Source` that gives nothing."""

    def __init__(self, fault: Fault) -> None:
        self._fault = fault

    def next(self, timeout_s: float) -> Reading | None:
        return Ended(self._fault)

    def stop(self) -> None:
        """It has ended already."""

    def close(self) -> None:
        """Nothing is held."""
