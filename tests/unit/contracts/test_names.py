"""Names that others give, at their longest: a pod's, and what is made of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pydantic import ValidationError

from services.contracts import topics
from services.contracts.audit.requests import AuditRequested
from services.contracts.authorisation.purging import Holder, PurgeAnswer, key_of
from services.contracts.events import StageCounts
from services.contracts.names import HOST, LABEL, LABEL_PATTERN, PROCESS
from services.match.settings import MatchSettings
from services.runtime import counts_topic
from services.runtime.settings import BadSettings, load
from tests.unit.contracts.audit.builders import a_request
from tests.unit.contracts.authorisation.builders import NOON

SCHEMA = Path(__file__).parents[3] / "helm" / "signpost" / "values.schema.json"
# As a StatefulSet's pod may be named, and as an embed worker names itself: INSTANCE, and its pod behind it.
POD = "p" * HOST
WORKER = f"{POD}.{POD}"
DEPLOYMENT = "d" * LABEL


def an_answer(instance: str) -> PurgeAnswer:
    return PurgeAnswer(
        deployment=DEPLOYMENT,
        version=1,
        order=1,
        holder=Holder.CONSOLE,
        instance=instance,
        at=NOON,
        destroyed={},
        left={},
    )


@pytest.mark.parametrize(
    "instance", [POD, WORKER, "signpost-embed-0-1-abcdef.signpost-embed-0", f"{POD}.{POD}-{10**9}-abcdef.run"]
)
def test_a_purge_is_answered_whatever_the_pod_is_called(instance: str) -> None:
    """Finding K1: a name of 76 characters where 63 were allowed, and embed crashed at every order to purge."""
    assert an_answer(instance).instance == instance


def test_a_name_beyond_every_limit_is_refused() -> None:
    with pytest.raises(ValidationError):
        an_answer("p" * (PROCESS + 1))


def settings(**changes: str) -> MatchSettings:
    given = {
        "KAFKA_BOOTSTRAP": "localhost:9092",
        "REDIS_VOLATILE_URL": "redis://localhost:1",
        "REDIS_DURABLE_URL": "redis://localhost:2",
        "KEYS_DIR": "keys",
        "DEPLOYMENT": DEPLOYMENT,
        "AUTHORITY_ROOT": "r" * 43,
        "SERVICE_KEY_FILE": "key.pem",
    }
    return load(MatchSettings, given | changes)


def test_settings_take_the_longest_pod_and_no_longer() -> None:
    found = settings(INSTANCE=POD, REPLICA=POD)
    assert (found.instance, found.standing_name) == (POD, POD)
    with pytest.raises(BadSettings, match="INSTANCE"):
        settings(INSTANCE=POD + "p")


def test_keys_of_the_longest_names_fit_where_records_are_measured() -> None:
    counted = StageCounts(
        deployment=DEPLOYMENT,  # type: ignore[arg-type]
        trace_id="",
        captured_at=NOON,
        stage="ingest",
        incarnation=f"{WORKER}.abcdef01",
        totals={},
        standing={},
    )
    keys = (counts_topic.output(counted).key or b"", key_of(an_answer(WORKER)))
    assert max(map(len, keys)) <= topics.MOST_KEY_BYTES


def test_a_producer_of_audit_requests_may_be_named_for_its_process() -> None:
    request: AuditRequested = a_request(producer=f"embed/{WORKER}")
    assert request.producer.endswith(POD)


def test_the_charts_schema_bounds_names_as_the_document_does() -> None:
    found = json.loads(SCHEMA.read_text("utf-8"))
    authority = found["properties"]["global"]["properties"]["authority"]["properties"]
    assert authority["deployment"]["pattern"] == authority["organisation"]["pattern"] == f"^{LABEL_PATTERN}$"
