"""Looking again and again: at once, then every so often, until told to stop."""

from __future__ import annotations

from services.runtime.looking import Looking
from tests.support import eventually


class Counting(Looking):
    """Counts its looks."""

    def __init__(self, *, every_s: float) -> None:
        super().__init__(name="test-looking", every_s=every_s)
        self.looks = 0

    def look(self) -> None:
        self.looks += 1


def test_it_looks_at_once_and_does_not_wait_out_its_pause_when_it_is_stopped() -> None:
    looking = Counting(every_s=600)
    looking.start()
    eventually(lambda: looking.looks == 1, "the first look", within_s=5)
    looking.stop()
    assert looking.looks == 1


def test_it_looks_again_and_again_until_it_is_stopped() -> None:
    looking = Counting(every_s=0.001)
    looking.start()
    eventually(lambda: looking.looks > 3, "some looks", within_s=5)
    looking.stop()


def test_what_never_began_is_stopped_as_well() -> None:
    looking = Counting(every_s=1)
    looking.stop()
    assert looking.looks == 0
