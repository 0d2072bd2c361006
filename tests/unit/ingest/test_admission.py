"""A camera is opened only if it is the one that was authorised."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.contracts.authorisation.document import Document
from services.contracts.authority import Camera
from services.ingest.admission import AdmittedSources
from services.ingest.core.readings import Ended
from services.ingest.core.reasons import Fault
from tests.fakes.ingest import FakeSources
from tests.unit.contracts.authorisation import builders
from tests.unit.ingest.builders import a_camera

ADDRESS = "rtsps://camera.example/1"
RIGHT, WRONG = "a" * 64, "b" * 64


def a_document(**camera: object) -> Document:
    return builders.a_document(cameras=[builders.a_camera("gate-1", **camera)])


class Rig:
    def __init__(self, document: Document, shown: str | None = None, *, away: bool = False) -> None:
        self.readers = FakeSources(lambda _: None)
        self.asked: list[str] = []
        self._shown, self._away = shown, away
        self.sources = AdmittedSources(document, self.readers, certificate=self._certificate)

    def _certificate(self, address: str) -> str | None:
        self.asked.append(address)
        if self._away:
            raise ConnectionRefusedError
        return self._shown

    def fault(self, camera: Camera) -> Fault | None:
        """Why it was not opened; None if it was."""
        reading = self.sources.open(camera).next(0)
        return reading.fault if isinstance(reading, Ended) else None


def test_the_authorised_camera_is_opened_and_nothing_is_asked_of_it() -> None:
    rig = Rig(a_document())
    assert rig.fault(a_camera(address=ADDRESS)) is None
    assert (rig.readers.opened, rig.asked) == (["gate-1"], [])


@pytest.mark.parametrize(
    "camera",
    [
        a_camera(address="rtsp://other.example/1"),
        a_camera(source="file", address=str(Path("walk.mp4"))),
        a_camera("gate-9", address=ADDRESS),
    ],
    ids=["host", "source", "unknown"],
)
def test_another_camera_in_its_place_is_not_opened(camera: Camera) -> None:
    rig = Rig(a_document())
    assert rig.fault(camera) is Fault.NOT_AS_AUTHORISED
    assert rig.readers.opened == []


@pytest.mark.parametrize(("shown", "fault"), [(RIGHT, None), (WRONG, Fault.NOT_AS_AUTHORISED)])
def test_where_a_certificate_is_named_the_camera_must_show_it_each_time(shown: str, fault: Fault | None) -> None:
    rig = Rig(a_document(certificate_sha256=RIGHT), shown)
    assert [rig.fault(a_camera(address=ADDRESS)) for _ in range(2)] == [fault, fault]
    assert rig.asked == [ADDRESS, ADDRESS]


def test_a_camera_without_tls_has_no_certificate_to_show() -> None:
    rig = Rig(a_document(certificate_sha256=RIGHT), None)
    assert rig.fault(a_camera(address="rtsp://camera.example/1")) is Fault.NOT_AS_AUTHORISED


def test_a_camera_that_is_away_is_unreachable_and_may_be_tried_again() -> None:
    rig = Rig(a_document(certificate_sha256=RIGHT), away=True)
    assert rig.fault(a_camera(address=ADDRESS)) is Fault.UNREACHABLE
