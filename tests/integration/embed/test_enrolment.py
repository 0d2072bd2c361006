"""Enrolment over real gRPC with the real models, on public-domain portraits."""

from __future__ import annotations

import re
from collections.abc import Iterator

import cv2
import grpc
import numpy as np
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc  # type: ignore[import-untyped]
from PIL import Image as PillowImage

from console.run.service import ServiceProcess
from console.sample.sitters import ADMIRAL, FORTY_FOUR
from signpost.v1 import enrolment_pb2, enrolment_pb2_grpc
from tests.integration.embed.conftest import need_assets
from tests.integration.embed.street import COMPILED, MODELS, PICTURES, ROOT, Image, portrait
from tests.photographs import FORMS, png_of_size, saved, with_odd_scans


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceProcess]:
    need_assets()
    home = tmp_path_factory.mktemp("enrol")
    settings = {
        "PYTHONPATH": f"{ROOT}:{ROOT / 'proto' / 'gen'}",
        "KAFKA_BOOTSTRAP": "127.0.0.1:1",
        "MODELS_DIR": str(MODELS),
        "MODEL_CACHE_DIR": str(COMPILED),
        "MAX_PICTURE_BYTES": "3500000",
        "MAX_PICTURE_MPX": "4",
        # At the limit that is shipped a face is refused for its pose in profile only; no such picture is at hand.
        "ENROLMENT_MAX_YAW_RATIO": "0.3",
    }
    process = ServiceProcess("enrol", ["services.embed.enrol"], home=home, settings=settings)
    process.start()
    process.await_ready()
    yield process
    process.stop()


@pytest.fixture(scope="module")
def channel(server: ServiceProcess) -> Iterator[grpc.Channel]:
    port = re.search(r'"grpc_port": (\d+)', server.log.read_text())
    assert port
    options = [("grpc.max_send_message_length", 64_000_000)]
    with grpc.insecure_channel(f"127.0.0.1:{port[1]}", options=options) as channel:
        yield channel


def enrol(channel: grpc.Channel, picture: bytes) -> enrolment_pb2.EnrolResponse:
    stub = enrolment_pb2_grpc.EnrolmentStub(channel)  # type: ignore[no-untyped-call]
    answer: enrolment_pb2.EnrolResponse = stub.Enrol(enrolment_pb2.EnrolRequest(picture=picture), timeout=30)
    return answer


def jpeg(image: Image) -> bytes:
    return bytes(cv2.imencode(".jpg", image)[1].tobytes())


def on_canvas(*heads: Image) -> Image:
    canvas = np.full((700, 500 * len(heads), 3), 128, np.uint8)
    for i, head in enumerate(heads):
        canvas[40 : 40 + head.shape[0], 500 * i + 40 : 500 * i + 40 + head.shape[1]] = head
    return canvas


def vector(template: enrolment_pb2.Template) -> Image:
    return np.frombuffer(template.vector, "<f4")


