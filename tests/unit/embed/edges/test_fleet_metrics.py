"""Workers' metrics on one page, told apart by their slot."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, generate_latest

from services.embed.core.quality import Unusable
from services.embed.edges.fleet_metrics import FleetCollector
from services.embed.metrics import EmbedMetrics, TrackEnd
from services.runtime.metrics import new_registry


def a_workers_page() -> str:
    registry = new_registry()
    EmbedMetrics(registry).published(0.2)
    return generate_latest(registry).decode()


def test_each_workers_series_carry_its_slot_and_families_come_once() -> None:
    registry = CollectorRegistry()
    collector = FleetCollector(registry)
    collector.show({0: a_workers_page(), 1: a_workers_page()})
    page = generate_latest(registry).decode()
    for slot in "01":
        assert f'signpost_embed_capture_to_published_seconds_count{{worker="{slot}"}} 1.0' in page
        assert f'signpost_embed_worker_resident_bytes{{worker="{slot}"}}' in page
        assert f'signpost_embed_worker_cpu_seconds_total{{worker="{slot}"}}' in page
    assert page.count("# TYPE signpost_embed_capture_to_published_seconds histogram") == 1
    assert "process_resident_memory_bytes" not in page


def test_a_worker_that_left_is_gone_from_the_page() -> None:
    registry = CollectorRegistry()
    collector = FleetCollector(registry)
    collector.show({0: a_workers_page()})
    collector.show({})
    assert generate_latest(registry) == b""


def test_every_reason_a_track_may_be_unusable_for_is_a_label() -> None:
    assert {reason.value for reason in Unusable} <= {end.value for end in TrackEnd}
