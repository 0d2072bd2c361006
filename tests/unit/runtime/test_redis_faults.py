"""What is wrong with a Redis server, read from its settings."""

from __future__ import annotations

import pytest

from services.runtime.redis_client import durable_faults, volatile_faults

VOLATILE = {
    "save": "",
    "appendonly": "no",
    "maxmemory-policy": "noeviction",
    "crash-log-enabled": "no",
    "slowlog-log-slower-than": "-1",
}
DURABLE = {"appendonly": "yes", "appendfsync": "always", "maxmemory-policy": "noeviction"}
ALONE = {"redis_version": "7.0.15", "role": "master", "connected_slaves": 0}


def test_the_right_settings_have_no_faults() -> None:
    assert volatile_faults(VOLATILE, ALONE) == []
    assert durable_faults(DURABLE, ALONE) == []


@pytest.mark.parametrize("change", [{"connected_slaves": 1}, {"role": "slave"}])
def test_a_volatile_server_with_a_replica_is_at_fault(change: dict[str, object]) -> None:
    (fault,) = volatile_faults(VOLATILE, {**ALONE, **change})
    assert "replica" in fault


def test_a_server_that_is_too_old_is_at_fault() -> None:
    assert durable_faults(DURABLE, {**ALONE, "redis_version": "6.2.14"}) == [
        "its version is 6.2.14, at least 7.0 is needed"
    ]


def test_a_setting_that_cannot_be_read_is_at_fault() -> None:
    """A managed server that hides its settings cannot show that it forgets."""
    assert "save is 'unknown', set it to ''" in volatile_faults({}, ALONE)
    assert len(durable_faults({}, ALONE)) == len(DURABLE)
