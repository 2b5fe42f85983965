"""Provisioning: what it makes, that it may run again, and what it reports."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from azure.cosmos.aio import CosmosClient

from generated.containers import CONTAINERS, Container, Index, Key
from handlers.platform.store.cosmos_indexing import composite_indexes, default_ttl, definition
from infra.azure.provision import main, provision
from infra.local.cosmos.auth import WELL_KNOWN_KEY
from infra.local.cosmos.http import serving
from infra.local.cosmos.server import Server
from infra.local.cosmos.transport import InProcessTransport
from tests.platform.store.adapters import MONTHS, PLAIN, THINGS, UNIQUE

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
