"""Every pod of the chart holds the `restricted` standard and some of our own; no secret stands in the open."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from tests.integration.chart.rendering import SERVICES, Helm, Manifest, of_kind, pods

# The volume kinds that the standard allows.
_VOLUMES = {
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "persistentVolumeClaim",
    "projected",
    "secret",
}
_MAY_BE_WRITTEN = {"/tmp", "/var/lib/signpost/keys", "/var/cache/signpost"}  # noqa: S108  # paths in a pod


def restricted(spec: Any) -> list[str]:
    """What of the pod security standard `restricted` a pod does not hold."""
    faults = [f"{name} is set" for name in ("hostNetwork", "hostPID", "hostIPC") if spec.get(name)]
    faults += [
        f"volume {volume['name']} is of a kind not allowed"
        for volume in spec.get("volumes", [])
        if not set(volume) - {"name"} <= _VOLUMES
    ]
    pod = spec.get("securityContext", {})
    for container in (*spec.get("initContainers", []), *spec["containers"]):
        faults += _faults_of_container(container, pod)
    return faults


def _faults_of_container(container: Any, pod: Any) -> list[str]:
    own = container.get("securityContext", {})
    context = {**pod, **own}
    holds = {
        "runs as root": context.get("runAsNonRoot") is True and context.get("runAsUser") != 0,
        "may gain privileges": own.get("allowPrivilegeEscalation") is False and not own.get("privileged"),
        "keeps capabilities": own.get("capabilities", {}).get("drop") == ["ALL"]
        and set(own["capabilities"].get("add", [])) <= {"NET_BIND_SERVICE"},
        "has no seccomp profile": context.get("seccompProfile", {}).get("type") in {"RuntimeDefault", "Localhost"},
        "has a host port": not any("hostPort" in port for port in container.get("ports", [])),
    }
    return [f"{container['name']} {fault}" for fault, held in holds.items() if not held]


def test_every_pod_holds_the_restricted_standard(rendered: list[Manifest]) -> None:
    for name, spec in pods(rendered).items():
        assert not restricted(spec), name


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"hostNetwork": True}, "hostNetwork is set"),
        ({"volumes": [{"name": "v", "hostPath": {"path": "/"}}]}, "volume v is of a kind not allowed"),
        ({"securityContext": {}}, "c runs as root"),
    ],
)
def test_a_pod_outside_the_standard_is_seen(change: dict[str, Any], fault: str) -> None:
    tight = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
    pod = {
        "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [{"name": "c", "securityContext": tight}],
    }
    assert restricted(pod) == []
    assert fault in restricted({**pod, **change})


def test_no_container_writes_but_where_it_has_to(rendered: list[Manifest]) -> None:
    for name, spec in pods(rendered).items():
        [container] = spec["containers"]
        assert container["securityContext"]["readOnlyRootFilesystem"] is True, name
        writable = {mount["mountPath"] for mount in container["volumeMounts"] if not mount.get("readOnly")}
        assert writable <= _MAY_BE_WRITTEN, name


def test_what_is_put_aside_stays_in_memory(rendered: list[Manifest]) -> None:
    for name, spec in pods(rendered).items():
        [tmp] = [volume for volume in spec["volumes"] if volume["name"] == "tmp"]
        assert tmp["emptyDir"]["medium"] == "Memory", name


def test_no_pod_gets_a_token_or_addresses_it_did_not_ask_for(rendered: list[Manifest]) -> None:
    for name, spec in pods(rendered).items():
        assert spec["automountServiceAccountToken"] is False, name
        assert spec["enableServiceLinks"] is False, name


def test_every_container_says_what_it_needs_and_may_take(rendered: list[Manifest]) -> None:
    for spec in pods(rendered).values():
        [container] = spec["containers"]
        assert {"cpu", "memory"} <= set(container["resources"]["requests"])
        assert "memory" in container["resources"]["limits"]


def test_the_key_folder_is_not_opened_to_the_group_at_every_start(rendered: list[Manifest]) -> None:
    """FolderKeys refuses a folder that its group may read: so walking into it stops all."""
    for spec in pods(rendered).values():
        assert spec["securityContext"]["fsGroupChangePolicy"] == "OnRootMismatch"


def test_no_secret_stands_in_a_manifest(rendered: list[Manifest]) -> None:
    assert of_kind("Secret", rendered) == []
    for spec in pods(rendered).values():
        for variable in spec["containers"][0]["env"]:
            if re.search(r"REDIS|PASSWORD|TOKEN$|SECRET", variable["name"]):
                assert set(variable["valueFrom"]) == {"secretKeyRef"}, variable["name"]
    assert not re.search(r"://[^/\s]*:[^/\s]*@", yaml.safe_dump_all(map(dict, rendered)))


@pytest.mark.parametrize("service", SERVICES)
def test_a_secret_setting_cannot_be_given_in_the_open(helm: Helm, service: str) -> None:
    refusal = helm.refusal(sets=(f'{service}.settings.REDIS_DURABLE_URL="redis://:hunter2@redis"',))
    assert "REDIS_DURABLE_URL" in refusal
