"""What match is told."""

from __future__ import annotations

from pydantic import Field

from services.runtime.settings import ServiceSettings


class MatchSettings(ServiceSettings):
    """Sizes and paces; what decides about people stands in the deployment's authority, not here."""

    max_batch_faces: int = Field(32, ge=1, le=256, description="Faces searched in one multiplication.")
    batch_wait_ms: int = Field(
        5, ge=0, le=200, description="How long a batch waits for more faces; part of every alert's latency."
    )
    prepare_threads: int = Field(
        2,
        ge=1,
        le=16,
        description="Threads that ask whether the authority covers a face.",
    )
    list_poll_s: float = Field(
        2.0,
        ge=0.1,
        le=60.0,
        description="Between two looks whether the list lies in the durable Redis, and whether its seal stands.",
    )
