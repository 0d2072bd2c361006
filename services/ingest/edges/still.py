"""One frame of a source before anybody has decided to take it, and what may be wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from services.ingest.core.reasons import Fault, Flaw
from services.ingest.edges.jpeg import Jpeg


@dataclass(frozen=True)
class Still:
    """`load` converts and encodes the frame; raises Flawed. Only taken frames pay for it.

    `position_s` is what the source stamped on the frame, in seconds since it began, right or wrong; where
    `stamped` is false it stamped nothing, and this is a guess. `step_s` is how far apart it says its frames are.
    `damaged` are the packets of the stream that could not be decoded so far.
    """

    position_s: float
    load: Callable[[], Jpeg]
    damaged: int = 0
    stamped: bool = True
    step_s: float | None = None


class SourceFault(Exception):
    """The source cannot be read, or not further. No text: it might hold an address."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.value)
        self.fault = fault


class Flawed(Exception):
    """This one picture cannot be used."""

    def __init__(self, flaw: Flaw) -> None:
        super().__init__(flaw.value)
        self.flaw = flaw
