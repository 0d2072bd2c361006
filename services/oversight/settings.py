"""What oversight is told."""

from __future__ import annotations

from pathlib import Path
from typing import Self

from pydantic import Field, SecretStr, model_validator

from services.contracts.names import LABEL_PATTERN
from services.runtime.settings import ProcessSettings, RedisUrl, RootFingerprint


class OversightSettings(ProcessSettings):
    """Whose authorities it keeps, under which root, with which key. What is authorised stands in no setting."""

    organisation: str = Field(
        pattern=rf"^{LABEL_PATTERN}$", description="Whose authorities these are, as the registry says."
    )
    authority_root: RootFingerprint
    oversight_key_file: Path = Field(
        description="Oversight's own signing key (Ed25519, PEM, mode 0600); the registry lists it as `oversight`."
    )
    audit_heads_dir: Path | None = Field(
        None,
        description="Folder that signed heads of the audit chains are appended to, one file a chain; meant for a "
        "party that is not the operator. Without it or AUDIT_HEADS_URL reports say: not externally anchored.",
    )
    audit_heads_url: SecretStr | None = Field(
        None,
        description="Address, http:// or https://, that each signed head of the audit chains is POSTed to; of a "
        "party that is not the operator.",
    )
    redis_durable_url: RedisUrl = Field(
        description="Where sealed lists are loaded; asked only whether they are; redis:// or rediss://."
    )
    grpc_host: str = Field("127.0.0.1", min_length=1, description="Address of the gRPC server.")
    grpc_port: int = Field(0, ge=0, le=65535, description="Port of the gRPC server; 0 takes a free one.")
    tls_cert: Path | None = Field(
        None, description="Certificate chain (PEM) of the gRPC server; without it only loopback is served."
    )
    tls_key: Path | None = Field(None, description="Private key (PEM) of tls_cert.")
    tls_client_ca: Path | None = Field(
        None, description="Authority (PEM) that gRPC clients must be certified by (mTLS)."
    )

    @model_validator(mode="after")
    def _tls_is_whole(self) -> Self:
        if (self.tls_cert is None) != (self.tls_key is None):
            raise ValueError("TLS_CERT and TLS_KEY come together")
        if self.tls_client_ca is not None and self.tls_cert is None:
            raise ValueError("TLS_CLIENT_CA needs TLS_CERT and TLS_KEY")
        return self
