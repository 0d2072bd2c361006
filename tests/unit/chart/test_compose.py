"""compose.yaml by its text: there is no Docker engine here to run it."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import pytest
import yaml

from console.stack.kafka_settings import NodeAddress, server_properties
from scripts.discover import settings_classes
from services.contracts.authorisation.signing import SigningKey
from services.runtime.redis_client import durable_faults, volatile_faults
from services.runtime.settings import load
from tests.architecture.imports import ROOT

SERVICES = ("ingest", "embed", "match", "review", "oversight")
_KINDS = {**{name: name for name in SERVICES}, "enrol": "embed: enrolment"}
# What compose takes from the shell, as its first lines tell people to set it.
_SHELL = {"DEPLOYMENT": "try-1", "ORGANISATION": "our-club", "AUTHORITY_ROOT": SigningKey(b"r" * 32).kid}
_SHELL |= {"REDIS_VOLATILE_PASSWORD": "a1", "REDIS_DURABLE_PASSWORD": "b2"}
_INFO = {"redis_version": "7.2.4", "role": "master", "connected_slaves": 0}


@cache
def compose() -> Any:
    return yaml.safe_load((ROOT / "compose.yaml").read_text("utf-8"))


def redis_config(name: str) -> dict[str, str]:
    words = compose()["services"][name]["command"][1:]
    return {flag.removeprefix("--"): value for flag, value in zip(words[::2], words[1::2], strict=True)}


@pytest.mark.parametrize("name", _KINDS)
def test_a_service_is_told_what_it_asks_for(name: str) -> None:
    environment = compose()["services"][name]["environment"]
    settings_class = settings_classes()[_KINDS[name]]
    assert {name.lower() for name in environment} <= set(settings_class.model_fields)
    told = {
        name: re.sub(r"\$\{(\w+)[^}]*\}", lambda found: _SHELL[found[1]], text)
        for name, text in environment.items()
    }
    load(settings_class, told)  # raises BadSettings


@pytest.mark.parametrize("name", _KINDS)
def test_files_a_service_is_told_of_are_mounted(name: str) -> None:
    service = compose()["services"][name]
    mounted = [re.sub(r":ro$", "", volume).rpartition(":")[2] for volume in service["volumes"]]
    told = [value for value in service["environment"].values() if value.startswith(("/var/", "/etc/"))]
    assert told
    for path in told:
        assert any(path == mount or path.startswith(f"{mount}/") for mount in mounted), path


@pytest.mark.parametrize("name", [*_KINDS, "console"])
def test_a_service_of_ours_may_do_as_little_as_in_the_chart(name: str) -> None:
    service = compose()["services"][name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["ulimits"] == {"core": 0}
    assert not service["user"].startswith(("root", "0"))


def test_the_volatile_redis_forgets_and_the_durable_one_keeps() -> None:
    assert volatile_faults(redis_config("redis-volatile"), _INFO) == []
    assert durable_faults(redis_config("redis-durable"), _INFO) == []
    assert "volumes" not in compose()["services"]["redis-volatile"]


@pytest.mark.parametrize("which", ["VOLATILE", "DURABLE"])
def test_a_redis_asks_for_a_password_of_its_own_and_is_given_it(which: str) -> None:
    """Who was in the network could read the keys of faces, and write cases."""
    service = compose()["services"][f"redis-{which.lower()}"]
    password = f"${{REDIS_{which}_PASSWORD:?letters and digits}}"
    assert redis_config(f"redis-{which.lower()}")["requirepass"] == password
    assert service["environment"]["VALKEYCLI_AUTH"] == password
    asked = [one["environment"] for one in compose()["services"].values() if "environment" in one]
    urls = {one[f"REDIS_{which}_URL"] for one in asked if f"REDIS_{which}_URL" in one}
    assert urls == {f"redis://:{password}@redis-{which.lower()}:6379"}


@pytest.mark.parametrize("name", ["kafka", "redis-volatile", "redis-durable"])
def test_what_holds_faces_or_keys_leaves_no_core(name: str) -> None:
    assert compose()["services"][name]["ulimits"] == {"core": 0}


def test_kafka_is_set_as_the_local_stack_sets_it() -> None:
    environment = compose()["services"]["kafka"]["environment"]
    node = NodeAddress(1, 9092, 9093)
    ours = server_properties(node, [node], ROOT)
    # What names addresses and folders is each place's own.
    own = re.compile(r"node\.id|listeners|voters|listener\.|log\.dirs|process\.roles")
    shared = {name: value for name, value in ours.items() if not own.search(name)}
    given = {
        name.removeprefix("KAFKA_").lower().replace("_", "."): str(value) for name, value in environment.items()
    }
    compared = {name for name in shared if name in given}
    assert compared >= {"group.consumer.session.timeout.ms", "message.max.bytes", "auto.create.topics.enable"}
    assert {name: given[name] for name in compared} == {name: shared[name] for name in compared}


def test_only_pages_for_people_are_published_and_only_on_this_machine() -> None:
    published = {name: each["ports"] for name, each in compose()["services"].items() if "ports" in each}
    assert set(published) == {"review", "prometheus"}
    assert all(port.startswith("127.0.0.1:") for ports in published.values() for port in ports)


def test_what_holds_data_has_no_way_out() -> None:
    assert compose()["networks"]["inside"] == {"internal": True}
    for name in ("kafka", "topics", "redis-volatile", "redis-durable", "embed", "match", "enrol"):
        assert compose()["services"][name]["networks"] == ["inside"], name


def test_prometheus_scrapes_the_jobs_that_the_rules_count_on() -> None:
    config = yaml.safe_load(compose()["configs"]["prometheus"]["content"])
    assert [each["job_name"] for each in config["scrape_configs"]] == [f"signpost-{name}" for name in SERVICES]


def test_what_is_named_is_there() -> None:
    document = compose()
    volumes = set(document["volumes"])
    for name, service in document["services"].items():
        for volume in service.get("volumes", []):
            source = volume.partition(":")[0]
            if source.startswith("./") and ".cache" not in source:
                assert (ROOT / source).exists(), source
            elif not source.startswith(("$", ".")):
                assert source in volumes, (name, source)
        if dockerfile := service.get("build", {}).get("dockerfile"):
            assert (ROOT / dockerfile).exists(), dockerfile
        for other in service.get("depends_on", {}):
            assert other in document["services"]
