"""What each kind of Redis is told."""

from __future__ import annotations

from console.stack.redis_server import Kind, redis_conf


def lines(kind: Kind, *, valkey: bool = True) -> list[str]:
    return redis_conf(kind, port=7000, valkey=valkey).splitlines()


def test_the_volatile_one_persists_nothing() -> None:
    assert 'save ""' in lines("volatile")
    assert "appendonly no" in lines("volatile")


def test_the_durable_one_syncs_each_write_before_it_answers() -> None:
    assert "appendonly yes" in lines("durable")
    assert "appendfsync always" in lines("durable")


def test_both_listen_on_the_loopback_and_log_no_commands() -> None:
    for kind in ("volatile", "durable"):
        assert "bind 127.0.0.1" in lines(kind)
        assert "slowlog-log-slower-than -1" in lines(kind)
        assert "maxmemory-policy noeviction" in lines(kind)


def test_redis_seven_is_told_only_what_it_knows() -> None:
    assert not [line for line in lines("volatile", valkey=False) if line.startswith("commandlog")]
