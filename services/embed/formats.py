"""What the detector can find in the formats that cameras really send, said once for each."""

from __future__ import annotations

import logging
from collections.abc import Callable

from services.embed.core.canvas import CanvasPlan

log = logging.getLogger(__name__)

# Formats of a deployment are few; a source that changes its size with every frame is told of so often.
_MOST_FORMATS = 100
# What is said at the start: the usual shapes at full and half size.
_USUAL = ((1920, 1080), (1080, 1920), (1920, 1440), (1920, 1920), (1920, 820), (1280, 720), (3840, 2160))


class Formats:
    """Reduces sizes by a plan, and tells of each new one. Any thread: a format told of twice does no harm."""

    def __init__(self, plan: CanvasPlan, smallest_px: Callable[[float], None]) -> None:
        """`smallest_px` is told the smallest face found in the worst format so far, in frame pixels."""
        self._plan = plan
        self._smallest_px = smallest_px
        self._seen: set[tuple[int, int]] = set()
        self._worst_px = 0.0

    def say(self, *, max_mpx: float) -> None:
        """At the start: the smallest face found by format, and where the one asked for cannot be kept."""
        plan = self._plan
        found = {f"{size[0]}x{size[1]}": round(plan.lay(*size).least_inter_eye_px, 1) for size in _USUAL}
        log.info(
            "smallest faces found, in pixels between the eyes",
            extra={"asked_for_px": plan.min_inter_eye_px, "by_format": found},
        )
        if plan.most_mpx < max_mpx:
            log.warning(
                "the least distance between the eyes is not kept in pictures above this size: raise "
                "MIN_INTER_EYE_PX, or keep pictures smaller (max_side_px of the file of cameras)",
                extra={"asked_for_px": plan.min_inter_eye_px, "kept_up_to_mpx": round(plan.most_mpx, 1)},
            )

    def reduced(self, width_px: int, height_px: int) -> tuple[int, int]:
        """The size at which the detector sees a frame of this one."""
        laid = self._plan.lay(width_px, height_px)
        if (width_px, height_px) not in self._seen and len(self._seen) < _MOST_FORMATS:
            self._seen.add((width_px, height_px))
            self._tell(width_px, height_px, laid.least_inter_eye_px)
        return laid.width_px, laid.height_px

    def _tell(self, width_px: int, height_px: int, least_px: float) -> None:
        self._worst_px = max(self._worst_px, least_px)
        self._smallest_px(self._worst_px)
        if not self._plan.keeps(width_px, height_px):
            log.warning(
                "faces as small as asked for are not found in frames of this format",
                extra={
                    "width_px": width_px,
                    "height_px": height_px,
                    "asked_for_px": self._plan.min_inter_eye_px,
                    "found_from_px": round(least_px, 1),
                },
            )
