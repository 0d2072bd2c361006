"""How many connections the process's open files allow."""

from __future__ import annotations

import resource

# For Kafka, Redis, keys, models and their like; what is left of the limit is for connections.
_RESERVED = 128
# More would serve nobody: every limit here is far below.
_ENOUGH = 16384
# Below this a door would serve one browser and nobody else.
_LEAST = 8


def raise_file_limit() -> None:
    """Take what the system allows: a soft limit of 1024 is a default of 1983, not a wish."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _ENOUGH if hard == resource.RLIM_INFINITY else min(_ENOUGH, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def affordable(wanted: int, *, files_each: int, share: float) -> int:
    """At most `wanted` connections of `files_each` files: what `share` of the process's open files allows."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return wanted
    return max(_LEAST, min(wanted, int(share * max(0, soft - _RESERVED)) // files_each))
