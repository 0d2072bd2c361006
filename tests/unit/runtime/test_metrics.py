"""A metric keeps the naming rule, and its labels keep to their closed sets."""

from __future__ import annotations

import types
from enum import Enum
from typing import NamedTuple

import pytest
from prometheus_client import CollectorRegistry

from services.runtime.metrics import AT_START, Counter, Gauge, Histogram, declared_in, new_registry, render_docs


class Pair(NamedTuple):
    length: Gauge
    wait: Histogram


class Reason(Enum):
    LATE = "late"
    FULL = "full"


DROPPED = Counter("signpost_sample_items_dropped_total", "Items not passed on.", {"reason": Reason})
DEPTH = Gauge("signpost_sample_queue_items", "Items that wait.", {"lane": AT_START})
WAIT = Histogram("signpost_sample_wait_seconds", "Time in the queue.", buckets=(0.1, 1.0))


def test_every_series_of_a_closed_set_is_there_before_it_first_happens() -> None:
    registry = CollectorRegistry()
    DROPPED.on(registry)
    assert registry.get_sample_value(DROPPED.name, {"reason": "late"}) == 0


def test_a_count_goes_to_the_series_of_its_label() -> None:
    registry = CollectorRegistry()
    dropped = DROPPED.on(registry)
    dropped.inc(reason=Reason.LATE)
    dropped.inc(2, reason="full")
    assert registry.get_sample_value(DROPPED.name, {"reason": "late"}) == 1
    assert registry.get_sample_value(DROPPED.name, {"reason": "full"}) == 2


@pytest.mark.parametrize("labels", [{"reason": "because"}, {}, {"cause": "late"}, {"reason": "late", "more": "x"}])
def test_a_label_or_value_that_is_not_declared_is_refused(labels: dict[str, str]) -> None:
    dropped = DROPPED.on(CollectorRegistry())
    with pytest.raises(ValueError, match="closed set"):
        dropped.inc(**labels)


def test_a_set_fixed_at_start_must_be_given_then_and_holds_from_then_on() -> None:
    with pytest.raises(ValueError, match="values at start"):
        DEPTH.on(CollectorRegistry())
    registry = CollectorRegistry()
    depth = DEPTH.on(registry, lane=["left", "right"])
    depth.set(3, lane="left")
    depth.follow(lambda: 4.0, lane="right")
    assert registry.get_sample_value(DEPTH.name, {"lane": "left"}) == 3
    assert registry.get_sample_value(DEPTH.name, {"lane": "right"}) == 4
    with pytest.raises(ValueError, match="closed set"):
        depth.set(1, lane="middle")


def test_a_histogram_puts_a_value_into_its_bucket() -> None:
    registry = CollectorRegistry()
    WAIT.on(registry).observe(0.5)
    assert registry.get_sample_value(f"{WAIT.name}_bucket", {"le": "0.1"}) == 0
    assert registry.get_sample_value(f"{WAIT.name}_bucket", {"le": "1.0"}) == 1


@pytest.mark.parametrize(
    "name", ["sample_items_total", "signpost_items_total", "signpost_sample_items", "signpost_A_b_total"]
)
def test_a_counter_outside_the_naming_rule_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=name):
        Counter(name, "Something.")


@pytest.mark.parametrize(
    "name", ["signpost_sample_wait_ms", "signpost_sample_wait_seconds_total", "signpost_sample_queue_depth"]
)
def test_a_gauge_without_a_unit_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=name):
        Gauge(name, "Something.")


def test_so_many_series_that_a_label_must_be_an_id_are_refused() -> None:
    with pytest.raises(ValueError, match="2001 series"):
        DEPTH.on(CollectorRegistry(), lane=[str(number) for number in range(2001)])


def test_the_same_name_twice_in_a_registry_is_refused() -> None:
    registry = CollectorRegistry()
    DROPPED.on(registry)
    with pytest.raises(ValueError, match="Duplicated"):
        DROPPED.on(registry)


def test_declarations_are_found_in_their_module_and_documented() -> None:
    module = types.ModuleType("sample_metrics")
    module.DROPPED, module.DEPTH, module.other = DROPPED, DEPTH, "no metric"  # type: ignore[attr-defined]
    assert declared_in(module) == [DROPPED, DEPTH]
    text = render_docs([DROPPED, DEPTH])
    assert (
        "| `signpost_sample_items_dropped_total` | counter | `reason`: late, full | Items not passed on. |" in text
    )
    assert "`lane`: fixed at start" in text


def test_declarations_in_a_named_tuple_are_found_in_its_order() -> None:
    module = types.ModuleType("sample_metrics")
    module.PAIR, module.BOUNDS, module.DROPPED = Pair(DEPTH, WAIT), (1, 2), DROPPED  # type: ignore[attr-defined]
    assert declared_in(module) == [DEPTH, WAIT, DROPPED]


def test_a_new_registry_knows_the_memory_of_its_process() -> None:
    assert (new_registry().get_sample_value("process_resident_memory_bytes") or 0) > 0
