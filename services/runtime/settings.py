"""Settings of a process: read once from the environment, checked, frozen, passed down.

A setting is named like its field, in capitals: `kafka_bootstrap` is KAFKA_BOOTSTRAP. There is no
prefix. The environment belongs to others too, so an unknown variable cannot be refused; one that
looks like a misspelt setting is.
"""

from __future__ import annotations

import os
import secrets
import socket
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Literal, TypeVar

import redis.connection
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, ValidationError
from pydantic_core import ErrorDetails

from services.contracts.errors import Misconfigured
from services.contracts.names import HOST_PATTERN, LABEL_PATTERN
from services.runtime import redact
from services.runtime.settings_text import allowed, is_secret

# One letter off in a short name; far enough from REDIS_VOLATILE_PORT, which a cluster may inject.
_MISSPELT = 0.92


def _split(raw: object) -> object:
    return tuple(part.strip() for part in raw.split(",") if part.strip()) if isinstance(raw, str) else raw


Words = Annotated[tuple[str, ...], BeforeValidator(_split)]
"""A setting of several words: "a, b" in the environment."""


def _is_redis_url(url: SecretStr) -> SecretStr:
    try:
        # Said here, where the value is masked: a "#" or "/" in a password cuts an address short, and the client's
        # own complaint would show the piece that it took for a port.
        redis.connection.parse_url(url.get_secret_value())  # type: ignore[no-untyped-call]  # redis has none
    except ValueError:
        raise ValueError("no address of a Redis") from None
    return url


RedisUrl = Annotated[SecretStr, AfterValidator(_is_redis_url)]
"""redis://, rediss:// or unix://; secret because it may carry a password."""


class BadSettings(Misconfigured):
    """One line for each setting at fault: variable, value (masked if secret), what is allowed."""

    def __init__(self, lines: list[str]) -> None:
        super().__init__("\n".join(lines))
        self.lines = lines


def _this_instance() -> str:
    return f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(3)}"


RootFingerprint = Annotated[
    str,
    Field(
        pattern=r"^[A-Za-z0-9_-]{43}$",
        description="Fingerprint (RFC 7638) of the offline root: whose registry of keys is believed.",
    ),
]


class ProcessSettings(BaseModel):
    """What every process is told; a kind of process adds its own fields, each with a description and bounds."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True, hide_input_in_errors=True)

    kafka_bootstrap: str = Field(min_length=1, description="Kafka's first brokers, `host:port`, comma between.")
    http_host: str = Field("127.0.0.1", min_length=1, description="Address of health and metrics.")
    http_port: int = Field(0, ge=0, le=65535, description="Port of health and metrics; 0 takes a free one.")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="Least level logged.")
    instance: str = Field(
        default_factory=_this_instance,
        pattern=rf"^{HOST_PATTERN}$",
        description="Name of this process among its like; host, pid and chance by default.",
    )
    replica: str = Field(
        "",
        pattern=rf"^({HOST_PATTERN})?$",
        description="Name that outlives the process (its pod's): whoever starts under it ends at once what its "
        "predecessor left open. No two at a time; INSTANCE by default.",
    )
    drain_timeout_s: float = Field(
        20.0,
        gt=0,
        le=600,
        description="How long work in hand may take to finish after SIGTERM; keep below the time "
        "the platform waits before it kills.",
    )

    @property
    def standing_name(self) -> str:
        """`replica`, or `instance` where none was given."""
        return self.replica or self.instance


class ServiceSettings(ProcessSettings):
    """What a service is told that works under one deployment's authority."""

    redis_volatile_url: RedisUrl = Field(
        description="The Redis that forgets: short-lived keys, leases, no persistence; redis:// or rediss://."
    )
    redis_durable_url: RedisUrl = Field(
        description="The Redis that keeps: append-only file, fsync at every write; redis:// or rediss://."
    )
    keys_dir: Path = Field(description="Folder of the key store, one file a key; mode 0700.")
    deployment: str = Field(
        pattern=rf"^{LABEL_PATTERN}$", description="The deployment whose authority is worked under."
    )
    authority_root: RootFingerprint
    service_key_file: Path = Field(
        description="This service's signing key (Ed25519, PEM, mode 0600), of its entries in the audit chain and "
        "its answers to purges: made by `signpost keys new`, enrolled as `service`, of the service's name.",
    )


S = TypeVar("S", bound=ProcessSettings)


def load(settings_class: type[S], environ: Mapping[str, str] | None = None) -> S:
    """The settings found in `environ` (of this process by default).

    Raises BadSettings that names every variable at fault at once.
    """
    given = os.environ if environ is None else environ  # noqa: TID251 - the only place that reads it
    fields = {name.upper(): name for name in settings_class.model_fields}
    faults = [
        f"{variable}: no setting of this name; did you mean {close[0]}?"
        for variable in given
        if variable not in fields and (close := get_close_matches(variable, fields, 1, _MISSPELT))
    ]
    values = {name: given[variable] for variable, name in fields.items() if variable in given}
    try:
        settings = settings_class.model_validate(values)
    except ValidationError as error:
        faults += [_fault(settings_class, values, problem) for problem in error.errors(include_input=False)]
    else:
        if not faults:
            return settings
    raise BadSettings(list(dict.fromkeys(faults)))


def _fault(settings_class: type[ProcessSettings], values: Mapping[str, str], problem: ErrorDetails) -> str:
    if not problem["loc"]:  # a rule over several fields: its own words name them
        return redact.text(problem["msg"])
    name = str(problem["loc"][0])
    field = settings_class.model_fields[name]
    wanted = f"allowed: {allowed(field)} ({field.description})"
    if name not in values:
        return f"{name.upper()}: not set; {wanted}"
    shown = "***" if is_secret(field) else repr(redact.text(values[name]))
    return f"{name.upper()}: {shown} is not allowed; {wanted}"
