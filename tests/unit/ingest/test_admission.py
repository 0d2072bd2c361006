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
RIGHT = "a" * 64


def a_document(**camera: object) -> Document:
    return builders.a_document(cameras=[builders.a_camera("gate-1", **camera)])


class Rig:
    def __init__(self, document: Document) -> None:
        self.readers = FakeSources(lambda _: None)
        self.sources = AdmittedSources(document, self.readers)

    def fault(self, camera: Camera) -> Fault | None:
        """Why it was not opened; None if it was."""
        reading = self.sources.open(camera).next(0)
        return reading.fault if isinstance(reading, Ended) else None


def test_the_authorised_camera_is_opened() -> None:
    rig = Rig(a_document())
    assert rig.fault(a_camera(address=ADDRESS)) is None
    assert (rig.readers.opened, rig.readers.certificates) == (["gate-1"], [None])


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


def test_where_a_certificate_is_named_the_camera_must_show_it_each_time() -> None:
    """To whoever opens it: on the connection that is read (tests/integration/ingest/test_camera_link.py)."""
    rig = Rig(a_document(certificate_sha256=RIGHT))
    assert [rig.fault(a_camera(address=ADDRESS)) for _ in range(2)] == [None, None]
    assert rig.readers.certificates == [RIGHT, RIGHT]


@pytest.mark.parametrize(
    "camera",
    [a_camera(address="rtsp://camera.example/1"), a_camera(address=ADDRESS, transport="udp")],
    ids=["without TLS", "past TLS"],
)
def test_where_a_certificate_is_named_nothing_is_read_that_it_does_not_cover(camera: Camera) -> None:
    rig = Rig(a_document(certificate_sha256=RIGHT))
    assert rig.fault(camera) is Fault.NOT_AS_AUTHORISED
    assert rig.readers.opened == []
