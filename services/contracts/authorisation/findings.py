"""What is wrong with an authority: the field, the rule, and where the rule comes from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from services.contracts.errors import Permanent


@dataclass(frozen=True, order=True)
class Finding:
    """One broken rule. `field` is a dotted path (or `approvals`, `registry`); texts hold no personal data."""

    field: str
    rule: str
    source: str

    def __str__(self) -> str:
        return f"{self.field}: {self.rule} [{self.source}]"


class NotAuthorised(Permanent):
    """An authority that may not be acted upon; `findings` says all that is wrong, in order of field."""

    def __init__(self, reason: str, findings: Iterable[Finding]) -> None:
        self.findings = tuple(sorted(set(findings)))
        super().__init__(reason, "; ".join(str(finding) for finding in self.findings))
