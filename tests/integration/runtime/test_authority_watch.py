"""A process on Kafka knows its authority from the records alone, and loses it within seconds."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from console.edges.kafka_admin import KafkaAdmin
from console.stack.kafka import KafkaCluster
from console.topics.apply import apply
from services.contracts.authorisation.enums import Move
from services.contracts.authorisation.lease import MAX_AGE_S
from services.contracts.authorisation.refusals import Refusal
from services.contracts.standing import Standing
from services.runtime.authority_figures import authority_specs
from services.runtime.authority_watch import AuthorityWatch, watch
from services.runtime.clock import SystemClock
from services.runtime.health import Heartbeat
from services.runtime.metrics import new_registry
from services.runtime.process import Context
from services.runtime.settings import ServiceSettings, load
from tests.integration.signed import LEASE_EVERY_S, SignedAuthority
from tests.support import eventually

WITHIN_S = 30.0
SPECS = authority_specs("sample")


@pytest.fixture
def bootstrap(kafka: KafkaCluster) -> str:
    apply(KafkaAdmin(kafka.bootstrap))
    return kafka.bootstrap


@pytest.fixture
def signed(bootstrap: str) -> Iterator[SignedAuthority]:
    signed = SignedAuthority(bootstrap)
    yield signed
    signed.close()


def a_watch(bootstrap: str, signed: SignedAuthority) -> AuthorityWatch:
    environ = {
        "KAFKA_BOOTSTRAP": bootstrap,
        "REDIS_VOLATILE_URL": "redis://127.0.0.1:1",
        "REDIS_DURABLE_URL": "redis://127.0.0.1:1",
        "KEYS_DIR": "nowhere",
        "SERVICE_KEY_FILE": "nowhere",
        "DEPLOYMENT": signed.document.id,
        "AUTHORITY_ROOT": signed.root_fingerprint,
    }
    settings = load(ServiceSettings, environ)
    clock = SystemClock()
    return watch(settings, Context(clock, new_registry(), Heartbeat(clock), "one"), SPECS, name="sample")


@pytest.fixture
def watched(bootstrap: str, signed: SignedAuthority) -> Iterator[AuthorityWatch]:
    found = a_watch(bootstrap, signed)
    found.start()
    yield found
    found.stop()


def built(watched: AuthorityWatch, signed: SignedAuthority) -> Standing:
    verified = watched.wait(threading.Event(), lambda: None, within_s=WITHIN_S)
    assert verified is not None
    assert verified.document == signed.document
    return watched.built_for(verified, lambda: None)


def asked(standing: Standing, signed: SignedAuthority) -> Refusal | None:
    return standing.refusal("gate-1", deployment=signed.document.id, at=datetime.now(UTC))


def test_a_process_waits_for_its_authority_and_may_search_while_the_lease_is_renewed(
    bootstrap: str, signed: SignedAuthority, watched: AuthorityWatch
) -> None:
    SignedAuthority(bootstrap).activate()  # another organisation's, on the same topic
    assert watched.wait(threading.Event(), lambda: None, within_s=1.0) is None
    signed.run()
    standing = built(watched, signed)
    eventually(lambda: asked(standing, signed) is None, "leave to search", within_s=WITHIN_S)
    assert watched.ready()
    assert watched.lease_age_s() < MAX_AGE_S


def test_a_stop_is_known_before_the_lease_that_names_it(signed: SignedAuthority, watched: AuthorityWatch) -> None:
    signed.activate()
    standing = built(watched, signed)
    eventually(lambda: asked(standing, signed) is None, "leave to search", within_s=WITHIN_S)
    signed.move(Move.STOP)
    eventually(lambda: asked(standing, signed) is Refusal.NOT_ACTIVE, "the stop", within_s=LEASE_EVERY_S)


def test_without_a_lease_nothing_may_be_searched_after_ten_seconds(
    signed: SignedAuthority, watched: AuthorityWatch
) -> None:
    signed.activate()
    standing = built(watched, signed)
    assert asked(standing, signed) is None
    eventually(lambda: asked(standing, signed) is Refusal.LEASE_STALE, "its end", within_s=MAX_AGE_S + 1)
    signed.renew()
    eventually(lambda: asked(standing, signed) is None, "leave to search again", within_s=LEASE_EVERY_S)


def test_who_comes_later_reads_all_of_it_from_the_beginning(bootstrap: str, signed: SignedAuthority) -> None:
    signed.activate()
    signed.move(Move.STOP)
    signed.renew()
    later = a_watch(bootstrap, signed)
    later.start()
    try:
        assert asked(built(later, signed), signed) is Refusal.NOT_ACTIVE
    finally:
        later.stop()
