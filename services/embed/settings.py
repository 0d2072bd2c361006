"""What embed is told."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, SecretStr, field_validator, model_validator

from services.embed.core.quality import ENROLMENT_LIMITS, LIVE_LIMITS, QualityLimits
from services.runtime.settings import ProcessSettings, ServiceSettings

# A socket's path is this folder's, and session and socket names of up to 71 characters.
_RAY_TEMP_CHARS = 36
# What may differ between a supervisor and its workers without their doing other work.
_OWN = {
    *("instance", "replica", "http_host", "http_port", "log_level"),
    *("min_workers", "max_workers", "drain_timeout_s"),
}


class ModelSettings(ProcessSettings):
    """What a process with the models is told: a worker, or the enrolment server."""

    models_dir: Path = Field(description="Folder of the weights and of the cards of models of your own.")
    model_cache_dir: Path | None = Field(
        None, description="Folder where compiled networks are kept; without it each start compiles anew."
    )
    recogniser: str = Field(
        "sface",
        pattern=r"^[a-z0-9][a-z0-9_-]{0,31}$",
        description="Name of the recogniser: of the catalogue, or of a card in MODELS_DIR.",
    )
    engine: Literal["auto", "openvino", "torch"] = Field("auto", description="What runs the networks.")
    device: Literal["auto", "cpu", "cuda"] = Field("auto", description="Where the networks run.")
    precision: Literal["auto", "f32"] = Field(
        "auto", description="auto: bf16 where the CPU has it, proven against fp32 at load."
    )
    network_threads: int = Field(
        1, ge=1, le=64, description="Threads inside one network; more workers use cores better than more threads."
    )
    max_picture_mpx: float = Field(
        17.0, ge=0.1, le=200, description="Megapixels of a picture; a larger one is refused undecoded."
    )


class EmbedSettings(ModelSettings, ServiceSettings):
    """What the workers and their supervisor are told."""

    workers: Literal["ray", "process"] = Field(
        "ray", description="ray: this process supervises a fleet of actors; process: it is one worker."
    )
    max_batch_frames: int = Field(8, ge=1, le=64, description="Frames handled together.")
    batch_wait_ms: int = Field(
        10, ge=0, le=500, description="How long a batch waits for more frames; part of every alert's latency."
    )
    prepare_threads: int = Field(2, ge=1, le=16, description="Threads that decrypt and decode frames.")
    max_shots: int = Field(4, ge=1, le=8, description="Shots of a track that are embedded and fused.")
    track_gap_s: float = Field(
        1.0, ge=0.2, le=10, description="A face unseen for longer is a new track; above two frames' distance."
    )
    quality_policy: str = Field(
        "default-1",
        min_length=1,
        max_length=64,
        description="Name of the four limits below as agreed; change it when they change.",
    )
    min_detector_score: float = Field(
        LIVE_LIMITS.min_detector_score, ge=0.35, le=0.99, description="Least detector score of a face."
    )
    min_inter_eye_px: float = Field(
        LIVE_LIMITS.min_inter_eye_px,
        ge=8,
        le=200,
        description="Least distance between the eyes, in frame pixels; frames are searched as finely as it asks.",
    )
    max_yaw_ratio: float = Field(
        LIVE_LIMITS.max_yaw_ratio, gt=0, le=1, description="How far a face may be turned: 0 frontal, .5 half."
    )
    min_sharpness: float = Field(
        LIVE_LIMITS.min_sharpness, ge=0, le=10_000, description="Least sharpness of an aligned face."
    )
    min_workers: int = Field(1, ge=1, le=256, description="Actors there are at least.")
    max_workers: int = Field(
        2, ge=1, le=256, description="Actors there are at most; more than the partitions of frames are idle."
    )
    worker_cpus: float = Field(1.0, ge=0, le=64, description="CPUs an actor asks Ray for: what KubeRay scales by.")
    ray_address: str = Field(
        "auto", min_length=1, description="Ray's head, `host:port`; auto finds the one of this machine."
    )
    ray_auth_mode: Literal["token"] | None = Field(
        None, description="Ray's own variable: token, and nothing else, for WORKERS=ray."
    )
    ray_auth_token: SecretStr | None = Field(None, min_length=16, description="Ray's own variable: the token.")
    ray_auth_token_path: Path | None = Field(None, description="Ray's own variable: the file with the token.")

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.max_workers < self.min_workers:
            raise ValueError("MAX_WORKERS must not be below MIN_WORKERS")
        token = self.ray_auth_token or self.ray_auth_token_path
        if self.workers == "ray" and (self.ray_auth_mode is None or token is None):
            raise ValueError(
                "RAY_AUTH_MODE must be token, and RAY_AUTH_TOKEN_PATH (or RAY_AUTH_TOKEN) set, for WORKERS=ray: "
                "Ray runs with a token or not at all"
            )
        return self

    @property
    def digest(self) -> str:
        """Two processes of one digest were told to do the same work; it says nothing of what."""
        told = {name: value for name, value in self if name not in _OWN}
        secret = self.redis_volatile_url.get_secret_value()
        return hashlib.sha256(f"{sorted(told.items(), key=str)}{secret}".encode()).hexdigest()[:16]

    @property
    def live_limits(self) -> QualityLimits:
        return QualityLimits(
            min_detector_score=self.min_detector_score,
            min_inter_eye_px=self.min_inter_eye_px,
            max_roll_deg=LIVE_LIMITS.max_roll_deg,
            max_yaw_ratio=self.max_yaw_ratio,
            min_sharpness=self.min_sharpness,
        )


class EnrolmentSettings(ModelSettings):
    """What the enrolment server is told."""

    grpc_host: str = Field(
        "127.0.0.1", min_length=1, description="Address of the enrolment server; loopback only."
    )
    grpc_port: int = Field(0, ge=0, le=65535, description="Port of the enrolment server; 0 takes a free one.")
    max_picture_bytes: int = Field(
        64_000_000, ge=10_000, le=100_000_000, description="Bytes of a picture to enrol, compressed."
    )
    max_picture_mpx: float = Field(
        210.0,
        ge=0.1,
        le=300,
        description="Megapixels of a picture to enrol: any phone's; what is above 16.8 is worked on made smaller. "
        "A larger one is refused undecoded.",
    )
    enrolment_min_inter_eye_px: float = Field(
        ENROLMENT_LIMITS.min_inter_eye_px, ge=8, le=400, description="Least distance between the eyes, in pixels."
    )
    enrolment_max_yaw_ratio: float = Field(
        ENROLMENT_LIMITS.max_yaw_ratio,
        gt=0,
        le=1,
        description="How far a face to enrol may be turned: 0 frontal, .6 nearly in profile.",
    )
    enrolment_min_sharpness: float = Field(
        ENROLMENT_LIMITS.min_sharpness, ge=0, le=10_000, description="Least sharpness of an aligned face."
    )

    @property
    def enrolment_limits(self) -> QualityLimits:
        return QualityLimits(
            min_detector_score=ENROLMENT_LIMITS.min_detector_score,
            min_inter_eye_px=self.enrolment_min_inter_eye_px,
            max_roll_deg=ENROLMENT_LIMITS.max_roll_deg,
            max_yaw_ratio=self.enrolment_max_yaw_ratio,
            min_sharpness=self.enrolment_min_sharpness,
        )


class RayHeadSettings(EmbedSettings):
    """What Ray's head is told, beside what its actors find in the same environment."""

    ray_port: int = Field(ge=1024, le=65535, description="Port of Ray's head on this machine.")
    ray_cpus: int = Field(2, ge=1, le=256, description="CPUs the head offers its actors.")
    ray_temp_dir: Path = Field(
        description="Folder of Ray's logs and sockets, emptied at each start; at most 36 characters, because "
        "the path of a socket may not be longer than 107."
    )

    @field_validator("ray_temp_dir")
    @classmethod
    def _short(cls, path: Path) -> Path:
        if not path.is_absolute() or len(str(path)) > _RAY_TEMP_CHARS:
            raise ValueError(f"an absolute path of at most {_RAY_TEMP_CHARS} characters, {len(str(path))} given")
        return path
