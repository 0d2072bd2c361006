"""What a bad setting is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.embed.settings import EmbedSettings, RayHeadSettings
from services.embed.wiring.ray_head import head_command
from services.runtime.settings import BadSettings, load

GOOD = {
    "KAFKA_BOOTSTRAP": "kafka:9092",
    "REDIS_VOLATILE_URL": "redis://:s3cret@volatile:6379",
    "REDIS_DURABLE_URL": "redis://durable:6379",
    "KEYS_DIR": "/keys",
    "SERVICE_KEY_FILE": "/embed.pem",
    "DEPLOYMENT": "oxford-street-1",
    "AUTHORITY_ROOT": "A" * 43,
    "MODELS_DIR": "/models",
    "RAY_AUTH_MODE": "token",
    "RAY_AUTH_TOKEN_PATH": "/token",
}


def fault(**changed: str) -> str:
    with pytest.raises(BadSettings) as bad:
        load(EmbedSettings, {**GOOD, **changed})
    return str(bad.value)


def test_ray_without_a_token_is_refused() -> None:
    """Without one anybody who reaches the port runs code beside the pictures."""
    for missing in ("RAY_AUTH_MODE", "RAY_AUTH_TOKEN_PATH"):
        with pytest.raises(BadSettings, match="Ray runs with a token or not at all"):
            load(EmbedSettings, {name: value for name, value in GOOD.items() if name != missing})


def test_no_setting_switches_rays_token_off() -> None:
    assert "RAY_AUTH_MODE: 'disabled' is not allowed" in fault(RAY_AUTH_MODE="disabled")


def test_a_plain_process_needs_no_ray() -> None:
    without = {name: value for name, value in GOOD.items() if not name.startswith("RAY")}
    assert load(EmbedSettings, {**without, "WORKERS": "process"}).workers == "process"


def test_a_fleet_whose_most_is_below_its_least_is_refused() -> None:
    assert "MAX_WORKERS must not be below MIN_WORKERS" in fault(MIN_WORKERS="3", MAX_WORKERS="2")


def test_a_value_out_of_range_is_named_with_what_is_allowed() -> None:
    assert "MIN_DETECTOR_SCORE: '0.1' is not allowed; allowed: a number from 0.35 to 0.99" in fault(
        MIN_DETECTOR_SCORE="0.1"
    )


def test_the_digest_tells_other_work_apart_and_shows_no_secret() -> None:
    one = load(EmbedSettings, GOOD)
    assert one.digest == load(EmbedSettings, {**GOOD, "INSTANCE": "other", "LOG_LEVEL": "DEBUG"}).digest
    # A supervisor's own standing name is no reason to cry of workers that were told something else.
    assert one.digest == load(EmbedSettings, {**GOOD, "REPLICA": "embed-0"}).digest
    assert one.digest != load(EmbedSettings, {**GOOD, "RECOGNISER": "dlib-resnet"}).digest
    assert one.digest != load(EmbedSettings, {**GOOD, "REDIS_VOLATILE_URL": "redis://elsewhere"}).digest


def test_rays_head_is_told_not_to_spill_and_its_command_line_holds_no_secret() -> None:
    settings = load(RayHeadSettings, {**GOOD, "RAY_PORT": "6399", "RAY_TEMP_DIR": "/tmp/sp"})  # noqa: S108
    line = " ".join(head_command(settings))
    assert '"automatic_object_spilling_enabled": false' in line
    assert "--include-dashboard=false" in line
    assert "--disable-usage-stats" in line
    assert "s3cret" not in line
    assert settings.ray_temp_dir == Path("/tmp/sp")  # noqa: S108


def test_a_folder_whose_sockets_would_have_too_long_a_path_is_refused() -> None:
    with pytest.raises(BadSettings, match="at most 36 characters"):
        load(RayHeadSettings, {**GOOD, "RAY_PORT": "6399", "RAY_TEMP_DIR": "/a" * 20})
