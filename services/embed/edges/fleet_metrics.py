"""The workers' metrics on the supervisor's page, each with the slot it comes from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from prometheus_client import CollectorRegistry, Metric
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

_OURS = "signpost_"
# What a process says of itself would collide with what the supervisor says of itself.
_RENAMED = {
    "process_resident_memory_bytes": "signpost_embed_worker_resident_bytes",
    "process_cpu_seconds": "signpost_embed_worker_cpu_seconds",
}


class FleetCollector(Collector):
    """The texts last shown, merged family by family. `show` by the supervisor, `collect` by a scrape."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._texts: Mapping[int, str] = {}
        registry.register(self)

    def show(self, texts: Mapping[int, str]) -> None:
        """Show these from now on; a slot that is not in it is gone from the page."""
        self._texts = dict(texts)

    def collect(self) -> Iterator[Metric]:
        merged: dict[str, Metric] = {}
        for slot, text in sorted(self._texts.items()):
            for family in text_string_to_metric_families(text):
                name = _RENAMED.get(family.name, family.name)
                if name.startswith(_OURS):
                    into = merged.setdefault(name, Metric(name, family.documentation, family.type))
                    _add(into, family, slot)
        yield from merged.values()

    def describe(self) -> Iterator[Metric]:
        """Nothing is known before the first worker answers."""
        return iter(())


def _add(into: Metric, family: Metric, slot: int) -> None:
    for sample in family.samples:
        name = sample.name.replace(family.name, into.name, 1)
        into.add_sample(name, {**sample.labels, "worker": str(slot)}, sample.value)
