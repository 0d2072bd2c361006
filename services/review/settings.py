"""What review is told."""

from __future__ import annotations

from pathlib import Path
from typing import Self

from pydantic import Field, model_validator

from services.runtime.settings import ServiceSettings, Words


class ReviewSettings(ServiceSettings):
    """Addresses and paces; how people decide stands in the deployment's authority, not here."""

    grpc_host: str = Field("127.0.0.1", min_length=1, description="Address of the gRPC server.")
    grpc_port: int = Field(0, ge=0, le=65535, description="Port of the gRPC server; 0 takes a free one.")
    web_host: str = Field("127.0.0.1", min_length=1, description="Address of the reviewers' page.")
    web_port: int = Field(0, ge=0, le=65535, description="Port of the reviewers' page; 0 takes a free one.")
    page_note: str = Field(
        "", max_length=300, description="A further line of the page's exercise banner: what its pictures are."
    )
    tls_cert: Path | None = Field(
        None, description="Certificate chain (PEM) of both servers; without it only loopback is served."
    )
    tls_key: Path | None = Field(None, description="Private key (PEM) of tls_cert.")
    tls_client_ca: Path | None = Field(
        None, description="Authority (PEM) that gRPC clients must be certified by (mTLS)."
    )
    trusted_proxies: Words = Field(
        (),
        description="Proxies in front of review, addresses or networks (10.2.0.0/16), comma between: only their "
        "X-Forwarded-For is believed. Without them all who come through a proxy count as one address.",
    )
    people_file: Path = Field(
        description="File of named people with roles (YAML), passwords hashed; read again when it changes. Each "
        "is one person of the registry of keys, which names them in these roles."
    )
    session_s: int = Field(
        8 * 3600, ge=60, le=24 * 3600, description="After this long a person signs in again: a shift."
    )
    sweep_s: float = Field(
        0.5, ge=0.05, le=10.0, description="Between two looks for lapsed claims and expired cases."
    )
    relay_lease_s: float = Field(
        3.0, ge=1.0, le=60.0, description="A dead instance's relay is taken over after this long."
    )
    closed_pictures_s: int = Field(
        900,
        ge=10,
        le=24 * 3600,
        description="How long a case that ended without a match keeps its pictures, and so can be reopened.",
    )
    prepare_threads: int = Field(2, ge=1, le=16, description="Threads that decrypt and decode alerts.")

    @model_validator(mode="after")
    def _tls_is_whole(self) -> Self:
        if (self.tls_cert is None) != (self.tls_key is None):
            raise ValueError("TLS_CERT and TLS_KEY come together")
        if self.tls_client_ca is not None and self.tls_cert is None:
            raise ValueError("TLS_CLIENT_CA needs TLS_CERT and TLS_KEY")
        return self
