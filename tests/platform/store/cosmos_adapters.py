"""The Cosmos adapter on the stand-in, with one and with several physical partitions, and on an account if one is set.

That account is what COSMOS_ACCOUNT_URI and COSMOS_KEY say (without the key, Entra ID). Each test has a database of its
own there, made and dropped by the test.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import secrets
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from threading import Thread
from typing import Any, Final

from azure.cosmos.aio import CosmosClient

from generated.containers import Container
from handlers.platform.clock import Clock
from handlers.platform.store.cosmos import CosmosStore
from handlers.platform.store.cosmos_connection import Account
from handlers.platform.store.cosmos_indexing import definition
from handlers.platform.store.port import DocumentStore
from infra.azure.provision import provision
from infra.local.cosmos.auth import WELL_KNOWN_KEY
from infra.local.cosmos.server import Server
from infra.local.cosmos.transport import InProcessTransport

DATABASE: Final = "tests"
_numbers = itertools.count(1)

Opener = Callable[[Path, Mapping[str, Container], Clock], DocumentStore]


def cosmos_adapters() -> dict[str, Opener]:
    """By name; the real account only when there is one."""
    adapters: dict[str, Opener] = {f"cosmos-{count}": partial(_on_stand_in, count) for count in (1, 4)}
    if os.environ.get("COSMOS_ACCOUNT_URI"):
        adapters["cosmos-account"] = _on_account
    return adapters


def stand_in(containers: Mapping[str, Container], clock: Clock, *, partitions: int = 1) -> Server:
    """A server with the containers. The SDK keeps ranges by address for the whole process: each has its own."""
    url = f"http://stand-in-{next(_numbers)}.test"
    server = Server(url, lambda: clock.now().timestamp(), partitions=partitions)
    server.provide(DATABASE, [definition(container) for container in containers.values()])
    return server


def store_on(server: Server, containers: Mapping[str, Container], **options: Any) -> CosmosStore:
    """A store on a server in this process."""
    account = Account(server.url, DATABASE, WELL_KNOWN_KEY)
    return CosmosStore(account, containers, transport=InProcessTransport(server), **options)


def _on_stand_in(partitions: int, _: Path, containers: Mapping[str, Container], clock: Clock) -> DocumentStore:
    return store_on(stand_in(containers, clock, partitions=partitions), containers)


class AccountStore(CosmosStore):
    """A store in a database of its own, which goes with it."""

    def __init__(self, account: Account, containers: Mapping[str, Container]) -> None:
        super().__init__(account, containers)
        self._account: Account | None = account

    async def close(self) -> None:
        """Drops the database too."""
        await super().close()
        account, self._account = self._account, None
        if account is not None:
            async with CosmosClient(account.uri, credential_of(account)) as client:
                await client.delete_database(account.database)


def _on_account(_: Path, containers: Mapping[str, Container], __: Clock) -> DocumentStore:
    uri, key = os.environ["COSMOS_ACCOUNT_URI"], os.environ.get("COSMOS_KEY")
    account = Account(uri, f"hph-test-{secrets.token_hex(4)}", key)
    # Fixtures open stores with and without a running loop, so this takes one of its own.
    thread = Thread(target=lambda: asyncio.run(_provision(account, containers)))
    thread.start()
    thread.join()
    return AccountStore(account, containers)


async def _provision(account: Account, containers: Mapping[str, Container]) -> None:
    async with CosmosClient(account.uri, credential_of(account)) as client:
        await provision(client, account.database, containers)


def credential_of(account: Account) -> Any:
    """The key, or whatever this machine is logged in with."""
    if account.key is not None:
        return account.key
    from azure.identity.aio import DefaultAzureCredential  # noqa: PLC0415 - slow to import, seldom needed

    return DefaultAzureCredential()
