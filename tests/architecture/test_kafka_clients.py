"""Kafka's client: calls that must not be made, and errors of its own that must not get about."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# confluentinc/librdkafka#5040: the admin client has no group of its own, and dereferences it all the same when
# the coordinator loads or moves. services/runtime/kafka/group.py asks through a consumer instead.
FATAL = ("list_consumer_group_offsets(", "alter_consumer_group_offsets(")


@pytest.mark.parametrize("folder", ["services", "console", "evaluation", "tests"])
def test_no_group_is_asked_for_its_offsets_through_the_admin_client(folder: str) -> None:
    for path in (ROOT / folder).rglob("*.py"):
        if path == Path(__file__):
            continue
        text = path.read_text()
        assert not [call for call in FATAL if call in text], (
            f"{path.relative_to(ROOT)}: see runtime/kafka/group.py"
        )


# What an error means to its reader is worked out in runtime/kafka/errors.py, once: of these.
RAW = frozenset({"KafkaException", "KafkaError"})
KNOW_THEM = (
    "services/runtime/kafka/errors.py",
    "services/runtime/kafka/producer.py",
    "services/runtime/kafka/passing.py",
)


def raw_errors(source: str) -> set[str]:
    """The client's own errors that a file names, however it came by them."""
    return {
        name
        for node in ast.walk(ast.parse(source))
        for name in (
            *((one.name for one in node.names) if isinstance(node, ast.ImportFrom) else ()),
            *((node.attr,) if isinstance(node, ast.Attribute) else ()),
        )
        if name in RAW
    }


@pytest.mark.parametrize("folder", ["services", "console", "evaluation"])
def test_no_error_of_the_client_leaves_the_place_where_errors_get_their_meaning(folder: str) -> None:
    """A raw KafkaException out of a producer ended every camera of an ingest: nobody above knew what it meant."""
    named = {
        str(path.relative_to(ROOT)): found
        for path in (ROOT / folder).rglob("*.py")
        if (found := raw_errors(path.read_text())) and str(path.relative_to(ROOT)) not in KNOW_THEM
    }
    assert named == {}


@pytest.mark.parametrize(
    "line",
    [
        "from confluent_kafka import Consumer, KafkaException",
        "import confluent_kafka\nx = confluent_kafka.KafkaError",
    ],
)
def test_a_raw_error_is_found_however_it_is_named(line: str) -> None:
    assert raw_errors(line) != set()
