"""OpenVINO, kept from telling its maker that it is used.

Its converter reports each conversion to an analytics service, and writes an identifier into the home folder,
unless a consent file says no. Where the package for that cannot be imported it uses a stub: so it cannot be.
"""

from __future__ import annotations

import sys

sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]  # documented: the import then fails

import openvino as ov  # type: ignore[import-untyped]  # noqa: E402 - only once the door is shut

__all__ = ["ov"]
