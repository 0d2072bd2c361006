"""What a process's watch over its authority reports, as metrics that a service declares."""

from __future__ import annotations

from typing import NamedTuple

from services.contracts.authorisation.statements import Rejection
from services.runtime.metrics import Counter, Gauge

UNDECODABLE = "undecodable"


class AuthoritySpecs(NamedTuple):
    """The watch's metrics under a service's own names: its `metrics.py` declares one, as `AUTHORITY`."""

    lease_age: Gauge
    usable_keys: Gauge
    rejected: Counter
    kafka_errors: Counter
    unanswered: Gauge


def authority_specs(service: str) -> AuthoritySpecs:
    """The same of every service, under its name."""
    return AuthoritySpecs(
        lease_age=Gauge(
            f"signpost_{service}_authority_lease_age_seconds",
            "Age of the lease held; from 10 on nothing is searched. Infinite without one.",
        ),
        usable_keys=Gauge(
            f"signpost_{service}_usable_keys",
            "1 where the newest registry has this process's signing key, for this service and for now; else 0.",
        ),
        rejected=Counter(
            f"signpost_{service}_authority_rejected_records_total",
            "Records of `authority` that were not believed, or not yet.",
            {"reason": (*(why.value for why in Rejection), UNDECODABLE)},
        ),
        kafka_errors=Counter(
            f"signpost_{service}_authority_kafka_errors_total",
            "Errors of Kafka's client in reading `authority`; most pass by themselves.",
        ),
        unanswered=Gauge(
            f"signpost_{service}_unanswered_orders",
            "1 while there is an order to purge that this process cannot answer; the log says why.",
        ),
    )
