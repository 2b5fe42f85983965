"""Creates the database and its containers from infra/containers.yaml, and reports where an account has drifted from it.

`python -m infra.azure.provision [--fix]` reads COSMOS_ACCOUNT_URI, COSMOS_DATABASE and COSMOS_KEY; the account may be
Azure's, Microsoft's emulator or the stand-in. What is there is left as it is: indexing policy, time to live and the
maximum of autoscale are changed with `--fix` only (the service rebuilds indexes while it serves), partition and unique
keys never can be, and manual throughput becomes autoscale by `az cosmosdb sql container throughput migrate` only. A
serverless account takes no throughput: `--serverless`.
Exit code 1 when something has drifted and was not fixed. With Entra ID, creating needs a role of the control plane;
the data roles only read, and then Bicep creates.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
from azure.core.exceptions import AzureError
from azure.cosmos import ThroughputProperties
from azure.cosmos.aio import ContainerProxy, CosmosClient, DatabaseProxy
from azure.cosmos.exceptions import CosmosHttpResponseError, CosmosResourceExistsError, CosmosResourceNotFoundError
from azure.cosmos.partition_key import PartitionKey

from generated.containers import CONTAINERS, Container
from handlers.platform.store.cosmos_indexing import definition
from handlers.settings import SettingsError, load_settings

Json = dict[str, Any]


@dataclass(slots=True)
class Report:
    """What was created, what differs (container, what, wanted, found), what of it was fixed."""

    created: list[str] = field(default_factory=list)
    drift: list[tuple[str, str, Any, Any]] = field(default_factory=list)
    fixed: list[str] = field(default_factory=list)

    def lines(self) -> list[str]:
        """For people."""
        said = [f"created {name}" for name in self.created]
        for name, what, wanted, found in self.drift:
            said.append(f"{name}: {what} has drifted\n    wanted {_text(wanted)}\n    found  {_text(found)}")
        said += [f"fixed {name}" for name in self.fixed]
        return said or ["nothing to do"]


async def provision(
    client: CosmosClient,
    database: str,
    containers: Mapping[str, Container],
    *,
    fix: bool = False,
    serverless: bool = False,
) -> Report:
    """Creates what is missing and compares what is there. May run any number of times, and at the same time."""
    report = Report()
    db = await client.create_database_if_not_exists(database)
    for container in containers.values():
        await _provide(db, definition(container), None if serverless else container.throughput, report, fix=fix)
    return report


async def _provide(db: DatabaseProxy, wanted: Json, throughput: int | None, report: Report, *, fix: bool) -> None:
    name = wanted["id"]
    try:
        found = await db.get_container_client(name).read()
    except CosmosResourceNotFoundError:
        await _create(db, wanted, throughput)
        report.created.append(name)
        return
    drifted = list(differences(wanted, found))
    report.drift += [(name, *one) for one in drifted]
    if fix and {what for what, _, _ in drifted} & {"indexing policy", "time to live"}:
        await db.replace_container(
            name,
            PartitionKey(**_key(found)),
            indexing_policy=wanted["indexingPolicy"],
            default_ttl=wanted.get("defaultTtl"),
        )
        report.fixed.append(name)
    if throughput is not None:
        await _compare_throughput(db.get_container_client(name), throughput, report, fix=fix)


async def _compare_throughput(proxy: ContainerProxy, wanted: int, report: Report, *, fix: bool) -> None:
    """The maximum of autoscale. What the container shares with its database or has set by hand is drift too."""
    try:
        found = await proxy.get_throughput()
    except IndexError:  # the SDK, when the container has no throughput of its own
        report.drift.append((proxy.id, "throughput", _autoscale(wanted), "none of its own"))
        return
    most = found.auto_scale_max_throughput
    if most == wanted:
        return
    now = f"manual, {found.offer_throughput} RU/s" if most is None else _autoscale(most)
    report.drift.append((proxy.id, "throughput", _autoscale(wanted), now))
    if fix and most is not None:
        await proxy.replace_throughput(ThroughputProperties(auto_scale_max_throughput=wanted))
        if proxy.id not in report.fixed:
            report.fixed.append(proxy.id)


def _autoscale(most: int) -> str:
    return f"autoscale to {most} RU/s"


async def _create(db: DatabaseProxy, wanted: Json, throughput: int | None) -> None:
    try:
        await db.create_container(
            wanted["id"],
            PartitionKey(**_key(wanted)),
            indexing_policy=wanted["indexingPolicy"],
            default_ttl=wanted.get("defaultTtl"),
            unique_key_policy=wanted.get("uniqueKeyPolicy"),
            offer_throughput=ThroughputProperties(auto_scale_max_throughput=throughput) if throughput else None,
        )
    except CosmosResourceExistsError:
        return  # by another process meanwhile


def differences(wanted: Json, found: Json) -> list[tuple[str, Any, Any]]:
    """What differs, by name. The service adds paths of its own to a policy and writes defaults out."""
    pairs = (
        ("partition key", wanted["partitionKey"]["paths"], found["partitionKey"]["paths"]),
        ("indexing policy", _policy(wanted["indexingPolicy"]), _policy(found["indexingPolicy"])),
        ("time to live", wanted.get("defaultTtl"), found.get("defaultTtl")),
        ("unique keys", _unique(wanted), _unique(found)),
    )
    return [(what, one, other) for what, one, other in pairs if one != other]


def _policy(policy: Json) -> Json:
    composites = [
        [(key["path"], key.get("order", "ascending").lower()) for key in index]
        for index in policy.get("compositeIndexes") or []
    ]
    excluded = {entry["path"] for entry in policy.get("excludedPaths") or []} - {'/"_etag"/?'}
    return {
        "mode": str(policy.get("indexingMode", "consistent")).lower(),
        "included": sorted(entry["path"] for entry in policy.get("includedPaths") or []),
        "excluded": sorted(excluded),
        "composite": sorted(composites),
    }


def _unique(properties: Json) -> list[list[str]]:
    policy = properties.get("uniqueKeyPolicy") or {}
    return sorted(sorted(key["paths"]) for key in policy.get("uniqueKeys") or [])


def _key(properties: Json) -> Json:
    key = properties["partitionKey"]
    paths = key["paths"]
    return {"path": paths[0] if len(paths) == 1 else paths, "kind": key.get("kind", "Hash")}


def _text(value: Any) -> str:
    return orjson.dumps(value).decode()


async def main(*, fix: bool, serverless: bool = False) -> int:
    """Provisions the account of the environment and says what was done."""
    settings = load_settings({"ENV": "local", **os.environ})
    if settings.cosmos_account_uri is None:
        print("COSMOS_ACCOUNT_URI is not set: an account, Microsoft's emulator, or `python -m infra.local.cosmos`")
        return 2
    credential: Any = settings.cosmos_key.get_secret_value() if settings.cosmos_key else _entra()
    try:
        async with CosmosClient(settings.cosmos_account_uri, credential) as client:
            report = await provision(client, settings.cosmos_database, CONTAINERS, fix=fix, serverless=serverless)
    except CosmosHttpResponseError as error:
        print(f"the account refused: {error.status_code} {error.http_error_message}", file=sys.stderr)
        return 1
    except (AzureError, TimeoutError) as error:
        print(f"{settings.cosmos_account_uri} cannot be reached: {_reason(error)}", file=sys.stderr)
        return 1
    finally:
        if not isinstance(credential, str):
            await credential.close()
    print("\n".join(report.lines()))
    return 1 if report.drift and not report.fixed else 0


def _reason(error: BaseException) -> str:
    """The first line, without what the SDK adds of its own."""
    return (str(error).splitlines() or [type(error).__name__])[0][:300]


def _entra() -> Any:
    from azure.identity.aio import DefaultAzureCredential  # noqa: PLC0415 - slow to import, needed without a key only

    return DefaultAzureCredential()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m infra.azure.provision", description=__doc__)
    parser.add_argument(
        "--fix", action="store_true", help="change indexing policies, times to live and maxima of autoscale that differ"
    )
    parser.add_argument("--serverless", action="store_true", help="leave throughput alone: the account has none")
    options = parser.parse_args()
    try:
        sys.exit(asyncio.run(main(fix=options.fix, serverless=options.serverless)))
    except SettingsError as wrong:
        sys.exit(str(wrong))