def test_two_photographs_of_one_person_are_alike_and_of_two_people_are_not(channel: grpc.Channel) -> None:
    first, second, other = (
        enrol(channel, (PICTURES / file).read_bytes()).template
        for file in ("obama.jpg", "obama3.jpg", "grace_hopper.jpg")
    )
    assert vector(first) @ vector(second) > 0.5
    assert vector(first) @ vector(other) < 0.3
    assert first.model_id.startswith("sface-")
    assert np.isclose(np.linalg.norm(vector(first)), 1, atol=1e-3)
    reference = cv2.imdecode(np.frombuffer(first.reference_jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert reference is not None and min(reference.shape[:2]) > first.box.width_px


def test_a_png_is_enrolled_too(channel: grpc.Channel) -> None:
    assert enrol(channel, (PICTURES / "astronaut.png").read_bytes()).HasField("template")


def test_a_photograph_is_turned_as_its_camera_says(channel: grpc.Channel) -> None:
    """Telephones store portraits lying down with a note on how to turn them."""
    image = cv2.imread(str(PICTURES / "obama.jpg"))
    assert image is not None
    lying = jpeg(np.ascontiguousarray(np.rot90(image)))
    orientation = b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0"
    turned = lying[:2] + b"\xff\xe1" + (len(orientation) + 2).to_bytes(2, "big") + orientation + lying[2:]
    upright = enrol(channel, (PICTURES / "obama.jpg").read_bytes()).template
    assert vector(enrol(channel, turned).template) @ vector(upright) > 0.95


def reencoded(form: str) -> bytes:
    with PillowImage.open(PICTURES / "obama.jpg") as portrait_of_44:
        return saved(portrait_of_44.convert("RGB"), form)


@pytest.mark.parametrize("form", FORMS)
def test_one_face_is_one_face_in_every_form_of_photograph(channel: grpc.Channel, form: str) -> None:
    """HEIC is what phones make: it was `not a JPEG picture`, and neither the form nor what to do was named."""
    plain = enrol(channel, (PICTURES / "obama.jpg").read_bytes()).template
    answer = enrol(channel, reencoded(form))
    assert answer.HasField("template"), answer.refusal.detail
    # A GIF has 256 colours.
    assert vector(answer.template) @ vector(plain) > (0.9 if form == "GIF" else 0.97)


def test_a_jpeg_with_a_phone_makers_scan_header_is_enrolled(channel: grpc.Channel) -> None:
    """Every viewer shows it; it was `torn`."""
    plain = (PICTURES / "obama.jpg").read_bytes()
    templates = [enrol(channel, one).template for one in (plain, with_odd_scans(plain))]
    assert templates[0].vector == templates[1].vector != b""


def refusals() -> dict[str, bytes]:
    if not PICTURES.is_dir():
        return {}
    forty_four = portrait(FORTY_FOUR, height_px=300)
    admiral = portrait(ADMIRAL, height_px=300)
    good = jpeg(on_canvas(forty_four))
    blurred = cv2.GaussianBlur(on_canvas(forty_four), (0, 0), 9)
    return {
        "no_face": jpeg(np.full((400, 400, 3), 90, np.uint8)),
        "several_faces": jpeg(on_canvas(forty_four, admiral)),
        "not_upright": jpeg(np.ascontiguousarray(on_canvas(forty_four)[::-1, ::-1])),
        "too_small": jpeg(on_canvas(portrait(FORTY_FOUR, height_px=50))),
        "too_blurred": jpeg(np.asarray(blurred, np.uint8)),
        "unreadable": good[: len(good) // 2],
        "unreadable:text": b"this is no picture",
        "unreadable:empty": b"",
        "unreadable:png": (PICTURES / "astronaut.png").read_bytes()[:5000],
        "too_large": jpeg(np.zeros((2500, 2500, 3), np.uint8)),
        "too_large:bytes": good + b"\0" * 3_500_000,
        "too_large:bomb": png_of_size(65_536, 65_536),
    }


@pytest.mark.parametrize(
    "case",
    [
        "no_face",
        "several_faces",
        "not_upright",
        "too_small",
        "too_blurred",
        "unreadable",
        "unreadable:text",
        "unreadable:empty",
        "unreadable:png",
        "too_large",
        "too_large:bytes",
        "too_large:bomb",
    ],
)
def test_a_picture_that_will_not_do_is_refused_with_its_reason(channel: grpc.Channel, case: str) -> None:
    answer = enrol(channel, refusals()[case])
    assert answer.refusal.reason == case.partition(":")[0]
    assert answer.refusal.detail
    setting = {
        "too_large": "MAX_PICTURE_MPX",
        "too_large:bytes": "MAX_PICTURE_BYTES",
        "too_large:bomb": "MAX_PICTURE_MPX",
    }
    assert setting.get(case, "") in answer.refusal.detail


def test_the_model_is_described_and_the_server_says_that_it_serves(channel: grpc.Channel) -> None:
    stub = enrolment_pb2_grpc.EnrolmentStub(channel)  # type: ignore[no-untyped-call]
    model = stub.DescribeModel(enrolment_pb2.DescribeModelRequest(), timeout=10)
    assert (model.name, model.vector_length) == ("sface", 128)
    assert "Apache-2.0" in model.licence
    health = health_pb2_grpc.HealthStub(channel)
    answer = health.Check(health_pb2.HealthCheckRequest(service="signpost.v1.Enrolment"), timeout=10)
    assert answer.status == health_pb2.HealthCheckResponse.SERVING


def test_nothing_of_a_picture_is_logged(server: ServiceProcess, channel: grpc.Channel) -> None:
    enrol(channel, (PICTURES / "obama.jpg").read_bytes())
    log = server.log.read_text()
    assert "JFIF" not in log
    assert max(map(len, log.splitlines())) < 2000
