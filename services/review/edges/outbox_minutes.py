"""What the outbox asks to be recorded in the audit chain, signed with this service's key."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from services.contracts import codec, codec_audit, topics
from services.contracts.audit.requests import AuditRequested, SignedRequest
from services.contracts.audit.signing import Signer, fingerprint
from services.contracts.decisions import CaseEvent
from services.review.core.audited import CaseMinutes
from services.review.edges.outbox_redis import Entry
from services.review.ports import AlertStore
from services.runtime.audit_trail import NotChained


class OutboxMinutes:
    """`relay.Minutes`. The relay's thread."""

    def __init__(
        self, minutes: CaseMinutes, store: AlertStore, signer: Signer, registered: Callable[[str], bool]
    ) -> None:
        self._minutes = minutes
        self._store = store
        self._signer = signer
        self._registered = registered

    def of(self, entry: Entry, *, producer: str) -> Sequence[AuditRequested]:
        """Of an entry that one of us wrote, as `RedisOutbox.oldest` gives no other."""
        event = codec.open_clear(codec.peek(entry.event, topic=topics.DECISIONS.name))
        if not isinstance(event, CaseEvent):
            return ()
        return self._minutes.of(event, self._store.case(event.case), producer=producer)

    def sign(self, request: AuditRequested) -> SignedRequest:
        if not self._registered(fingerprint(self._signer.public_key)):
            raise NotChained("the registry does not have this service's key, or not any more")
        return codec_audit.sign_request(request, self._signer)
