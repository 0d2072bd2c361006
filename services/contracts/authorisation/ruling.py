"""What the records of `authority` come to by themselves, whatever the time: worked out once a record."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from services.contracts.authorisation.approvals import Verified
from services.contracts.authorisation.chain import Chain
from services.contracts.authorisation.enums import State
from services.contracts.authorisation.lease import HeldLease
from services.contracts.authorisation.refusals import Refusal
from services.contracts.authorisation.registry import Registry
from services.contracts.authorisation.revocations import Revocations
from services.contracts.authorisation.statements import Lease
from services.contracts.authorisation.states import HAS_RUN, NEVER_RAN
from services.contracts.authority import ADMITTED_SOURCES

_NO_MOVES = Chain()


@dataclass(frozen=True, kw_only=True)
class Ruling:
    """Of one state of belief; any thread may ask.

    An answer is kept from its first question on: with a processor whose caches a model has just swept, to work it
    out again costs ten times what it costs in a loop, and it is asked for every frame and every face.
    """

    registry: Registry | None
    registry_forked: bool
    verified: Mapping[str, Verified]
    chains: Mapping[tuple[int, str], Chain]
    revocations: Revocations
    held: HeldLease | None
    # By period between two moves: what was in force then.
    _known: dict[int, Sequence[Verified]] = field(default_factory=dict, init=False, repr=False, compare=False)

    @cached_property
    def leased(self) -> Verified | None:
        """The authority that the lease names, where it is verified."""
        if self.held is None:
            return None
        lease = self.held.lease
        found = self.verified.get(lease.digest)
        return found if found is not None and found.document.version == lease.version else None

    @cached_property
    def unfounded(self) -> Refusal | None:
        """Why there is nothing to search under, or None: then there is a lease, and `leased`."""
        if self.registry is None:
            return Refusal.NO_REGISTRY
        if self.registry_forked:
            return Refusal.REGISTRY_FORKED
        if self.held is None:
            return Refusal.NO_LEASE
        if self.leased is None:
            return Refusal.NOT_VERIFIED
        behind = self.registry.sequence < self.held.lease.registry_sequence
        return Refusal.REGISTRY_BEHIND if behind else None

    @cached_property
    def forbidden(self) -> Refusal | None:
        """Why what the lease names may not be searched under, by its moves and what was revoked, or None."""
        if self.held is None or self.leased is None:
            return self.unfounded
        lease = self.held.lease
        return self._against_state(lease, self.leased) or self._against_revocations(lease)

    @cached_property
    def works_for(self) -> tuple[int, str] | None:
        """As `Gate.works_for`."""
        if self.held is None:
            return None
        lease, chains = self.held.lease, self.chains
        leased = (lease.version, lease.digest)
        called_off = leased in chains and chains[leased].state in NEVER_RAN
        if not called_off:
            return leased
        ran = (known for known, chain in chains.items() if known < leased and chain.state in HAS_RUN)
        return max(ran, default=leased)

    def refusal(self, camera: str, at: datetime) -> Refusal | None:
        """Why what `camera` took `at` may not be searched, where something may be; or None."""
        if self.leased is None:
            return Refusal.NOT_VERIFIED
        refusal = self._cameras.get(camera, Refusal.UNKNOWN_CAMERA)
        if refusal is not None:
            return refusal
        if not self.leased.document.window.covers(at):
            return Refusal.OUTSIDE_WINDOW
        # What was taken while it was suspended stays unsearched, however soon it was resumed.
        return None if self.in_force(at) else Refusal.NOT_ACTIVE

    def in_force(self, at: datetime) -> Sequence[Verified]:
        """What was ACTIVE then: one authority, or none; two only if the records contradict each other."""
        period = bisect_right(self._moved_at, at)
        if period not in self._known:
            # Moves alone change it, each at its own instant: so the first of a period stands for all of it.
            self._known[period] = self._in_force(self._moved_at[period - 1]) if period else ()
        return self._known[period]

    def _in_force(self, at: datetime) -> Sequence[Verified]:
        """A version that has begun puts an end to those before it, whether or not anybody ended them."""
        begun = [known for known in self.verified.values() if self._chain(known).begun_by(at)]
        latest = max((verified.document.version for verified in begun), default=0)
        return [one for one in begun if one.document.version == latest and self._was_active(one, at)]

    @cached_property
    def _moved_at(self) -> Sequence[datetime]:
        chains = self.chains.values()
        return sorted({change.statement.signed_at for chain in chains for change in chain.changes.values()})

    @cached_property
    def _cameras(self) -> dict[str, Refusal | None]:
        if self.leased is None:
            return {}
        document = self.leased.document
        admitted = ADMITTED_SOURCES[document.admits]
        return {
            camera.id: None if camera.source in admitted else Refusal.SOURCE_NOT_ADMITTED
            for camera in document.cameras
        }

    def _chain(self, verified: Verified) -> Chain:
        return self.chains.get((verified.document.version, verified.digest), _NO_MOVES)

    def _was_active(self, verified: Verified, at: datetime) -> bool:
        chain = self._chain(verified)
        return chain.gapless and chain.consistent and _resumed_rightly(chain, verified) and chain.active_at(at)

    def _against_state(self, lease: Lease, verified: Verified) -> Refusal | None:
        chain = self.chains.get((lease.version, lease.digest), _NO_MOVES)
        if not chain.gapless or len(chain.changes) < lease.state_sequence:
            return Refusal.STATE_BEHIND
        told = chain.state_after(lease.state_sequence)
        if not chain.consistent or told is not lease.state or not _resumed_rightly(chain, verified):
            return Refusal.STATE_DISPUTED
        # Whichever is the later counts: a stop may come before the lease that knows of it, or after.
        active = chain.state is State.ACTIVE and lease.state is State.ACTIVE
        return None if active else Refusal.NOT_ACTIVE

    def _against_revocations(self, lease: Lease) -> Refusal | None:
        if self.revocations.disputed:
            return Refusal.REVOCATIONS_DISPUTED
        if not self.revocations.reaches(lease.revocations, lease.revocations_head):
            return Refusal.REVOCATIONS_BEHIND
        return None


def _resumed_rightly(chain: Chain, verified: Verified) -> bool:
    return chain.resumed_by <= verified.approvers
