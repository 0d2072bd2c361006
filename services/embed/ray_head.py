"""`python -m services.embed.ray_head`: become the head of a Ray of one machine, under which the actors live."""

import sys

from services.embed.settings import RayHeadSettings
from services.embed.wiring.ray_head import become_head
from services.runtime.settings import BadSettings, load

if __name__ == "__main__":
    try:
        become_head(load(RayHeadSettings))
    except BadSettings as error:
        sys.exit("".join(f"embed-ray-head: {line}\n" for line in error.lines))
