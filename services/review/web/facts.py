"""What every page says of the deployment it serves."""

from __future__ import annotations

from dataclasses import dataclass

from services.contracts.authority import UseCase


@dataclass(frozen=True, kw_only=True)
class PageFacts:
    """`note` is a further line of the exercise banner: what the pictures really are, for instance.

    `loopback`: the page listens on this machine only, without TLS; anywhere else its cookies are Secure.
    """

    deployment: str
    use_case: UseCase
    note: str = ""
    loopback: bool = False

    @property
    def is_exercise(self) -> bool:
        return self.use_case is UseCase.EXERCISE
