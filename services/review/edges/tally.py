"""This process's counts, beside those of others in the durable Redis: written in the step that they count."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass

from services.review.edges.vault import Vault
from services.review.metrics import Stored

Counts = Mapping[str, int]


@dataclass(frozen=True)
class Sum:
    """All that one process has counted by then."""

    version: int
    totals: Counts


class Tally:
    """One process's own field of the counts. The folding thread's: nobody else adds to it, so nobody must agree.

    What lies in the store is read again only where it is not known whether a step was taken.
    """

    def __init__(self, vault: Vault, name: str) -> None:
        self._vault = vault
        self._name = name
        self.writer = f"cases-{secrets.token_hex(8)}"
        self.unsure = False
        """Set it where the answer to a step was lost; `settle` then."""
        self._sum = Sum(0, {})

    def plus(self, counts: Counts, numbers: Counts) -> Sum:
        """What it comes to with these; `numbers` are not added up."""
        totals = dict(self._sum.totals)
        for name, amount in counts.items():
            totals[name] = totals.get(name, 0) + amount
        return Sum(self._sum.version + 1, {**totals, **numbers})

    def sealed(self, one: Sum) -> bytes:
        """To be written under `writer`."""
        plain = json.dumps(one.totals, sort_keys=True).encode()
        return self._vault.seal(place(self._name, self.writer), plain, version=one.version, until=None)

    def take(self, one: Sum) -> None:
        """It was written."""
        self._sum = one

    def settle(self, raw: object) -> None:
        """`raw` is what lies there: the last step's, if it was taken. Anything else changes nothing."""
        found = opened(self._vault, self._name, self.writer, raw)
        if found is not None and found.version == self._sum.version + 1:
            self._sum = found
        self.unsure = False


def opened(vault: Vault, name: str, writer: str, raw: object) -> Sum | None:
    """What `writer` had counted; None for nothing, and for what is not to be believed."""
    found = vault.open(Stored.COUNTS, place(name, writer), raw)
    return None if found is None else Sum(found.version, json.loads(found.plain))


def place(name: str, writer: str) -> str:
    """What a field is sealed to."""
    return f"{name}/{writer}"
