"""What is wrong with a list, said so that somebody can mend it: entry, field, rule and the rule's source."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from services.contracts.errors import Misconfigured, Tampered


@dataclass(frozen=True, order=True)
class Fault:
    """One broken rule. `entry` is an entry's id, "" for the list's own fields; no value is ever in it."""

    entry: str
    field: str
    rule: str
    control: str

    def __str__(self) -> str:
        of = f"entry {self.entry}" if self.entry else "list"
        return f"{of}: {self.field}: {self.rule} [{self.control}]"


class Refused(Misconfigured):
    """A list, entry or seal that breaks rules; one line for each in the text, all of them in `faults`."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(str(fault) for fault in self.faults))


class Altered(Tampered):
    """What was sealed is not what is here. `parts` names every place found: "entry e-12", "templates e-12"."""

    def __init__(self, parts: Iterable[str], why: str = "not as sealed") -> None:
        self.parts = tuple(parts)
        super().__init__(f"{', '.join(self.parts)}: {why}")


def refuse(faults: Iterable[Fault]) -> None:
    """Raises Refused if there is any."""
    found = tuple(faults)
    if found:
        raise Refused(found)
