"""Calls of Kafka's client that must not be made, because they can take the process with them."""

from __future__ import annotations

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
