"""From a verified document to what today's services read."""

from __future__ import annotations

import pytest

from services.contracts import authority
from services.contracts.authorisation.bridge import as_authority, as_authority_of_reader
from services.contracts.authorisation.findings import NotAuthorised
from services.contracts.authorisation.refusals import Refusal, camera_refusal
from services.contracts.authority import SourceKind
from services.contracts.errors import Misconfigured
from tests.unit.contracts.authorisation.builders import END, START, a_camera, a_document, a_verified, sha

SECRET = "hunter2"


def read(camera: str = "gate-1", **changes: object) -> authority.Camera:
    return authority.Camera.model_validate(
        {"id": camera, "source": "rtsp", "address": f"rtsp://viewer:{SECRET}@Camera.example/1"} | changes
    )


def test_the_services_authority_says_what_was_approved_and_nothing_else() -> None:
    verified = a_verified()
    given = as_authority(verified)
    sealed = verified.document.watchlist
    assert (given.deployment, given.version, given.use_case) == ("oxford-street-1", 1, authority.UseCase.LIVE)
    assert [camera.id for camera in given.cameras] == ["gate-1", "gate-2"]
    assert (given.window.start, given.window.end) == (START, END)
    assert (given.watchlist.name, given.watchlist.model) == (sealed.id, sealed.model)
    assert given.watchlist.threshold(4) == 0.55
    assert given.watchlist.max_entries == sealed.max_entries
    assert given.retention == verified.document.retention


def test_a_reader_brings_addresses_and_pace_in_the_documents_order() -> None:
    given = as_authority_of_reader(a_verified(), [read("gate-2", rate_fps=2), read("gate-1")])
    assert [camera.id for camera in given.cameras] == ["gate-1", "gate-2"]
    assert given.cameras[1].rate_fps == 2
    assert SECRET in given.cameras[0].address


@pytest.mark.parametrize(
    ("cameras", "why"),
    [
        ([read()], "gate-2: nothing says how it is read"),
        ([read(), read("gate-2"), read("gate-3")], "gate-3: not in the authority"),
        ([read(), read("gate-2", source="file")], "gate-2: is read as file, authorised as rtsp"),
        (
            [read(), read("gate-2", address=f"rtsp://v:{SECRET}@other.example/1")],
            "gate-2: is read from another host",
        ),
        (
            [read(), read("gate-2", address=f"rtsp://v:{SECRET}@camera.example:99999/1")],
            "gate-2: is read from another",
        ),
        *(
            ([read(), read("gate-2", address=address)], "gate-2: is read from another host")
            for address in (
                f"file://v:{SECRET}@camera.example/recorded.mp4",
                f"http://v:{SECRET}@camera.example/1",
                f"rtsp://v:{SECRET}@other.example\\@camera.example/1",
                f"rtsp://v:{SECRET}@camera.example.other.example/1",
                f"rtsp://camera.example:{SECRET}@other.example/1",
                f"rtsp://v:{SECRET}@cam\tera.example/1",
                f"rtsp://v:{SECRET}@c\u0430mera.example/1",
            )
        ),
    ],
)
def test_a_reader_cannot_swap_a_camera_its_source_or_its_host(cameras: list[authority.Camera], why: str) -> None:
    with pytest.raises(Misconfigured) as refused:
        as_authority_of_reader(a_verified(), cameras)
    assert why in str(refused.value)
    assert SECRET not in str(refused.value)


CERTIFIED = {"address": "rtsps://camera.example/1"}


@pytest.mark.parametrize(
    ("camera", "changes", "why"),
    [
        ("gate-1", {}, None),
        ("gate-9", {}, Refusal.UNKNOWN_CAMERA),
        ("gate-1", {"source": SourceKind.FILE}, Refusal.CAMERA_CHANGED),
        ("gate-1", {"address": "rtsps://other.example/1"}, Refusal.CAMERA_CHANGED),
        ("gate-1", {"address": "rtsps://camera.example:323/1"}, Refusal.CAMERA_CHANGED),
        ("gate-1", {"address": "rtsps://camera.example:322/1"}, None),
        ("gate-1", {"address": "rtsp://camera.example/1"}, Refusal.CAMERA_CHANGED),
        ("gate-1", {"transport": "udp"}, Refusal.CAMERA_CHANGED),
    ],
)
def test_a_camera_other_than_the_authorised_one_is_refused(
    camera: str, changes: dict[str, object], why: Refusal | None
) -> None:
    document = a_document(cameras=[a_camera(certificate_sha256=sha("its own"))])
    assert camera_refusal(document, read(camera, **(CERTIFIED | changes))) is why


@pytest.mark.parametrize(
    ("authorised", "address"),
    [
        ("camera.example", "RTSP://Camera.Example./1"),
        ("camera.example", "rtsp://camera.example:554/1"),
        ("camera.example:554", "rtsp://camera.example/1"),
        ("[2001:db8::21]:554", "rtsp://[2001:0DB8:0::21]/1"),
        ("[::1]", "rtsp://[::1]:554/1"),
        ("[fe80::21%eth0]", "rtsp://[fe80::21%25eth0]/1"),
        ("10.0.0.21", "rtsp://[::ffff:10.0.0.21]/1"),
    ],
)
def test_one_host_is_the_same_host_however_it_is_written(authorised: str, address: str) -> None:
    document = a_document(cameras=[a_camera(host=authorised)])
    assert camera_refusal(document, read(address=address)) is None


@pytest.mark.parametrize(
    ("authorised", "address"),
    [
        ("[2001:db8::21]:554", "rtsp://[2001:db8::21:554]/1"),
        ("[2001:db8::21:554]", "rtsp://[2001:db8::21]:554/1"),
        ("camera.example:8554", "rtsp://camera.example/1"),
        ("camera.example:554", "rtsps://camera.example/1"),
        ("[fe80::21%eth0]", "rtsp://[fe80::21%25eth1]/1"),
        ("10.0.0.8", "rtsp://10.0.0.010/1"),
    ],
)
def test_two_hosts_are_two_hosts_however_alike_they_are_written(authorised: str, address: str) -> None:
    """`[2001:db8::21]:554` and `[2001:db8::21:554]` were one host to C-28."""
    document = a_document(cameras=[a_camera(host=authorised)])
    assert camera_refusal(document, read(address=address)) is Refusal.CAMERA_CHANGED


@pytest.mark.parametrize(
    "host", ["2001:db8::21", "2001:db8::21:554", "Camera.example", "cam.", "[2001:DB8::1]", "10.0.0.021"]
)
def test_a_document_names_a_host_in_one_spelling_alone(host: str) -> None:
    with pytest.raises(NotAuthorised) as refused:
        a_document(cameras=[a_camera(host=host)])
    (finding,) = refused.value.findings
    assert finding.field == "cameras.0.host"
