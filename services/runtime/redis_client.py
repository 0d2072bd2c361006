"""Clients of the two Redis servers, and the check that each server is what it is taken for.

The volatile one must forget (a deleted key stays readable in an append-only file, a slow log shows
arguments), the durable one must not: both are checked at every start, and no setting skips it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType

import redis
import redis.asyncio
from pydantic import SecretStr
from redis.backoff import NoBackoff
from redis.retry import Retry

from services.contracts.errors import Misconfigured, Transient

# Protects the loop from a server that hangs. A script over the largest case takes milliseconds;
# must stay below the least lease time, or a slow answer costs the lease it renews.
_ANSWER_TIMEOUT_S = 5.0
_CONNECT_TIMEOUT_S = 2.0
# Of one event loop at once; a move takes a millisecond or two.
_CONNECTIONS = 32
# A connection idle for longer is tried before use: a firewall may have forgotten it.
_IDLE_CHECK_S = 30
_FLOOR = (7, 0)
# With noeviction a full server refuses writes until keys expire; a replica does until it is promoted.
_PASSING = (redis.ConnectionError, redis.TimeoutError, redis.OutOfMemoryError, redis.ReadOnlyError)

# Where commands and their arguments (keys among them) would be kept for anyone to read, as a crash
# report also would. The last two are Valkey's; a server without them has no such log.
_COMMAND_LOGS = ("slowlog-log-slower-than", "commandlog-request-larger-than", "commandlog-reply-larger-than")
# Asked for by name: a server has settings that are not ours to read, passwords among them.
_VOLATILE_WANTS: Mapping[str, str] = MappingProxyType(
    {"save": "", "appendonly": "no", "maxmemory-policy": "noeviction", "crash-log-enabled": "no"}
)
_VOLATILE_ASKS = (*_VOLATILE_WANTS, *_COMMAND_LOGS)
_DURABLE_WANTS: Mapping[str, str] = MappingProxyType(
    {"appendonly": "yes", "appendfsync": "always", "maxmemory-policy": "noeviction"}
)


def connect(url: SecretStr, *, client_name: str) -> redis.Redis:
    """A client with deadlines; connects at first use, then raises redis' own errors.

    It repeats nothing by itself: whether a move may be made twice is known to the caller alone.
    """
    return redis.Redis.from_url(
        url.get_secret_value(),
        client_name=client_name,
        socket_timeout=_ANSWER_TIMEOUT_S,
        socket_connect_timeout=_CONNECT_TIMEOUT_S,
        health_check_interval=_IDLE_CHECK_S,
        retry=Retry(NoBackoff(), 0),
    )


def connect_async(url: SecretStr, *, client_name: str) -> redis.asyncio.Redis:
    """As `connect`, for an event loop. A burst waits for a connection; it is not refused for want of one."""
    pool = redis.asyncio.BlockingConnectionPool.from_url(
        url.get_secret_value(),
        max_connections=_CONNECTIONS,
        timeout=_ANSWER_TIMEOUT_S,
        client_name=client_name,
        socket_timeout=_ANSWER_TIMEOUT_S,
        socket_connect_timeout=_CONNECT_TIMEOUT_S,
        health_check_interval=_IDLE_CHECK_S,
        retry=redis.asyncio.retry.Retry(NoBackoff(), 0),
    )
    return redis.asyncio.Redis.from_pool(pool)


@contextmanager
def as_transient(what: str) -> Iterator[None]:
    """A server that is away, loading, full or changing roles is Transient; every other error passes.

    So is one where somebody has put a value of another type in the place of ours: until that is gone.
    """
    try:
        yield
    except _PASSING as error:
        raise Transient(f"{what}: Redis did not answer ({type(error).__name__})") from error
    except redis.ResponseError as error:
        if not str(error).startswith("WRONGTYPE"):
            raise
        raise Transient(f"{what}: Redis holds a value of another type where ours belongs") from error


def check_volatile(client: redis.Redis) -> None:
    """Raises Misconfigured naming each reason why this server might keep what must be forgotten.

    Raises Transient if it does not answer.
    """
    with as_transient("checking REDIS_VOLATILE_URL"):
        faults = volatile_faults(_texts(client.config_get(*_VOLATILE_ASKS)), client.info())
    _refuse("REDIS_VOLATILE_URL", faults)


def check_durable(client: redis.Redis) -> None:
    """Raises Misconfigured naming each reason why this server might lose what it acknowledged.

    Raises Transient if it does not answer.
    """
    with as_transient("checking REDIS_DURABLE_URL"):
        faults = durable_faults(_texts(client.config_get(*_DURABLE_WANTS)), client.info())
    _refuse("REDIS_DURABLE_URL", faults)


async def check_durable_async(client: redis.asyncio.Redis) -> None:
    """As `check_durable`, for an event loop."""
    with as_transient("checking REDIS_DURABLE_URL"):
        faults = durable_faults(_texts(await client.config_get(*_DURABLE_WANTS)), await client.info())
    _refuse("REDIS_DURABLE_URL", faults)


async def check_volatile_async(client: redis.asyncio.Redis) -> None:
    """As `check_volatile`, for an event loop."""
    with as_transient("checking REDIS_VOLATILE_URL"):
        faults = volatile_faults(_texts(await client.config_get(*_VOLATILE_ASKS)), await client.info())
    _refuse("REDIS_VOLATILE_URL", faults)


def volatile_faults(config: Mapping[str, str], info: Mapping[str, object]) -> list[str]:
    """What is wrong with a server that has to forget; each with the directive that cures it."""
    faults = _version_faults(info) + _wrong(config, _VOLATILE_WANTS)
    faults += [
        f"{name} is {config[name]}, set it to -1: its log shows what was written"
        for name in _COMMAND_LOGS
        if name in config and int(config[name]) >= 0
    ]
    if int(str(info.get("connected_slaves", 0))) or info.get("role") != "master":
        faults.append("it is replicated, and a replica may persist: give it no replica and no master")
    endless = _without_end(info)
    if endless:
        faults.append(f"it holds {endless} values without a TTL, which nobody will ever delete: remove them")
    return faults


def durable_faults(config: Mapping[str, str], info: Mapping[str, object]) -> list[str]:
    """What is wrong with a server that has to keep; each with the directive that cures it."""
    return _version_faults(info) + _wrong(config, _DURABLE_WANTS)


def _without_end(info: Mapping[str, object]) -> int:
    """How many values have no TTL, in all databases, by the server's own count."""
    held = [one for name, one in info.items() if name.startswith("db") and isinstance(one, Mapping)]
    return sum(int(one.get("keys", 0)) - int(one.get("expires", 0)) for one in held)


def _texts(config: Mapping[str | None, str | None]) -> Mapping[str, str]:
    return {str(name): str(value) for name, value in config.items()}


def _wrong(config: Mapping[str, str], wanted: Mapping[str, str]) -> list[str]:
    return [
        f"{name} is {config.get(name, 'unknown')!r}, set it to {value!r}"
        for name, value in wanted.items()
        if config.get(name) != value
    ]


def _version_faults(info: Mapping[str, object]) -> list[str]:
    version = str(info.get("redis_version", "0.0"))
    major, minor = (int(part) for part in version.split(".")[:2])
    return [] if (major, minor) >= _FLOOR else [f"its version is {version}, at least 7.0 is needed"]


def _refuse(variable: str, faults: list[str]) -> None:
    if faults:
        raise Misconfigured(f"{variable}: " + "; ".join(faults))
