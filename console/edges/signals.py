"""Who tells a command to end, by whatever way, ends it as Ctrl-C does: in order."""

from __future__ import annotations

import signal


def end_as_by_ctrl_c() -> None:
    """From now on SIGTERM (a supervisor) and SIGHUP (a terminal that is closed) raise KeyboardInterrupt.

    In the main thread alone.
    """
    for told in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(told, signal.default_int_handler)
