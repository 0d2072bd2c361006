"""The lease store the other tests stand on keeps to the port."""

from __future__ import annotations

import pytest

from tests.contracts.leases import Bench, LeasesContract
from tests.fakes.clock import ManualClock
from tests.fakes.ingest import FakeLeases, FakeLeaseStore


class TestFakeLeases(LeasesContract):
    @pytest.fixture
    def bench(self) -> Bench:
        clock = ManualClock()
        store = FakeLeaseStore(clock)
        first, second = (FakeLeases(store, holder=name, ttl_s=6.0) for name in ("ingest-a", "ingest-b"))
        return Bench(first, second, lapse=lambda: clock.advance(6.0), lose_all=store.lose_all)
