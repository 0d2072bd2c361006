"""The salts of the audit chain's commitments, in the key store: one a person or subject."""

from __future__ import annotations

from services.contracts import keys
from services.contracts.audit.commitments import NOBODY, Commitment, commit
from services.contracts.authority import Authority
from services.runtime.keys.port import DeadlinePassed
from services.runtime.keys.ring import Keyring


class SaltedCommitments:
    """`Commitments` over the keyring. A salt dies with the purge at the latest; then all are nobody."""

    def __init__(self, authority: Authority, ring: Keyring) -> None:
        self._authority = authority
        self._ring = ring

    def of(self, token: str) -> Commitment:
        try:
            return commit(self._ring.mint(keys.audit_salt(self._authority, token)), token)
        except DeadlinePassed:
            return NOBODY
