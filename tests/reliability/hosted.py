"""An embed worker as Ray's actors host it, but for the point at which it ends itself."""

from __future__ import annotations

from services.embed.settings import EmbedSettings
from services.embed.wiring.actor import HostedWorker
from services.runtime.settings import load
from tests.reliability.entry import dooms_beside


class DoomedWorker(HostedWorker):
    """Of all workers, one that has cameras dies."""

    def __init__(self, slot: str) -> None:
        super().__init__(slot, faults=dooms_beside(load(EmbedSettings).keys_dir).of("worker"))
