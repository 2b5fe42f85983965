"""The SDK's client and its containers, opened at the first call and closed once."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from azure.cosmos.aio import CosmosClient
from azure.cosmos.documents import ConnectionPolicy
from azure.cosmos.exceptions import CosmosHttpResponseError
from azure.cosmos.http_constants import HttpHeaders

from handlers.platform.store.cosmos_layout import PartitionValue
from handlers.platform.store.cosmos_retry import ERRORS, OWNER_MISSING, unavailable
from handlers.platform.store.cosmos_transport import CountingTransport, TunedTransport
from handlers.platform.store.port import StoreUnavailable

NOBODY: Final = "nobody"
_PATH: Final = HttpHeaders.AlternateContentPath


@dataclass(frozen=True, slots=True)
class Account:
    """Where the documents are. Without `key`: Entra ID, with the identity of this machine or of its user."""

    uri: str
    database: str
    key: str | None = None
    preferred_locations: tuple[str, ...] = ()


class Connection:
    """One client. `transport`: another one than the network, for tests."""

    def __init__(self, account: Account, transport: Any = None) -> None:
        self._account = account
        self._transport = transport
        self._client: CosmosClient | None = None
        self._credential: Any = None
        self._proxies: dict[str, Any] = {}
        self._later: dict[str, str] = {}
        self._opening = asyncio.Lock()
        self._closed = False

    def ready(self, container: str) -> Any | None:
        """The container if it is open."""
        return self._proxies.get(container)

    async def open(self, container: str, partition: PartitionValue) -> Any:
        """The container; `partition` is any value of its key. Raises `StoreUnavailable`."""
        async with self._opening:
            if self._closed:
                raise StoreUnavailable("the document store is closed")
            if container not in self._proxies:
                try:
                    client = self._client or await self._connect()
                    proxy = client.get_database_client(self._account.database).get_container_client(container)
                    await _warm(proxy, partition)
                except ERRORS as error:
                    raise unavailable(error, container) from error
                self._proxies[container] = proxy
                if (tokens := self._later.pop(container, None)) is not None:
                    self.catch_up(container, tokens)
            return self._proxies[container]

    def heard(self, headers: Mapping[str, Any]) -> None:
        """Takes the session token of an answer. The SDK forgets to do so after a batch, and reads would miss it."""
        connection: Any = self._client.client_connection if self._client is not None else None
        if connection is not None and connection.session is not None:
            connection.session.update_session(connection, {}, headers)

    def catch_up(self, container: str, tokens: str) -> None:
        """Takes session tokens that another process was given, `range:version#lsn` joined by commas."""
        if container not in self._proxies:
            self._later[container] = tokens  # the SDK files them under an id that it learns at the first read
            return
        path = f"dbs/{self._account.database}/colls/{container}"
        for token in tokens.split(","):
            range_id = token.partition(":")[0]
            self.heard({_PATH: path, HttpHeaders.SessionToken: token, HttpHeaders.PartitionKeyRangeID: range_id})

    async def close(self) -> None:
        """Closes the client. May be called twice."""
        self._closed = True
        self._proxies.clear()
        client, self._client = self._client, None
        if client is not None:
            await client.close()
        credential, self._credential = self._credential, None
        if credential is not None:
            await credential.close()

    async def _connect(self) -> CosmosClient:
        """Without `async with`, or what it calls, the SDK keeps no session and reads may miss own writes."""
        client = CosmosClient(
            self._account.uri,
            self._account.key or self._entra(),
            consistency_level="Session",
            connection_policy=_policy(),
            preferred_locations=[*self._account.preferred_locations],
            # Else every letter that is not ASCII takes six bytes, of a limit that counts two or three.
            enable_compact_utf8_item_writes=True,
            retry_total=0,
            retry_connect=0,
            retry_read=0,
            transport=CountingTransport(self._transport or TunedTransport()),
        )
        try:
            await client.__aenter__()
        except BaseException:
            with suppress(*ERRORS):
                await client.close()
            raise
        self._client = client
        return client

    def _entra(self) -> Any:
        if self._credential is None:
            from azure.identity.aio import DefaultAzureCredential  # noqa: PLC0415 - slow to import, often not needed

            self._credential = DefaultAzureCredential()
        return self._credential


def _policy() -> ConnectionPolicy:
    """Trying again after 429 is ours (`cosmos_retry`); the argument for it takes no 0."""
    policy = ConnectionPolicy()
    policy.RetryOptions._max_retry_attempt_count = 0
    return policy


async def _warm(proxy: Any, partition: PartitionValue) -> None:
    """Reads nothing, once.

    The SDK learns the container's id for its session tokens at reads only; a write before the first read files its
    token under no id, together with those of other containers, and later reads are refused as ahead of their replica.
    """
    try:
        await proxy.read_item(NOBODY, partition)
    except CosmosHttpResponseError as error:
        if error.status_code != 404 or error.sub_status == OWNER_MISSING:
            raise
