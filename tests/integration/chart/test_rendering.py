"""The chart renders, and what it renders is valid, whole and closed."""

from __future__ import annotations

from typing import Any

import kubernetes_validate  # type: ignore[import-untyped]
import pytest
import yaml

from tests.integration.chart.rendering import (
    AUTHORITY,
    CHART,
    SERVICES,
    VALUE_SETS,
    Helm,
    Manifest,
    container,
    deployment,
    of_kind,
    pods,
)

# Kinds of the Prometheus Operator: not Kubernetes' own, so not in its schemas; looked at by hand below.
_OPERATOR = {"ServiceMonitor", "PrometheusRule"}


@pytest.mark.parametrize("values", VALUE_SETS)
def test_helm_lints_the_chart(helm: Helm, values: str) -> None:
    done = helm.run("lint", "--strict", CHART, *(f"--values={path}" for path in (AUTHORITY, *VALUE_SETS[values])))
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("version", ["1.31", "1.35"])
def test_every_object_is_valid_to_the_letter(rendered: list[Manifest], version: str) -> None:
    for manifest in rendered:
        if manifest["kind"] not in _OPERATOR:
            kubernetes_validate.validate(dict(manifest), version, strict=True)


def test_the_validation_would_see_a_misspelt_field(default: list[Manifest]) -> None:
    wrong = dict(deployment("match", default))
    wrong["spec"] = {**wrong["spec"], "replica": 2}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, "1.35", strict=True)


def test_names_are_unique_within_a_kind(rendered: list[Manifest]) -> None:
    seen = [(each["kind"], each["metadata"]["name"]) for each in rendered]
    assert len(seen) == len(set(seen))


def test_every_service_has_its_objects(default: list[Manifest]) -> None:
    for kind in ("Deployment", "Service", "ServiceMonitor", "NetworkPolicy"):
        found = {each["metadata"]["name"] for each in of_kind(kind, default)}
        assert {f"signpost-{service}" for service in SERVICES} <= found, kind


def test_match_review_and_oversight_are_kept_while_nodes_are_drained(default: list[Manifest]) -> None:
    found = {each["metadata"]["name"] for each in of_kind("PodDisruptionBudget", default)}
    assert found == {"signpost-match", "signpost-review", "signpost-oversight"}


@pytest.mark.parametrize("service", SERVICES)
def test_probes_ask_the_three_questions_in_time(default: list[Manifest], service: str) -> None:
    probes = container(service, default)
    asked = {name: probes[name]["httpGet"] for name in ("startupProbe", "livenessProbe", "readinessProbe")}
    assert asked == {
        "startupProbe": {"path": "/livez", "port": "http"},
        "livenessProbe": {"path": "/livez", "port": "http"},
        "readinessProbe": {"path": "/readyz", "port": "http"},
    }
    # The process's own heartbeat has to decide before the platform does (runtime/health.py).
    assert probes["livenessProbe"]["periodSeconds"] * probes["livenessProbe"]["failureThreshold"] > 10


def test_pods_get_longer_to_end_than_their_services_take(rendered: list[Manifest]) -> None:
    for each in of_kind("Deployment", rendered):
        spec = each["spec"]["template"]["spec"]
        env = {one["name"]: one.get("value") for one in spec["containers"][0]["env"]}
        assert spec["terminationGracePeriodSeconds"] > float(env["DRAIN_TIMEOUT_S"])


def test_every_volume_is_mounted_and_every_mount_has_a_volume(rendered: list[Manifest]) -> None:
    for name, spec in pods(rendered).items():
        mounted = [mount["name"] for mount in spec["containers"][0]["volumeMounts"]]
        assert sorted(mounted) == sorted(volume["name"] for volume in spec["volumes"]), name


def test_all_is_denied_that_no_policy_allows(default: list[Manifest]) -> None:
    policies = {each["metadata"]["name"]: each["spec"] for each in of_kind("NetworkPolicy", default)}
    deny_all = policies["signpost-deny-all"]
    assert "ingress" not in deny_all
    assert "egress" not in deny_all
    for name, spec in policies.items():
        assert spec["policyTypes"] == ["Ingress", "Egress"], name
        for rule in spec.get("ingress", []):
            assert rule["from"], f"{name} lets everybody in"
        for rule in spec.get("egress", []):
            assert rule["to"], f"{name} may reach everything"


def test_the_deny_all_policy_selects_every_pod(default: list[Manifest]) -> None:
    policy = next(
        each for each in of_kind("NetworkPolicy", default) if each["metadata"]["name"] == "signpost-deny-all"
    )
    wanted = policy["spec"]["podSelector"]["matchLabels"].items()
    for kind in ("Deployment", "Job"):
        for each in of_kind(kind, default):
            assert wanted <= each["spec"]["template"]["metadata"]["labels"].items()


def test_a_monitor_finds_its_service_and_names_the_job_that_the_rules_count_on(default: list[Manifest]) -> None:
    services = {each["metadata"]["name"]: each for each in of_kind("Service", default)}
    for monitor in of_kind("ServiceMonitor", default):
        service = services[monitor["metadata"]["name"]]
        assert monitor["spec"]["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()
        assert service["metadata"]["labels"][monitor["spec"]["jobLabel"]] == service["metadata"]["name"]
        ports = {port["name"] for port in service["spec"]["ports"]}
        assert {endpoint["port"] for endpoint in monitor["spec"]["endpoints"]} <= ports


def test_a_monitor_has_no_field_that_its_operator_would_drop(default: list[Manifest]) -> None:
    """What we use of monitoring.coreos.com/v1, which no schema here covers: other names would be dropped."""
    for monitor in of_kind("ServiceMonitor", default):
        assert monitor["apiVersion"] == "monitoring.coreos.com/v1"
        assert set(monitor["spec"]) == {"jobLabel", "selector", "endpoints"}
        assert [set(each) for each in monitor["spec"]["endpoints"]] == [{"port", "path", "interval"}]


def test_the_rules_arrive_whole_with_runbooks_where_they_can_be_read(helm: Helm) -> None:
    [arrived] = of_kind("PrometheusRule", helm.template(CHART / "ci/fleet-values.yaml"))
    text = (CHART / "files/alerts/signpost.rules.yaml").read_text("utf-8")
    moved = text.replace("docs/runbooks/", "https://docs.example.org/runbooks/")
    assert arrived["spec"] == yaml.safe_load(moved)
    assert arrived["metadata"]["labels"]["release"] == "prometheus"


def test_the_topics_job_runs_the_generated_script(default: list[Manifest]) -> None:
    [job] = of_kind("Job", default)
    spec: Any = job["spec"]["template"]["spec"]
    mounts = {mount["name"]: mount["mountPath"] for mount in spec["containers"][0]["volumeMounts"]}
    assert spec["containers"][0]["command"][-1] == f"{mounts['topics']}/topics.sh"
    scripts = next(each for each in of_kind("ConfigMap", default) if each["metadata"]["name"] == "signpost-topics")
    assert scripts["data"]["topics.sh"].strip() == (CHART / "files/topics.sh").read_text("utf-8").strip()
