"""Provisioning: what it makes, that it may run again, and what it reports."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from azure.cosmos.aio import CosmosClient
from azure.cosmos.partition_key import PartitionKey

from generated.containers import CONTAINERS, Container, Index, Key
from handlers.platform.store.cosmos_indexing import composite_indexes, default_ttl, definition
from infra.azure.provision import main, provision
from infra.local.cosmos.auth import WELL_KNOWN_KEY
from infra.local.cosmos.http import serving
from infra.local.cosmos.server import Server
from infra.local.cosmos.transport import InProcessTransport
from tests.platform.store.adapters import MONTHS, PLAIN, THINGS, UNIQUE
from tests.support.processes import free_port

OURS = {container.name: container for container in (THINGS, UNIQUE, MONTHS, PLAIN)}


@pytest.fixture
async def client() -> AsyncIterator[CosmosClient]:
    """Of an empty account."""
    server = Server(f"http://provision-{time.monotonic_ns()}.test", time.time)
    async with CosmosClient(server.url, WELL_KNOWN_KEY, transport=InProcessTransport(server)) as opened:
        yield opened


async def test_it_creates_once(client: CosmosClient) -> None:
    first = await provision(client, "shop", OURS)
    assert first.created == [*OURS]
    assert not first.drift
    again = await provision(client, "shop", OURS)
    assert again.lines() == ["nothing to do"]
    found = await client.get_database_client("shop").get_container_client("months").read()
    assert found["partitionKey"]["paths"] == ["/entity", "/month"]
    assert found["partitionKey"]["kind"] == "MultiHash"
    assert found["defaultTtl"] == 3600


@pytest.mark.parametrize(
    ("changed", "what", "fixable"),
    [
        (replace(THINGS, indexes=THINGS.indexes[1:]), "indexing policy", True),
        (replace(THINGS, filters=(*THINGS.filters, "more")), "indexing policy", True),
        (replace(THINGS, ttl=60), "time to live", True),
        (replace(THINGS, throughput=4000), "throughput", True),
        (replace(THINGS, kinds={}, unique_keys=(("sku",),)), "unique keys", False),
        (replace(THINGS, partition_key=("other",)), "partition key", False),
    ],
)
async def test_it_reports_what_has_drifted(client: CosmosClient, changed: Container, what: str, fixable: bool) -> None:
    await provision(client, "shop", {"things": THINGS})
    report = await provision(client, "shop", {"things": changed})
    assert what in {difference for _, difference, _, _ in report.drift}
    assert not report.fixed
    assert "drifted" in "\n".join(report.lines())
    if fixable:
        assert (await provision(client, "shop", {"things": changed}, fix=True)).fixed == ["things"]
        assert not (await provision(client, "shop", {"things": changed})).drift


async def test_throughput_is_set_compared_and_left_alone_where_there_is_none(client: CosmosClient) -> None:
    await provision(client, "shop", {"things": replace(THINGS, throughput=4000)})
    things = client.get_database_client("shop").get_container_client("things")
    assert (await things.get_throughput()).auto_scale_max_throughput == 4000
    # Made by hand, as Azure makes a container that nobody says anything about: 400 RU/s.
    await client.get_database_client("shop").create_container("plain", PartitionKey("/owner"))
    report = await provision(client, "shop", {"plain": PLAIN}, fix=True)
    found = [(what, wanted, now) for _, what, wanted, now in report.drift if what == "throughput"]
    assert found == [("throughput", "autoscale to 1000 RU/s", "manual, 400 RU/s")]
    serverless = await provision(client, "shop", {"plain": PLAIN}, serverless=True)
    assert "throughput" not in {what for _, what, _, _ in serverless.drift}


def test_every_container_has_throughput_within_the_plans_bound() -> None:
    assert all(1000 <= container.throughput <= 10_000 for container in CONTAINERS.values())
    # What an order goes through must not have what Azure gives by default.
    assert all(CONTAINERS[name].throughput >= 4000 for name in ("orders", "cart", "inventory"))


async def test_an_account_that_cannot_be_reached_is_told_in_a_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: object
) -> None:
    monkeypatch.setenv("COSMOS_ACCOUNT_URI", f"http://127.0.0.1:{free_port()}")
    monkeypatch.setenv("COSMOS_KEY", WELL_KNOWN_KEY)
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    assert await main(fix=False) == 1
    said = capsys.readouterr().err.strip()
    assert "cannot be reached" in said
    assert "Traceback" not in said
    assert len(said.splitlines()) == 1


async def test_without_an_account_it_says_what_to_set(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("COSMOS_ACCOUNT_URI", raising=False)
    assert await main(fix=False) == 2
    assert "COSMOS_ACCOUNT_URI" in capsys.readouterr().out


async def test_the_command_says_what_it_did(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: object
) -> None:
    async with serving() as server:
        monkeypatch.setenv("COSMOS_ACCOUNT_URI", server.url)
        monkeypatch.setenv("COSMOS_KEY", "d3Jvbmc=")
        monkeypatch.setenv("DATA_DIR", str(tmp_path))
        assert await main(fix=False) == 1
        assert "401" in capsys.readouterr().err


def test_indexes_are_only_what_is_queried() -> None:
    for container in CONTAINERS.values():
        policy = definition(container)["indexingPolicy"]
        assert policy["excludedPaths"] == [{"path": "/*"}]
        assert all(entry["path"] != "/*" for entry in policy["includedPaths"])
        for composite in policy.get("compositeIndexes", []):
            assert 2 <= len(composite) <= 8  # the service's limits


def test_every_order_has_its_composite_index_once() -> None:
    listed = Container("x", ("p",), indexes=(Index((Key("p"), Key("a"), Key("b", True))), Index((Key("b"),))))
    assert composite_indexes(listed) == [
        (Key("p"), Key("a"), Key("b", True), Key("id", True)),
        (Key("b", True), Key("id", True), Key("p", True)),
    ]
    across = replace(listed, cross_partition=frozenset({"x"}))
    assert (Key("a"), Key("b", True), Key("id", True), Key("p", True)) in composite_indexes(across)
    assert (Key("id"), Key("p")) in composite_indexes(across)


def test_service_rows_need_a_clock_of_their_own() -> None:
    assert default_ttl(CONTAINERS["orders"]) == -1
    assert default_ttl(CONTAINERS["audit_logs"]) == 7_776_000
    assert default_ttl(CONTAINERS["lookups"]) is None
