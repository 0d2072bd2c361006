"""Metrics as declarations: a name, a help text, closed labels; nothing global.

A service declares its metrics in its `metrics.py` and asks each for its live half when it is wired:

    DROPPED = Counter("signpost_ingest_dropped_total", "Frames not published.", {"reason": Reason})
    dropped = DROPPED.on(registry)
    dropped.inc(reason=Reason.LATE)

`AT_START` stands for a closed set known only when the process starts; `on(registry, name=[...])` gives it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from itertools import product
from types import MappingProxyType, ModuleType
from typing import ClassVar, Final, Generic, TypeVar

import prometheus_client
import prometheus_client.metrics
from prometheus_client import CollectorRegistry


class AtStart(Enum):
    """Type of the mark for a label whose values are fixed once the process starts."""

    AT_START = "fixed at start"


AT_START: Final = AtStart.AT_START
Values = Sequence[str] | type[Enum] | AtStart
_NO_LABELS: Mapping[str, Values] = MappingProxyType({})

_NAME = re.compile(r"signpost(_[a-z][a-z0-9]*){3,}")
# A unit, or the plural of what is counted (milliseconds are not one: Prometheus counts in seconds).
_UNIT = re.compile(r"_(seconds|bytes|ratio|pixels|info|[a-z]{3,}s)$")
# A metric with more series than this is an id in disguise.
_MAX_SERIES = 2000

# From 1 ms to 2 min: calls to stores at one end, the whole way through at the other.
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0)


@dataclass(frozen=True)
class _Spec:
    """Name, help and labels of a metric. Raises ValueError for a name outside the naming rule."""

    kind: ClassVar[str]
    name: str
    help: str
    labels: Mapping[str, Values] = field(default_factory=lambda: _NO_LABELS)
    most_series: int = field(default=_MAX_SERIES, kw_only=True)

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ValueError(f"{self.name}: a metric is named signpost_<service>_<noun>_<unit>")
        if self.name.endswith("_total") is not (self.kind == "counter"):
            raise ValueError(f"{self.name}: counters, and nothing else, end in _total")
        if self.kind != "counter" and not _UNIT.search(self.name):
            raise ValueError(f"{self.name}: ends in no unit (seconds, bytes, ratio, pixels, info, or a plural)")
        if not self.help.strip():
            raise ValueError(f"{self.name}: has no help text")

    def closed(self, at_start: Mapping[str, Iterable[str]]) -> dict[str, tuple[str, ...]]:
        """The allowed values of each label. Raises ValueError if a set is missing, unasked or too large."""
        open_labels = {label for label, values in self.labels.items() if values is AT_START}
        if open_labels != set(at_start):
            raise ValueError(
                f"{self.name}: needs values at start for {sorted(open_labels)}, got {sorted(at_start)}"
            )
        sets = {
            label: tuple(at_start[label]) if values is AT_START else fixed_values(values)
            for label, values in self.labels.items()
        }
        series = 1
        for values in sets.values():
            series *= len(values)
        if series > self.most_series:
            raise ValueError(f"{self.name}: {series} series; at most {self.most_series} are allowed")
        return sets


@dataclass(frozen=True)
class Counter(_Spec):
    """Something that only grows."""

    kind = "counter"

    def on(self, registry: CollectorRegistry, **at_start: Iterable[str]) -> LiveCounter:
        """The live half. Raises ValueError for a name already taken or labels left open."""
        sets = self.closed(at_start)
        metric = prometheus_client.Counter(self.name, self.help, tuple(sets), registry=registry)
        return LiveCounter(_Series(self.name, metric, sets))


@dataclass(frozen=True)
class Gauge(_Spec):
    """Something that goes up and down."""

    kind = "gauge"

    def on(self, registry: CollectorRegistry, **at_start: Iterable[str]) -> LiveGauge:
        """The live half. Raises ValueError for a name already taken or labels left open."""
        sets = self.closed(at_start)
        metric = prometheus_client.Gauge(self.name, self.help, tuple(sets), registry=registry)
        return LiveGauge(_Series(self.name, metric, sets))


@dataclass(frozen=True)
class Histogram(_Spec):
    """How something is spread; `buckets` are upper bounds in the metric's unit."""

    kind = "histogram"
    buckets: tuple[float, ...] = SECONDS

    def on(self, registry: CollectorRegistry, **at_start: Iterable[str]) -> LiveHistogram:
        """The live half. Raises ValueError for a name already taken or labels left open."""
        sets = self.closed(at_start)
        metric = prometheus_client.Histogram(
            self.name, self.help, tuple(sets), registry=registry, buckets=self.buckets
        )
        return LiveHistogram(_Series(self.name, metric, sets))


