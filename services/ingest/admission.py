"""Cameras are opened only if they are the ones that were authorised, asked anew at each opening."""

from __future__ import annotations

import logging

from services.contracts.authorisation.document import Document
from services.contracts.authorisation.refusals import camera_refusal
from services.contracts.authority import Camera
from services.ingest.core.readings import Ended, Reading
from services.ingest.core.reasons import Fault
from services.ingest.ports import Source, Sources

log = logging.getLogger(__name__)


class AdmittedSources:
    """`Sources` before others: a camera that is not as `document` names it comes to its end at once.

    Where the document names a certificate, whoever opens the camera must be shown that one on the connection that
    is read, before anything is said on it.
    """

    def __init__(self, document: Document, sources: Sources) -> None:
        self._document = document
        self._sources = sources

    def open(self, camera: Camera, *, start_s: float = 0.0, certificate_sha256: str | None = None) -> Source:
        refusal = camera_refusal(self._document, camera)
        if refusal is None:
            known = self._document.camera(camera.id)
            named = certificate_sha256 if known is None else known.certificate_sha256
            return self._sources.open(camera, start_s=start_s, certificate_sha256=named)
        log.warning("camera is not as authorised", extra={"camera": camera.id, "reason": refusal})
        return _Closed(Fault.NOT_AS_AUTHORISED)


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
