"""Which addresses leave this machine."""

from __future__ import annotations

import pytest

from services.runtime.addresses import is_loopback


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_loopback_stays_on_this_machine(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.1", "", "enrol.example", "127.0.0.1.example"])  # noqa: S104
def test_anything_else_may_leave_it(host: str) -> None:
    assert not is_loopback(host)
