"""Why a person's move was refused; gRPC and the page each map these, once, to codes of their own."""

from __future__ import annotations

from services.contracts.errors import SignpostError


class MoveRefused(SignpostError):
    """Root of every refusal. Texts are shown to people and hold no names and no pictures.

    MoveRefused
    ├── NotSignedIn  nobody, or a session that has ended
    │   └── TooOften  too many tries: this one was not looked at
    ├── NotAllowed   the person's roles, or what they did before on this case, forbid it
    ├── NotFound     no such case or picture
    ├── TooMany      more at once than one session, one person, or this process, is given
    ├── Taken        every seat is held or filled: try another case
    ├── NotYours     the claim named is not (or no longer) this person's: it lapsed, or was never theirs
    ├── Stale        what was displayed is not what the claim was last shown: look again, then judge
    ├── Gone         the case is decided or expired, or its pictures' key is dead
    └── BadInput     a value is missing or outside its closed set
    """


class NotSignedIn(MoveRefused):
    """Nobody, or a session that has ended."""


class TooOften(NotSignedIn):
    """Too many tries: the next is heard after `wait_s`."""

    def __init__(self, text: str, *, wait_s: float) -> None:
        super().__init__(text)
        self.wait_s = wait_s


class NotAllowed(MoveRefused):
    """The person's roles, or what they did before on this case, forbid it."""


class NotFound(MoveRefused):
    """No such case or picture."""


class TooMany(MoveRefused):
    """More at once than one session, one person, or this process, is given."""


class Taken(MoveRefused):
    """Every seat is held or filled."""


class NotYours(MoveRefused):
    """The claim named is not, or no longer, this person's."""


class Stale(MoveRefused):
    """What was displayed is not what the claim was last shown."""


class Gone(MoveRefused):
    """The case is decided or expired, or its pictures' key is dead."""


class BadInput(MoveRefused):
    """A value is missing or outside its closed set."""
