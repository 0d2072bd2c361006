"""The deployment's document."""

from __future__ import annotations

from services.contracts import authority
from services.contracts.authority import Authority
from services.contracts.errors import Misconfigured
from services.embed.settings import ModelSettings


def read_authority(settings: ModelSettings) -> Authority:
    """The deployment's document. Raises Misconfigured naming the file and what is wrong in it."""
    path = settings.deployment_file
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Misconfigured(f"DEPLOYMENT_FILE: {path} cannot be read ({type(error).__name__})") from error
    return authority.parse(text, origin=str(path))
