"""What a person signs who takes a chain out of the system: no copy leaves before that is recorded (C-23, G11)."""

from __future__ import annotations

from typing import ClassVar

from services.contracts.authorisation.enums import Role
from services.contracts.authorisation.fields import Sha256
from services.contracts.authorisation.statements import Statement


class ChainExported(Statement):
    """One copy of an audit chain: whose (`deployment`; `system` is a chain, too), and the file's hash."""

    TYP: ClassVar[str] = "signpost-export+jws"
    SIGNERS: ClassVar[frozenset[Role]] = frozenset({Role.AUDITOR, Role.AUTHORISING_OFFICER, Role.SUPERVISOR})

    sha256: Sha256
