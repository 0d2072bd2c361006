"""How cameras are read: the one document that may hold an address with its password, and stays on its machine."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from services.contracts import yaml_text
from services.contracts.authority import Camera, SourceKind
from services.contracts.camera_address import BadAddress, parse_address
from services.contracts.errors import Misconfigured


class _File(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    cameras: tuple[Camera, ...] = Field(min_length=1, max_length=1024)

    @field_validator("cameras")
    @classmethod
    def _differ(cls, cameras: tuple[Camera, ...]) -> tuple[Camera, ...]:
        if len({camera.id for camera in cameras}) != len(cameras):
            raise ValueError("two cameras have the same id")
        return cameras

    @field_validator("cameras")
    @classmethod
    def _are_read_as_they_say(cls, cameras: tuple[Camera, ...]) -> tuple[Camera, ...]:
        for camera in cameras:
            if camera.source is SourceKind.RTSP:
                _check_address(camera)
        return cameras


def _check_address(camera: Camera) -> None:
    try:
        address = parse_address(camera.address)
    except BadAddress as bad:
        raise ValueError(f"the address of {camera.id} {bad}") from None
    if address.tls and camera.transport == "udp":
        raise ValueError(f"{camera.id} is read within TLS (rtsps://), which carries no UDP: `transport: tcp`")


def parse_cameras(text: str, *, origin: str) -> tuple[Camera, ...]:
    """The cameras in a YAML document. Raises Misconfigured naming `origin`, field, rule; never a value."""
    try:
        document = yaml_text.loaded(text)
    except yaml_text.NotYaml as refused:
        raise Misconfigured(f"{origin}: {refused}") from None
    if not isinstance(document, dict):
        raise Misconfigured(f"{origin}: must be a mapping with `cameras`")
    try:
        return _File.model_validate(document).cameras
    except ValidationError as error:
        found = "; ".join(
            f"{'.'.join(str(step) for step in one['loc']) or 'document'}: {one['msg']}"
            for one in error.errors(include_input=False, include_url=False, include_context=False)
        )
        raise Misconfigured(f"{origin}: {found}") from None
