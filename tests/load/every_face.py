"""embed as the benchmark wants it: every face of every frame embedded, as a pipeline without tracks has to.

No setting reaches this: the policy is passed to the worker that an actor hosts.
"""

from __future__ import annotations

import sys

from services.embed.core.shots import EveryFace
from services.embed.settings import EmbedSettings
from services.embed.wiring.actor import HostedWorker
from services.embed.wiring.fleet import build_supervisor
from services.runtime import process
from services.runtime.process import Context, Service


def every_face_worker(slot: str) -> HostedWorker:
    """What an actor hosts."""
    return HostedWorker(slot, policy=EveryFace())


def build(settings: EmbedSettings, context: Context) -> Service:
    """The supervisor of such workers."""
    return build_supervisor(settings, context, host="tests.load.every_face:every_face_worker")


if __name__ == "__main__":
    sys.exit(process.run("embed", EmbedSettings, build))
