"""The event side of a process: the relay, the consumers of this process, and what is known of how they get on."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Any, Protocol

from generated.events import EVENTS, GroupSpec
from handlers.contract.services import EventServices
from handlers.platform.audit import AuditLog
from handlers.platform.bus.port import BusUnavailable, Consumption, EventBus, Subscription
from handlers.platform.consumer import Consumer, Handler
from handlers.platform.dead_letters import DeadLetters
from handlers.platform.events import Event, EventContract
from handlers.platform.publisher import AUDIT
from handlers.platform.relay import Relay

RoomHandler = Callable[[Event[Any], Any], Awaitable[None]]
# By group and event; a group that is not in it is not read by this process.
Handlers = Mapping[str, Mapping[str, RoomHandler]]


class Job(Protocol):
    """Work that a process with an event side does beside it, again and again."""

    def start(self) -> None:
        """Begins."""
        ...

    async def stop(self) -> None:
        """Ends."""
        ...


class EventWorker:
    """Relays and consumes while it runs. `open_bus` is called at the start, and its bus closed at the end."""

    def __init__(
        self,
        services: EventServices,
        handlers: Handlers,
        open_bus: Callable[[], EventBus],
        *,
        contract: EventContract | None = None,
        jobs: Sequence[Job] = (),
    ) -> None:
        self._services = services
        self._jobs = jobs
        self._open_bus = open_bus
        self._contract = contract or EventContract.load()
        self._letters = DeadLetters(services.store, services.clock)
        self._consumers = [self._consumer(group, own) for group, own in handlers.items() if own]
        self._relay: Relay | None = None
        self._consumption: Consumption | None = None

    async def start(self) -> None:
        """Opens the bus and begins. Raises `BusUnavailable` when that is not possible; may be called again then."""
        try:
            await self._begin(self._open_bus())
        except BaseException:
            await self.stop()
            raise

    async def _begin(self, bus: EventBus) -> None:
        services = self._services
        services.bus = bus
        self._relay = Relay(services.store, bus, self._letters, sinks={AUDIT: AuditLog(services.store)})
        self._consumption = await bus.consume([self._subscription(consumer) for consumer in self._consumers])
        await self._relay.start()
        for job in self._jobs:
            job.start()
        self._expose(self._relay)

    async def stop(self) -> None:
        """Finishes what is under way, saves, hands leases back, closes the bus. What is not handled yet stays there."""
        for job in self._jobs:
            await job.stop()
        if self._consumption is not None:
            await self._consumption.stop()
            self._consumption = None
        if self._relay is not None:
            await self._relay.stop()
            self._relay = None
        if self._services.bus is not None:
            await self._services.bus.close()
            self._services.bus = None

    def runs(self) -> bool:
        """Whether events are being relayed and consumed. For readiness."""
        return self._relay is not None and self._relay.running()

    async def ping(self) -> None:
        """Raises `BusError` when the bus does not answer, or is not open yet. For health."""
        if self._services.bus is None:
            raise BusUnavailable("the bus is not open")
        await self._services.bus.ping()

    def behind(self, group: str) -> int:
        """How many events are still to come in the partitions that this process reads for the group."""
        if self._consumption is None:
            return 0
        return sum(progress.behind for progress in self._consumption.progress() if progress.group == group)

    def _consumer(self, group: str, own: Mapping[str, RoomHandler]) -> Consumer:
        handlers: dict[str, Handler] = {name: partial(_call, handler, self._services) for name, handler in own.items()}
        return Consumer(group, handlers, self._contract, self._letters)

    def _subscription(self, consumer: Consumer) -> Subscription:
        return consumer.subscription(tuple(sorted({self._contract.events[name].topic for name in consumer.events})))

    def _expose(self, relay: Relay) -> None:
        watch, publisher = self._services.telemetry.watch, relay.publisher
        watch("events_published", "Outbox rows published.", lambda: publisher.published)
        watch("events_parked", "Events too large to publish: look into the dead letters.", lambda: publisher.parked)
        watch("outbox_delay_seconds", "Time to publishing, the last event.", lambda: publisher.delay, kind="gauge")
        watch("outbox_age_seconds", "Age of the oldest event that waits.", lambda: publisher.age, kind="gauge")
        watch("inbox_duplicates", "Events that came again.", lambda: self._services.inbox.duplicates)
        for consumer in self._consumers:
            self._expose_group(consumer)

    def _expose_group(self, consumer: Consumer) -> None:
        watch, counts, group = self._services.telemetry.watch, consumer.counts, consumer.group
        watch("events_handled", "Events handled.", lambda: counts.handled, group=group)
        watch("events_failed", "Attempts that failed.", lambda: counts.failed, group=group)
        watch("events_waited", "Attempts that found something away.", lambda: counts.waited, group=group)
        watch("events_dead", "Events given up.", lambda: counts.buried, group=group)
        watch("events_behind", "Events still to come.", lambda: self.behind(group), kind="gauge", group=group)
        watch("events_age_seconds", "Age of the event handled last.", lambda: counts.age, kind="gauge", group=group)


async def _call(handler: RoomHandler, services: EventServices, event: Event[Any]) -> None:
    await handler(event, services)


def due(group: str, spec: GroupSpec, built_in_agents: tuple[str, ...]) -> bool:
    """Whether this backend reads for a group: its own ones, and those of agents that it plays."""
    return spec.room is not None and (spec.agent is None or group in built_in_agents)


def built(event: str) -> bool:
    """Whether an event must have its handlers (decision 52)."""
    return EVENTS[event].built
