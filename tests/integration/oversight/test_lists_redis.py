"""Who sealed a loaded list is read from what stands before its parts; what cannot be read seals nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from uuid import uuid4

import pytest
import redis

from services.contracts import lists
from services.contracts.sealed.bundle.read import open_bundle
from services.contracts.sealed.seal import signature_faults
from services.oversight.edges.lists_redis import RedisSealedLists
from tests.builders import NOON
from tests.unit.contracts.sealed.lists_builder import REGISTRY, a_bundle, a_draft, an_entry, two_signatures

DRAFT = a_draft(an_entry("e-1"), an_entry("e-2"))
DIGEST = DRAFT.manifest.digest


@pytest.fixture
def client(redis_durable: str) -> Iterator[redis.Redis]:
    with closing(redis.Redis.from_url(redis_durable)) as found:
        yield found


def test_the_seal_of_a_loaded_list_is_its_two_signatures(client: redis.Redis) -> None:
    deployment = f"town-{uuid4().hex[:8]}"
    front = open_bundle(a_bundle(DRAFT), registry=REGISTRY, now=NOON).front
    client.set(lists.front(deployment, DIGEST), front, ex=60)
    found = RedisSealedLists(client).seal(deployment, DIGEST)
    assert found is not None
    assert sorted(found.signatures) == sorted(two_signatures(DRAFT))
    assert list(signature_faults(found, REGISTRY, now=NOON)) == []


@pytest.mark.parametrize("front", [None, b"sealed", b"SPLIST1\n" + bytes(8)])
def test_what_is_no_front_has_no_seal(client: redis.Redis, front: bytes | None) -> None:
    deployment = f"town-{uuid4().hex[:8]}"
    if front is not None:
        client.set(lists.front(deployment, DIGEST), front, ex=60)
    assert RedisSealedLists(client).seal(deployment, DIGEST) is None


def test_another_list_in_its_place_has_no_seal(client: redis.Redis) -> None:
    deployment = f"town-{uuid4().hex[:8]}"
    other = open_bundle(a_bundle(a_draft(an_entry("e-9"))), registry=REGISTRY, now=NOON).front
    client.set(lists.front(deployment, DIGEST), other, ex=60)
    assert RedisSealedLists(client).seal(deployment, DIGEST) is None
