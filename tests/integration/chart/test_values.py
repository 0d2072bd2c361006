"""Values: a typing error is refused, a bound is the service's own, and what is set arrives as a setting."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from scripts.discover import settings_classes
from services.runtime.settings import load
from tests.integration.chart.rendering import AUTHORITY, CHART, SERVICES, Helm, Manifest, container

# What the chart's Secrets would hold, and the pod's own name.
_FROM_CLUSTER = {
    "REDIS_VOLATILE_URL": "redis://volatile:6379",
    "REDIS_DURABLE_URL": "rediss://durable:6379",
    "REPLICA": "signpost-match-7d4b9c-x2x9k",
}


def environment(service: str, manifests: list[Manifest]) -> dict[str, str]:
    """What a service's process would find in its environment."""
    variables = container(service, manifests)["env"]
    names = [variable["name"] for variable in variables]
    assert len(names) == len(set(names)), f"{service} sets a variable twice"
    return {
        variable["name"]: variable["value"] if "value" in variable else _FROM_CLUSTER[variable["name"]]
        for variable in variables
    }


@pytest.mark.parametrize("service", SERVICES)
def test_the_environment_is_what_the_service_asks_for(rendered: list[Manifest], service: str) -> None:
    settings_class = settings_classes()[service]
    found = environment(service, rendered)
    assert set(found) <= {name.upper() for name in settings_class.model_fields}
    load(settings_class, found)  # raises BadSettings


@pytest.mark.parametrize("service", SERVICES)
def test_files_a_service_is_told_of_are_mounted(rendered: list[Manifest], service: str) -> None:
    settings = load(settings_classes()[service], environment(service, rendered))
    mounts = [Path(mount["mountPath"]) for mount in container(service, rendered)["volumeMounts"]]
    for name, value in settings:
        if isinstance(value, Path):
            assert any(value.is_relative_to(mount) for mount in mounts), name


@pytest.mark.parametrize("service", SERVICES)
def test_ports_a_service_listens_on_are_those_of_its_service(default: list[Manifest], service: str) -> None:
    found = environment(service, default)
    listening = {name.removesuffix("_PORT").lower(): int(found[name]) for name in found if name.endswith("_PORT")}
    assert listening == {port["name"]: port["containerPort"] for port in container(service, default)["ports"]}
    assert {found[f"{name.upper()}_HOST"] for name in listening} == {"0.0.0.0"}  # noqa: S104  # in a pod


def test_an_image_named_by_its_digest_has_no_tag(helm: Helm) -> None:
    """What runs could change under its tag."""
    digest = f"signpost/review@sha256:{'0' * 64}"
    manifests = helm.template(sets=(f'review.image="{digest}"', 'global.image.registry="r.example"'))
    assert container("review", manifests)["image"] == f"r.example/{digest}"
    assert re.fullmatch(r"r\.example/signpost/match:[0-9.]+", container("match", manifests)["image"])


def test_large_numbers_arrive_as_people_write_them(helm: Helm) -> None:
    sets = ("ingest.settings.UNACKED_FRAMES=10000", "ingest.settings.STALL_TIMEOUT_S=7.25")
    found = environment("ingest", helm.template(sets=sets))
    assert (found["UNACKED_FRAMES"], found["STALL_TIMEOUT_S"]) == ("10000", "7.25")


def test_the_authority_is_named_to_those_who_work_under_it_and_to_who_keeps_it(default: list[Manifest]) -> None:
    given = yaml.safe_load(AUTHORITY.read_text("utf-8"))["global"]["authority"]
    for service in SERVICES:
        found = environment(service, default)
        assert found["AUTHORITY_ROOT"] == given["root"]
        whose = "ORGANISATION" if service == "oversight" else "DEPLOYMENT"
        assert found[whose] == given[whose.lower()]


def test_oversight_sees_no_key_but_its_own(default: list[Manifest]) -> None:
    mounted = {mount["name"] for mount in container("oversight", default)["volumeMounts"]}
    assert mounted == {"tmp", "oversight-key-file", "tls-cert", "tls-key", "tls-client-ca"}


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ("globl={}", "globl"),
        ('global.logLevel="LOUD"', "logLevel"),
        ("global.kafka.boostrap=1", "boostrap"),
        ('global.kafka.bootstrap=""', "bootstrap"),
        ("match.replica=2", "replica"),
        ('match.replicas="two"', "replicas"),
        ("ingest.settings.MAX_CAMERA=8", "MAX_CAMERA"),
        ("ingest.settings.MAX_CAMERAS=0", "MAX_CAMERAS"),
        ('embed.settings.WORKERS="threads"', "WORKERS"),
        ('match.settings.KAFKA_BOOTSTRAP="other:9092"', "KAFKA_BOOTSTRAP"),
        ('match.settings.INSTANCE="same-for-all"', "INSTANCE"),
        ("embed.mounts.MODELS_DIR=null", "MODELS_DIR"),
        ('review.mounts.PEOPLE_FILE={"path":"/people"}', "PEOPLE_FILE"),
        ("review.resources.limits=null", "limits"),
        ("global.networkPolicy.kafka.to=[]", "/global/networkPolicy/kafka/to"),
        ("global.networkPolicy.prometheus.from=[]", "/global/networkPolicy/prometheus/from"),
        ('global.authority.root=""', "/global/authority/root"),
        ('global.authority.deployment="Exercise 1"', "/global/authority/deployment"),
        ("oversight.mounts.OVERSIGHT_KEY_FILE=null", "OVERSIGHT_KEY_FILE"),
        ("match.mounts.SERVICE_KEY_FILE=null", "SERVICE_KEY_FILE"),
        ('match.settings.AUTHORITY_ROOT="other"', "AUTHORITY_ROOT"),
    ],
)
def test_a_wrong_value_is_refused_by_name(helm: Helm, wrong: str, named: str) -> None:
    assert named in helm.refusal(sets=(wrong,))


def test_every_service_has_the_same_keys_in_the_same_order() -> None:
    values: dict[str, Any] = yaml.safe_load((CHART / "values.yaml").read_text("utf-8"))
    assert list(values) == ["global", *SERVICES]
    assert len({tuple(values[service]) for service in SERVICES}) == 1


def test_every_key_of_the_values_has_a_comment() -> None:
    lines = (CHART / "values.yaml").read_text("utf-8").splitlines()
    of_global = lines.index("ingest:")
    # In a service's block its own keys; in global what has a value.
    wanted = [
        number
        for number, line in enumerate(lines)
        if re.match(r"( {2}| {4}| {6})\w+: \S" if number < of_global else r"  \w+:", line)
    ]
    assert len(wanted) > 60
    assert [lines[number] for number in wanted if not lines[number - 1].lstrip().startswith("#")] == []
