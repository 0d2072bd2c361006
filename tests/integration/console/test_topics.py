"""`signpost topics` on Apache Kafka."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient, NewTopic
from typer.testing import CliRunner

from console.commands.topics import app
from console.edges.kafka_admin import KafkaAdmin, session_configs
from console.stack.kafka import KafkaCluster
from console.topics.plan import SetConfig
from services.contracts import topics
from tests.integration.stack import KAFKA_CACHE
from tests.support import eventually


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, list(arguments))
    return result.exit_code, result.output


@pytest.fixture(scope="module")
def own_kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A broker of this module's own: the shared one's topics are not for us to delete."""
    with KafkaCluster(tmp_path_factory.mktemp("own-kafka"), KAFKA_CACHE) as cluster:
        yield cluster.bootstrap


@pytest.fixture
def emptied(own_kafka: str) -> str:
    """Our broker without any of the table's topics."""
    with AdminClient({"bootstrap.servers": own_kafka}) as client:
        # Its list of topics lags behind: what the test before made is asked for by name.
        eventually(lambda: not deleted(client, [*topics.BY_NAME]), "topics to be gone", within_s=20)
        eventually(
            lambda: not topics.BY_NAME.keys() & client.list_topics(timeout=10).topics.keys(),
            "topics to be out of the list",
            within_s=20,
        )
    return own_kafka


def deleted(client: AdminClient, names: list[str]) -> list[str]:
    """Which of them were there to be deleted."""
    found = []
    for name, answer in client.delete_topics(names).items():
        try:
            answer.result(timeout=20)
            found.append(name)
        except KafkaException as error:
            if error.args[0].code() != KafkaError.UNKNOWN_TOPIC_OR_PART:
                raise
    return found


def test_apply_creates_the_table_and_a_second_time_finds_nothing_to_do(emptied: str) -> None:
    code, said = run("apply", "--bootstrap", emptied, "--deployment", "oxford-street-1")
    assert code == 0, said
    assert "frames: create, 8 partitions" in said
    # A new topic is not at once known to every part of the broker.
    eventually(lambda: run("check", "--bootstrap", emptied)[0] == 0, "the table to be as applied", within_s=20)
    code, said = run("apply", "--bootstrap", emptied, "--deployment", "oxford-street-1")
    assert (code, said) == (0, "every column as in the table\n")


def test_group_sessions_are_set_so_that_a_dead_worker_is_noticed_in_seconds(emptied: str) -> None:
    code, said = run("apply", "--bootstrap", emptied, "--deployment", "regent-street-1")
    assert code == 0, said
    found = KafkaAdmin(emptied).group_sessions("signpost-embed-regent-street-1")
    assert found == session_configs(topics.GROUP_SESSIONS)


def test_a_column_changed_by_hand_is_found_and_mended(emptied: str) -> None:
    run("apply", "--bootstrap", emptied)
    eventually(lambda: run("check", "--bootstrap", emptied)[0] == 0, "the table to be as applied", within_s=20)
    KafkaAdmin(emptied).set_config(SetConfig("frames", "retention.ms", "120000", "604800000"))
    seen = eventually(lambda: changed(emptied), "the change to be seen", within_s=20)
    assert seen == "frames: retention.ms 604800000 -> 120000\n"
    assert run("apply", "--bootstrap", emptied)[0] == 0
    eventually(lambda: run("check", "--bootstrap", emptied)[0] == 0, "the column to be mended", within_s=20)


def changed(bootstrap: str) -> str:
    """What `check` has to say, if it has."""
    code, said = run("check", "--bootstrap", bootstrap)
    return said if code == 1 else ""


def test_what_would_lose_data_is_refused_and_nothing_at_all_is_changed(emptied: str) -> None:
    kept = {"retention.ms": "-1", "cleanup.policy": "delete"}
    with AdminClient({"bootstrap.servers": emptied}) as client:
        wanted = NewTopic("decisions", num_partitions=8, replication_factor=1, config=kept)
        client.create_topics([wanted])["decisions"].result(timeout=20)
        eventually(
            lambda: "decisions" in client.list_topics(timeout=10).topics, "decisions to be there", within_s=20
        )
        code, said = run("apply", "--bootstrap", emptied)
        assert code == 1
        assert "decisions: REFUSED: keeps records for -1 ms" in said
        assert "nothing was changed" in said
        assert "frames" not in client.list_topics(timeout=10).topics


def test_no_kafka_is_said_in_one_line_with_what_to_do() -> None:
    code, said = run("check", "--bootstrap", "127.0.0.1:1")
    assert code == 2
    assert said == "no Kafka at 127.0.0.1:1: start it (`signpost stack up`) or set KAFKA_BOOTSTRAP\n"
