"""Metrics in the Prometheus text format."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families

from handlers.platform.telemetry import Telemetry


def samples(telemetry: Telemetry) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """All samples, read back by Prometheus' own parser."""
    families = text_string_to_metric_families(telemetry.render().decode())
    return {(s.name, tuple(sorted(s.labels.items()))): s.value for family in families for s in family.samples}


def test_requests_by_operation_and_status() -> None:
    telemetry = Telemetry()
    for status in (200, 200, 503):
        telemetry.observe("listProducts", status, 0.004, 2.5)
    telemetry.observe(None, 404, 0.001)
    found = samples(telemetry)
    assert found["http_requests_total", (("operation", "listProducts"), ("status", "200"))] == 2
    assert found["http_requests_total", (("operation", "listProducts"), ("status", "503"))] == 1
    assert found["http_requests_total", (("operation", "unmatched"), ("status", "404"))] == 1
    assert found["http_request_units_total", (("operation", "listProducts"),)] == 7.5


def test_durations_are_cumulative() -> None:
    telemetry = Telemetry()
    for seconds in (0.001, 0.3, 0.5, 99.0):
        telemetry.observe("getOrder", 200, seconds)
    found = samples(telemetry)
    name = "http_request_duration_seconds_bucket"
    reached = {
        bound: found[name, (("le", bound), ("operation", "getOrder"))]
        for bound in ("0.001", "0.25", "0.5", "10.0", "+Inf")
    }
    assert reached == {"0.001": 1, "0.25": 1, "0.5": 3, "10.0": 3, "+Inf": 4}
    assert found["http_request_duration_seconds_count", (("operation", "getOrder"),)] == 4
    assert abs(found["http_request_duration_seconds_sum", (("operation", "getOrder"),)] - 99.801) < 1e-9


def test_what_others_count_is_read_at_the_scrape() -> None:
    telemetry = Telemetry()
    counts = {"a": 1.0, "b": 2.0}
    telemetry.watch("hph_things", "Things.", lambda: counts["a"], kind_of="a")
    telemetry.watch("hph_things", "Things.", lambda: counts["b"], kind_of="b")
    telemetry.watch("hph_level", "Level.", lambda: 7, kind="gauge")
    counts["a"] = 5.0
    found = samples(telemetry)
    assert found["hph_things_total", (("kind_of", "a"),)] == 5
    assert found["hph_things_total", (("kind_of", "b"),)] == 2
    assert found["hph_level", ()] == 7
    assert telemetry.render().count(b"# TYPE hph_things_total counter") == 1


def test_the_process_itself_is_there() -> None:
    assert samples(Telemetry())["process_resident_memory_bytes", ()] > 0
