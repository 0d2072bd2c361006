"""What reviewers see, sealed: under the hour's alert key, and under the evidence key once it is confirmed."""

from __future__ import annotations

from services.contracts import codec, keys
from services.contracts.authority import Authority
from services.contracts.codec import Cipher, Peeked, Sealing
from services.contracts.codec_fields import from_micros
from services.contracts.errors import Tampered, Undecodable
from services.contracts.events import AlertRaised
from services.contracts.keyspec import KeySpec
from services.review.edges.plan import Names
from services.runtime.keys.port import OtherKey
from services.runtime.keys.ring import Found, Keyring


class SealedPictures:
    """`Pictures` over the keyring. The AAD binds the Redis name, so no picture can be moved to another case."""

    def __init__(self, authority: Authority, names: Names, ring: Keyring, cipher: Cipher) -> None:
        self._authority = authority
        self._names = names
        self._ring = ring
        self._cipher = cipher

    def seal(self, alert: AlertRaised) -> bytes:
        return self._seal(alert, keys.alert(self._authority, alert.searched_at))

    def hold(self, content: str, sealed: bytes) -> bytes | None:
        alert = self.open(content, sealed)
        return None if alert is None else self._seal(alert, keys.evidence(self._authority))

    def keep(self, content: str, sealed: bytes, spec: KeySpec) -> bytes | None:
        """The same under a key of its own case, past the purge; None if the key it lies under is dead."""
        alert = self.open(content, sealed)
        return None if alert is None else self._seal(alert, spec)

    def open(self, content: str, sealed: bytes) -> AlertRaised | None:
        peeked = codec.peek(sealed, topic=self._names.content(content))
        spec = self._spec(peeked)
        opened = self._open(peeked, spec)
        if opened is None:
            # A key in hand may have been replaced since: the store is asked once more.
            self._ring.forget([spec])
            opened = self._open(peeked, spec)
        return opened

    def _open(self, peeked: Peeked, spec: KeySpec) -> AlertRaised | None:
        found = self._ring.find(spec)
        if not isinstance(found, Found):
            return None
        try:
            event = codec.open_sealed(peeked, key=found.key, cipher=self._cipher)
        except OtherKey:
            return None
        return codec.expect(event, AlertRaised)

    def _seal(self, alert: AlertRaised, spec: KeySpec) -> bytes:
        sealing = Sealing(spec.id, self._ring.mint(spec), self._cipher)
        return codec.encode_sealed(alert, topic=self._names.content(alert.event_id), sealing=sealing)

    def _spec(self, peeked: Peeked) -> KeySpec:
        """The one of the three keys that these pictures name; when they were searched stands in the clear part."""
        searched_at = from_micros(getattr(peeked.body, "searched_at_us", 0))
        held = keys.held_by_id(self._authority, peeked.key_id)
        for spec in (keys.alert(self._authority, searched_at), keys.evidence(self._authority), held):
            if spec is not None and spec.id == peeked.key_id:
                return spec
        raise Tampered("pictures name a key that is not their own")


def is_held(sealed: bytes) -> bool:
    """Whether pictures are under a key that the purge leaves. False for what is no picture of ours."""
    try:
        peeked = codec.peek(sealed, topic="")
    except Undecodable:
        return False
    return peeked.key_id.startswith(keys.held_of(peeked.deployment))
