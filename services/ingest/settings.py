"""Settings of ingest."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from services.runtime.settings import ServiceSettings


class IngestSettings(ServiceSettings):
    """What one ingest instance may hold, and how long it waits for what."""

    cameras_file: Path = Field(
        description="File of how each camera is read (YAML): address, pace, size; with it their passwords."
    )
    max_cameras: int = Field(
        32, ge=1, le=1024, description="Cameras this instance takes at most; the rest is left to its peers."
    )
    lease_ttl_s: float = Field(
        6.0,
        ge=2,
        le=60,
        description="A camera whose holder died is free after this; keep above Redis' answer time (5 s).",
    )
    stall_timeout_s: float = Field(
        10.0, ge=1, le=120, description="A stream whose time stands still for so long is read anew."
    )
    restart_first_s: float = Field(0.5, ge=0.05, le=60, description="Pause before a source is read anew; doubles.")
    restart_max_s: float = Field(30.0, ge=0.1, le=600, description="Longest pause before a source is read anew.")
    queue_frames: int = Field(
        32, ge=1, le=1024, description="Frames of a camera that wait for Kafka; then the oldest is dropped."
    )
    unacked_frames: int = Field(
        256, ge=1, le=10_000, description="Frames sent and not yet acknowledged; then they wait in the queues."
    )
    max_backlog_frames: int = Field(
        16,
        ge=1,
        le=100_000,
        description="Frames of a partition that embed may be behind before its sources that play as fast as they "
        "are taken wait.",
    )
    max_source_mpx: float = Field(
        40.0,
        ge=1,
        le=400,
        description="Megapixels of a source's picture; a larger one is refused undecoded.",
    )