Spec = Counter | Gauge | Histogram
M = TypeVar("M", bound=prometheus_client.metrics.MetricWrapperBase)


class _Series(Generic[M]):
    """Every series of a metric, made at once so that each is 0 before it first happens. Any thread."""

    def __init__(self, name: str, metric: M, sets: Mapping[str, tuple[str, ...]]) -> None:
        self._name = name
        self._labels = tuple(sets)
        self._by_values = {
            values: metric.labels(*values) if values else metric for values in product(*sets.values())
        }

    def at(self, labels: Mapping[str, str | Enum]) -> M:
        """The one series of these labels. Raises ValueError for a label or value not declared."""
        if len(labels) == len(self._labels):
            values = tuple(_word(labels.get(label)) for label in self._labels)
            if values in self._by_values:
                return self._by_values[values]
        raise ValueError(f"{self._name}: no series {sorted(labels)} with these values; they are a closed set")


class LiveCounter:
    """A counter in a registry. Never blocks; any thread."""

    def __init__(self, series: _Series[prometheus_client.Counter]) -> None:
        self._series = series

    def inc(self, amount: float = 1, /, **labels: str | Enum) -> None:
        """Raises ValueError for a label value that is not declared, or a negative amount."""
        self._series.at(labels).inc(amount)


class LiveGauge:
    """A gauge in a registry. Never blocks; any thread."""

    def __init__(self, series: _Series[prometheus_client.Gauge]) -> None:
        self._series = series

    def set(self, value: float, /, **labels: str | Enum) -> None:
        """Raises ValueError for a label value that is not declared."""
        self._series.at(labels).set(value)

    def follow(self, value: Callable[[], float], /, **labels: str | Enum) -> None:
        """Ask `value` at every scrape, on the scraping thread; it must not block."""
        self._series.at(labels).set_function(value)


class LiveHistogram:
    """A histogram in a registry. Never blocks; any thread."""

    def __init__(self, series: _Series[prometheus_client.Histogram]) -> None:
        self._series = series

    def observe(self, value: float, /, **labels: str | Enum) -> None:
        """Raises ValueError for a label value that is not declared."""
        self._series.at(labels).observe(value)


def new_registry() -> CollectorRegistry:
    """An empty registry with the process's own figures (memory, CPU, collections) in it."""
    registry = CollectorRegistry()
    prometheus_client.ProcessCollector(registry=registry)
    prometheus_client.GCCollector(registry=registry)
    return registry


def declared_in(*modules: ModuleType) -> list[Spec]:
    """Every metric declared at the top of these modules, in their order; those of a named tuple in its order."""
    values = [value for module in modules for value in vars(module).values()]
    each = [one for value in values for one in (value if isinstance(value, tuple) else (value,))]
    return [spec for spec in each if isinstance(spec, Spec)]


def render_docs(specs: Iterable[Spec]) -> str:
    """`docs/metrics.md`: every metric, its labels and their values."""
    head = ["# Metrics", "", "Generated from the `metrics.py` of each service.", ""]
    head += ["| name | kind | labels | meaning |", "| --- | --- | --- | --- |"]
    rows = [f"| `{spec.name}` | {spec.kind} | {_labels_text(spec)} | {spec.help} |" for spec in specs]
    return "\n".join(head + rows) + "\n"


def _labels_text(spec: Spec) -> str:
    return "; ".join(
        f"`{label}`: {', '.join(fixed_values(values)) or AT_START.value}" for label, values in spec.labels.items()
    )


def _word(value: str | Enum | None) -> str:
    return str(value.value) if isinstance(value, Enum) else str(value)


def fixed_values(values: Values) -> tuple[str, ...]:
    """The names in a closed set; none for AT_START."""
    if isinstance(values, AtStart):
        return ()
    if isinstance(values, type):
        return tuple(str(member.value) for member in values)
    return tuple(values)
