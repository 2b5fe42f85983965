"""Clients of Azure Event Hubs: how a namespace is reached, and what all of them have in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from azure.eventhub.aio import EventHubConsumerClient, EventHubProducerClient

DOMAIN: Final = ".servicebus.windows.net"
# Few and short attempts of the SDK's own: the relay and the readers come again by themselves, and know of it.
RETRIES: Final[dict[str, Any]] = {"retry_total": 2, "retry_backoff_factor": 0.1, "retry_backoff_max": 2}
_REJOIN: Final = 10.0  # seconds; the SDK's own second look at a partition that broke, which comes after ours


@dataclass(frozen=True, slots=True)
class Namespace:
    """Where the hubs are. With a connection string (an emulator's too), else by Entra ID at `name` or `name`.DOMAIN."""

    name: str | None = None
    connection_string: str | None = None

    @property
    def host(self) -> str:
        """The host that a name stands for."""
        name = self.name or ""
        return name if "." in name else name + DOMAIN


class Clients:
    """Makes clients. Entra ID: the identity of this machine or of its user, one credential for all."""

    def __init__(self, namespace: Namespace) -> None:
        self._namespace = namespace
        self._credential: Any = None

    def producer(self, topic: str) -> EventHubProducerClient:
        """For one hub. Nothing is connected yet."""
        text = self._namespace.connection_string
        if text is not None:
            return EventHubProducerClient.from_connection_string(text, eventhub_name=topic, **RETRIES)
        return EventHubProducerClient(self._namespace.host, topic, self._entra(), **RETRIES)

    def consumer(self, topic: str, group: str) -> EventHubConsumerClient:
        """For one hub and consumer group. Nothing is connected yet."""
        text, options = self._namespace.connection_string, {**RETRIES, "load_balancing_interval": _REJOIN}
        if text is not None:
            return EventHubConsumerClient.from_connection_string(text, group, eventhub_name=topic, **options)
        return EventHubConsumerClient(self._namespace.host, topic, group, self._entra(), **options)

    async def close(self) -> None:
        """Closes the credential. May be called twice."""
        credential, self._credential = self._credential, None
        if credential is not None:
            await credential.close()

    def _entra(self) -> Any:
        if self._credential is None:
            from azure.identity.aio import DefaultAzureCredential  # noqa: PLC0415 - slow to load, and not always needed

            self._credential = DefaultAzureCredential()
        return self._credential
