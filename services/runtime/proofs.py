"""The proofs beside records between stages: this process signs what it writes, and checks what it reads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from services.contracts import proof, topics
from services.contracts.audit.registry import KeyRegistry, keys_of
from services.contracts.audit.signing import Signer
from services.contracts.authorisation.registry import Registry
from services.contracts.errors import Unproven
from services.contracts.proof import Proof, Written
from services.runtime.clock import Clock
from services.runtime.kafka.types import Output, Record
from services.runtime.keys.ed25519 import verify

Prove = Callable[[Output], Output]


class Proving:
    """With this process's own key. Any thread; costs one signature and the hash of the value."""

    def __init__(self, signer: Signer, clock: Clock) -> None:
        self._signer = signer
        self._clock = clock

    def __call__(self, output: Output) -> Output:
        """The record with its proof; one for a topic without proofs as it is. Its headers must be complete."""
        if output.topic not in proof.TOPICS:
            return output
        home = output.partition
        if home is None:
            home = topics.partition_of_key(output.key or b"", topics.BY_NAME[output.topic])
        written = Written(output.topic, home, output.key, output.value, output.headers)
        header = proof.prove(written, self._signer, at=self._clock.now())
        return replace(output, headers=(*output.headers, header))


class Proven:
    """By the organisation's newest registry. Any thread; costs one check of a signature, and the hash."""

    def __init__(self, registry: Callable[[], Registry | None]) -> None:
        self._registry = registry
        # Keys are laid out anew for each registry, not for each record. Replaced whole.
        self._known: tuple[Registry, KeyRegistry] | None = None

    def __call__(self, written: Written, service: str, *, now: datetime | None = None) -> Proof | None:
        """Its proof, if that service wrote it; None without a registry. `now`: see `proof.proven`."""
        keys = self._keys()
        if keys is None:
            return None
        return proof.proven(written, service=service, keys=keys, verify=verify, now=now)

    def _keys(self) -> KeyRegistry | None:
        found, known = self._registry(), self._known
        if found is None:
            return None
        if known is None or known[0] is not found:
            known = self._known = found, keys_of(found)
        return known[1]


def only_by(service: str, proven: Proven, clock: Clock) -> Callable[[Record], None]:
    """Raises Unproven for a record that this service did not write, or with a key that was revoked since."""

    def check(record: Record) -> None:
        if proven(written(record), service, now=clock.now()) is None:
            raise Unproven(f"a record on {record.topic} that {service} did not sign")

    return check


def written(record: Record) -> Written:
    """A record that was read, as its proof covers it."""
    return Written(record.topic, record.partition, record.key, record.value, record.headers)
