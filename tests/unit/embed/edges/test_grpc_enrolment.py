"""Where the enrolment server may listen."""

from __future__ import annotations

import pytest
from prometheus_client import CollectorRegistry

from services.contracts.errors import Misconfigured
from services.embed.core.templates import Refused
from services.embed.edges.grpc_enrolment import EnrolmentServer
from services.embed.metrics import EnrolmentMetrics


class Nobody:
    """`Enroller` that is never asked."""

    def enrol(self, picture: bytes) -> Refused:
        raise AssertionError("nobody listens")


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.1.2.3", "enrol.example"])  # noqa: S104
def test_reference_pictures_are_not_served_in_clear_beyond_this_machine(host: str) -> None:
    metrics = EnrolmentMetrics(CollectorRegistry())
    with pytest.raises(Misconfigured, match=r"GRPC_HOST: .* beyond this machine"):
        EnrolmentServer(Nobody(), metrics, host, 0, max_bytes=1000)  # type: ignore[arg-type]  # never asked
