"""The composition root of the event side: finds who handles what, by name, and runs it.

`python -m handlers.worker` is the role `worker`; in the role `all` the API's process runs the same inside its lifespan.
`python -m handlers.worker dead-letters list|replay` looks after what could not be handled,
`python -m handlers.worker migrate list|run` brings documents into a newer shape.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import re
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, Final

from starlette.applications import Starlette

from generated.events import EVENTS, GROUPS
from handlers.contract.eventing import EventWorker, Job, RoomHandler, built, due
from handlers.contract.probes import Probes
from handlers.contract.services import EventServices
from handlers.dead_letters_command import run as run_dead_letters
from handlers.migrate_command import run as run_migrations
from handlers.orders.watchdog import Watchdog
from handlers.parts import FilesUnusable, check_files, event_services, open_bus
from handlers.payments.check_overdue import check_overdue
from handlers.payments.reconcile import reconcile
from handlers.platform.jobs import LeasedJob
from handlers.platform.logs import LineWriter, configure_logging
from handlers.platform.serving import serve as serve_app
from handlers.settings import Settings, SettingsError, load_settings
from handlers.shipments.tracking import ask_all
from handlers.users.erase_again import EVERY_SECONDS, erase_again

# The step of the start that begins to relay and consume.
EVENT_SIDE: Final = "events"
RECONCILE_SECONDS: Final = 60.0
TRACKING_SECONDS: Final = 900.0
# The rooms of the order process; its events are partitioned by the order.
ORDER_ROOMS: Final = frozenset({"orders", "inventory", "payments", "shipments"})
ORDER_KEY: Final = "/data/order_id"
_WORDS: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


class HandlerMissing(Exception):
    """An event whose `x-status` says that it is handled has no handler in a room that reads it."""


def handler_name(event_type: str) -> str:
    """`OrderCreated` → `on_order_created`; `ETAUpdated` → `on_eta_updated`."""
    return "on_" + _WORDS.sub("_", event_type).lower()


def find_handlers(built_in_agents: tuple[str, ...]) -> dict[str, dict[str, RoomHandler]]:
    """The handlers of every group that this backend reads for, by event: `handlers/<room>/events.py:on_<event_name>`.

    An event that is still planned is handled where a handler is there already. Raises `HandlerMissing`.
    """
    found: dict[str, dict[str, RoomHandler]] = {}
    for group, spec in GROUPS.items():
        if spec.room is None or not due(group, spec, built_in_agents):
            continue
        module = events_of(spec.room)
        own = {event: getattr(module, handler_name(event), None) for event in spec.events}
        missing = [event for event, handler in own.items() if handler is None and built(event)]
        if missing:
            raise HandlerMissing(f"handlers/{spec.room}/events.py: {', '.join(map(handler_name, missing))}")
        found[group] = {event: handler for event, handler in own.items() if handler is not None}
    return found


def events_of(room: str) -> Any:
    """The room's `events` module, None while there is none."""
    name = f"handlers.{room}"
    if importlib.util.find_spec(name) is None or importlib.util.find_spec(f"{name}.events") is None:
        return None
    return importlib.import_module(f"{name}.events")


def groups_of_orders(handlers: Mapping[str, Mapping[str, RoomHandler]]) -> dict[str, tuple[str, ...]]:
    """The groups that move an order on, with the topics on which they hear of orders."""
    found = {
        group: {EVENTS[event].topic for event in own if EVENTS[event].partition_key == ORDER_KEY}
        for group, own in handlers.items()
        if GROUPS[group].room in ORDER_ROOMS
    }
    return {group: tuple(sorted(topics)) for group, topics in found.items() if topics}


def event_worker(services: EventServices) -> EventWorker:
    """The event side of a process with these services."""
    settings = services.settings
    handlers = find_handlers(settings.built_in_agents)
    opening = partial(open_bus, settings, services.store, services.clock)
    return EventWorker(services, handlers, opening, jobs=jobs_of(services, handlers))


def jobs_of(services: EventServices, handlers: Mapping[str, Mapping[str, RoomHandler]]) -> list[Job]:
    """What a process with an event side does beside the events. Nothing is asked of a partner that is not set up."""
    jobs: list[Job] = [
        Watchdog(services, groups_of_orders(handlers), check_payment=check_overdue),
        LeasedJob(services.store, "erasures", partial(erase_again, services), every=EVERY_SECONDS),
    ]
    if services.payments is not None:
        jobs.append(LeasedJob(services.store, "payments", partial(reconcile, services), every=RECONCILE_SECONDS))
    if services.carriers is not None:
        jobs.append(LeasedJob(services.store, "carriers", partial(ask_all, services), every=TRACKING_SECONDS))
    return jobs


def create_worker(services: EventServices, writer: LineWriter) -> Probes:
    """The application of the role `worker`: works while it runs, and answers probes."""
    writer.expose(services.telemetry)
    worker = event_worker(services)
    services.startup.add(EVENT_SIDE, worker.start)
    services.dependencies.watch(EVENT_SIDE, worker.ping)

    @asynccontextmanager
    async def lifespan(_: Any) -> AsyncIterator[None]:
        try:
            await services.startup.begin()
            services.dependencies.start()
            yield
        finally:
            await services.dependencies.stop()
            await services.startup.stop()
            await worker.stop()
            await services.background.drain()
            await services.mailer.close()
            if services.texter is not None:
                await services.texter.close()
            if services.payments is not None:
                await services.payments.close()
            await services.responses.close()
            await services.cache.close()
            await services.store.close()

    checks = {EVENT_SIDE: worker.runs, "serving": lambda: not services.stopping.begun}
    return Probes(Starlette(lifespan=lifespan), services, checks)


def serve(settings: Settings) -> int:
    """Works until it is told to stop. Answers the exit code: 2 when files are not fit."""
    writer = LineWriter()
    configure_logging(settings.log_level, writer)
    try:
        check_files(settings)
        services = event_services(settings)
        serve_app(create_worker(services, writer), settings.host, settings.port, services.stopping)
    except FilesUnusable as error:
        print(error, file=sys.stderr)  # noqa: T201 - for an operator, in one line
        return 2
    finally:
        writer.close()
    return 0


def main(arguments: list[str]) -> int:
    """The command line. Exit code 2 when the settings are not fit."""
    try:
        settings = load_settings({**os.environ, "ROLE": "worker"})
    except SettingsError as error:
        print(error, file=sys.stderr)  # noqa: T201 - before there is a log
        return 2
    if arguments[:1] == ["dead-letters"]:
        return run_dead_letters(settings, arguments[1:])
    if arguments[:1] == ["migrate"]:
        return run_migrations(settings, arguments[1:])
    return serve(settings)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
