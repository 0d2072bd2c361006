"""What a local Kafka node is told, for one node and for three."""

from __future__ import annotations

from pathlib import Path

from console.stack.kafka_settings import NodeAddress, render, server_properties

THREE = [NodeAddress(1, 9001, 9101), NodeAddress(2, 9002, 9102), NodeAddress(3, 9003, 9103)]


def settings_of(nodes: list[NodeAddress]) -> dict[str, str]:
    return server_properties(nodes[0], nodes, Path("/data/node-1"))


def test_a_single_node_keeps_one_copy_of_the_internal_topics() -> None:
    settings = settings_of(THREE[:1])
    assert settings["controller.quorum.voters"] == "1@127.0.0.1:9101"
    assert settings["offsets.topic.replication.factor"] == "1"
    assert settings["transaction.state.log.min.isr"] == "1"


def test_three_nodes_keep_three_copies_and_need_two() -> None:
    settings = settings_of(THREE)
    assert settings["controller.quorum.voters"] == "1@127.0.0.1:9101,2@127.0.0.1:9102,3@127.0.0.1:9103"
    assert settings["offsets.topic.replication.factor"] == "3"
    assert settings["transaction.state.log.replication.factor"] == "3"
    assert settings["transaction.state.log.min.isr"] == "2"


def test_every_listener_is_on_the_loopback() -> None:
    settings = settings_of(THREE)
    assert settings["listeners"] == "PLAINTEXT://127.0.0.1:9001,CONTROLLER://127.0.0.1:9101"
    assert settings["advertised.listeners"] == "PLAINTEXT://127.0.0.1:9001"


def test_no_topic_appears_by_itself() -> None:
    assert settings_of(THREE)["auto.create.topics.enable"] == "false"


def test_a_setting_is_one_line_of_the_file() -> None:
    assert render({"a.b": "1", "c": "x,y"}) == "a.b=1\nc=x,y\n"
