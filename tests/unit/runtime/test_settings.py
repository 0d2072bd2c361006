"""A process starts with settings that are right, or says of each one what is wrong."""

from __future__ import annotations

import pytest
from pydantic import Field, SecretStr, ValidationError

from services.runtime.settings import BadSettings, ServiceSettings, Words, load
from services.runtime.settings_text import describe, render_configuration

GOOD = {
    "KAFKA_BOOTSTRAP": "127.0.0.1:9092",
    "REDIS_VOLATILE_URL": "redis://:sesame@127.0.0.1:6379/0",
    "REDIS_DURABLE_URL": "redis://:sesame@127.0.0.1:6380/0",
    "KEYS_DIR": "data/keys",
    "SERVICE_KEY_FILE": "data/sample.pem",
    "DEPLOYMENT": "oxford-street-1",
    "AUTHORITY_ROOT": "A" * 43,
}


class SampleSettings(ServiceSettings):
    batch_size: int = Field(8, ge=1, le=64, description="How many at once.")
    topics: Words = Field(("a",), description="Which.")
    pin: SecretStr = Field(SecretStr("0000"), min_length=4, description="Nobody's business.")
    address: str = Field("http://nowhere", pattern="^http", description="Where to.")


def faults(**changes: str | None) -> list[str]:
    environ = {name: value for name, value in {**GOOD, **changes}.items() if value is not None}
    with pytest.raises(BadSettings) as caught:
        load(SampleSettings, environ)
    return caught.value.lines


def test_variables_are_the_fields_in_capitals_and_the_rest_of_the_environment_is_let_be() -> None:
    settings = load(SampleSettings, {**GOOD, "BATCH_SIZE": "16", "TOPICS": "x, y", "PATH": "/bin"})
    assert (settings.batch_size, settings.topics) == (16, ("x", "y"))
    assert settings.kafka_bootstrap == "127.0.0.1:9092"


def test_a_value_out_of_range_names_variable_value_and_range() -> None:
    assert faults(BATCH_SIZE="65") == [
        "BATCH_SIZE: '65' is not allowed; allowed: a whole number from 1 to 64 (How many at once.)"
    ]


def test_every_fault_is_named_at_once() -> None:
    lines = faults(BATCH_SIZE="many", KAFKA_BOOTSTRAP=None, LOG_LEVEL="loud")
    assert [line.split(":")[0] for line in lines] == ["KAFKA_BOOTSTRAP", "LOG_LEVEL", "BATCH_SIZE"]
    assert "KAFKA_BOOTSTRAP: not set" in lines[0]
    assert "one of DEBUG, INFO, WARNING, ERROR" in lines[1]


def test_a_service_without_a_signing_key_is_told_how_to_come_by_one() -> None:
    """It would refuse work while its clock is wrong and tell nobody, and a purge would wait for it for ever."""
    (line,) = faults(SERVICE_KEY_FILE=None)
    assert line.startswith("SERVICE_KEY_FILE: not set; allowed: a path")
    assert "signpost keys new" in line


def test_a_bad_secret_is_masked() -> None:
    (line,) = faults(PIN="abc")
    assert line.startswith("PIN: *** is not allowed")
    assert "abc" not in line


@pytest.mark.parametrize("address", ["http://:sesame@127.0.0.1", "redis://:sesame#1@127.0.0.1:6379/0", "sesame"])
def test_an_address_that_is_no_redis_is_refused_without_being_shown(address: str) -> None:
    (line,) = faults(REDIS_DURABLE_URL=address)
    assert line.startswith("REDIS_DURABLE_URL: *** is not allowed")
    assert "sesame" not in line


def test_a_bad_address_does_not_show_its_password() -> None:
    (line,) = faults(ADDRESS="rtsp://operator:sesame@10.0.0.7")
    assert "sesame" not in line


def test_a_misspelt_setting_is_refused_with_the_right_name() -> None:
    """Left alone, the default would be in force and nobody would know."""
    assert faults(BATCH_SIZES="16") == ["BATCH_SIZES: no setting of this name; did you mean BATCH_SIZE?"]


def test_a_variable_that_a_cluster_injects_is_no_misspelling() -> None:
    load(SampleSettings, {**GOOD, "REDIS_VOLATILE_PORT": "tcp://10.0.0.1:6379", "HTTP_PROXY": "x"})


def test_settings_cannot_be_changed_nor_given_unknown_fields() -> None:
    settings = load(SampleSettings, GOOD)
    with pytest.raises(ValidationError):
        settings.batch_size = 9
    with pytest.raises(ValidationError):
        SampleSettings.model_validate({**settings.model_dump(), "batch": 9})


def test_secrets_are_masked_wherever_settings_are_shown() -> None:
    settings = load(SampleSettings, GOOD)
    assert "sesame" not in f"{settings} {settings!r} {settings.model_dump_json()}"


def test_each_instance_has_a_name_of_its_own() -> None:
    assert load(SampleSettings, GOOD).instance != load(SampleSettings, GOOD).instance


def test_the_documentation_has_a_row_for_every_field_and_shows_no_secret() -> None:
    rows = {row.variable: row for row in describe(SampleSettings)}
    assert set(rows) == {name.upper() for name in SampleSettings.model_fields}
    assert (rows["BATCH_SIZE"].allowed, rows["BATCH_SIZE"].default) == ("a whole number from 1 to 64", "8")
    assert (rows["PIN"].default, rows["KEYS_DIR"].default) == ("***", "(required)")


def test_settings_that_all_services_share_are_documented_once() -> None:
    text = render_configuration({"sample": SampleSettings, "plain": ServiceSettings})
    assert text.count("`KAFKA_BOOTSTRAP`") == 1
    assert "## sample" in text
    assert "## plain" not in text
