"""A street for each test, on the shared Kafka and Redis."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from console.edges.kafka_admin import KafkaAdmin
from console.stack.kafka import KafkaCluster
from console.topics.apply import apply
from tests.integration.embed.street import MODELS, PICTURES, WALKERS, Street
from tests.integration.stack import missing_server


def need_assets() -> None:
    """Skip (fail in CI) without the models and pictures of `make assets`."""
    wanted = [MODELS / "face_detection_yunet_2023mar_int8bq.onnx", *(PICTURES / w.walks_as.file for w in WALKERS)]
    for path in wanted:
        if not path.is_file():
            missing_server(f"{path.name} is not there: run `make assets`")


@pytest.fixture
def make_street(kafka: KafkaCluster, redis_volatile: str, tmp_path: Path) -> Iterator[Callable[..., Street]]:
    """Deployments of this test's own; `make_street(cameras=3)`."""
    need_assets()
    report = apply(KafkaAdmin(kafka.bootstrap))
    assert not report.refused
    made: list[Street] = []

    def make(*, cameras: int = 2, frame_s: int = 60) -> Street:
        name = f"street-{uuid4().hex[:8]}"
        home = tmp_path / name
        made.append(Street(kafka.bootstrap, redis_volatile, home, name, cameras=cameras, frame_s=frame_s))
        return made[-1]

    yield make
    for street in made:
        street.close()
