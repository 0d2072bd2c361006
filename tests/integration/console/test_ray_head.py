"""Ray's head, as the console starts it: nothing of it is reached from another machine."""

from __future__ import annotations

import ipaddress
from pathlib import Path

import psutil

from console.run.ray_head import RayHead
from tests.integration.embed.street import ROOT
from tests.support import eventually


def listening(head: psutil.Process) -> dict[str, str]:
    """Address -> who listens there, of the head and all its children."""
    found = {}
    for process in (head, *head.children(recursive=True)):
        for one in process.net_connections(kind="inet"):
            if one.status == psutil.CONN_LISTEN:
                found[f"{one.laddr.ip}:{one.laddr.port}"] = process.name()
    return found


def is_of_this_machine(address: str) -> bool:
    ip = ipaddress.ip_address(address.rpartition(":")[0])
    return (getattr(ip, "ipv4_mapped", None) or ip).is_loopback


def test_the_head_and_its_children_listen_on_loopback_alone(tmp_path: Path) -> None:
    settings = {
        "PYTHONPATH": f"{ROOT}:{ROOT / 'proto' / 'gen'}",
        "KAFKA_BOOTSTRAP": "127.0.0.1:1",
        "REDIS_VOLATILE_URL": "redis://127.0.0.1:1",
        "REDIS_DURABLE_URL": "redis://127.0.0.1:1",
        "KEYS_DIR": str(tmp_path / "keys"),
        "SERVICE_KEY_FILE": str(tmp_path / "embed.pem"),
        "DEPLOYMENT": "oxford-street-1",
        "AUTHORITY_ROOT": "A" * 43,
        "MODELS_DIR": str(tmp_path / "models"),
        "MODEL_CACHE_DIR": str(tmp_path / "compiled"),
    }
    head = RayHead(tmp_path, max_workers=1)
    try:
        head.start(settings)
        process = psutil.Process(head.pid)
        eventually(lambda: {"gcs_server", "raylet"} <= set(listening(process).values()), "Ray is up", within_s=60)
        assert [at for at in listening(process) if not is_of_this_machine(at)] == []
    finally:
        head.stop()
