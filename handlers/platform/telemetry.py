"""Metrics in the format that Prometheus scrapes, of this process.

The path of a request touches plain integers only; families and labels are put together when someone scrapes.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import accumulate
from typing import Final, Literal

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

Kind = Literal["counter", "gauge"]

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
# Around the plan's targets (l.2201): p95 under 0.5 s for reads, under 1 s for writes.
BOUNDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
UNMATCHED: Final = "unmatched"


class _Series:
    """What is counted of one operation. `durations` has one more place than `BOUNDS`: beyond the last of them."""

    __slots__ = ("durations", "seconds", "statuses", "units")

    def __init__(self) -> None:
        self.statuses: dict[int, int] = {}
        self.durations = [0] * (len(BOUNDS) + 1)
        self.seconds = 0.0
        self.units = 0.0


@dataclass(frozen=True, slots=True)
class _Watched:
    name: str
    help_text: str
    read: Callable[[], float]
    kind: Kind
    labels: dict[str, str]


class Telemetry(Collector):
    """The metrics of a process. Other parts count for themselves and are read through `watch`."""

    def __init__(self) -> None:
        self._operations: dict[str, _Series] = {}
        self._watched: list[_Watched] = []
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(self)
        ProcessCollector(registry=self._registry)

    def observe(self, operation_id: str | None, status: int, seconds: float, units: float = 0.0) -> None:
        """Counts one request: its operation, status, duration in seconds and request units."""
        operation = operation_id or UNMATCHED
        series = self._operations.get(operation)
        if series is None:
            series = self._operations[operation] = _Series()
        statuses = series.statuses
        statuses[status] = statuses.get(status, 0) + 1
        series.durations[bisect_left(BOUNDS, seconds)] += 1
        series.seconds += seconds
        series.units += units

    def watch(
        self, name: str, help_text: str, read: Callable[[], float], *, kind: Kind = "counter", **labels: str
    ) -> None:
        """Publishes a number that lives elsewhere; `read` is called at each scrape. Counters get `_total` appended."""
        self._watched.append(_Watched(name, help_text, read, kind, labels))

    def render(self) -> bytes:
        """All metrics in the Prometheus text format, for an answer of type `CONTENT_TYPE`."""
        return generate_latest(self._registry)

    def collect(self) -> Iterator[Metric]:
        """The families, for the registry."""
        yield from self._requests()
        families: dict[str, CounterMetricFamily | GaugeMetricFamily] = {}
        for watched in self._watched:
            family = families.get(watched.name)
            if family is None:
                made = CounterMetricFamily if watched.kind == "counter" else GaugeMetricFamily
                family = families[watched.name] = made(watched.name, watched.help_text, labels=list(watched.labels))
            family.add_metric(list(watched.labels.values()), watched.read())
        yield from families.values()

    def _requests(self) -> Iterator[Metric]:
        requests = CounterMetricFamily(
            "http_requests", "Requests by operation and status.", labels=["operation", "status"]
        )
        durations = HistogramMetricFamily(
            "http_request_duration_seconds", "Time from arrival to the last byte of the answer.", labels=["operation"]
        )
        units = CounterMetricFamily(
            "http_request_units", "Request units of the documents touched.", labels=["operation"]
        )
        # A scrape may run in another thread than the requests: copy before walking.
        for operation, series in list(self._operations.items()):
            for status, count in list(series.statuses.items()):
                requests.add_metric([operation, str(status)], count)
            reached = list(accumulate(series.durations))
            buckets = [(str(bound), float(count)) for bound, count in zip((*BOUNDS, "+Inf"), reached, strict=True)]
            durations.add_metric([operation], buckets, series.seconds)
            units.add_metric([operation], series.units)
        yield from (requests, durations, units)
