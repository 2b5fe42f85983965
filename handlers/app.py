"""The composition root of the HTTP side: settings in, one ASGI application out. `python -m handlers.app` serves it."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, Final

from starlette.types import ASGIApp

from generated.routing import OPERATIONS
from handlers import worker
from handlers.contract.answers import AnswerCheck
from handlers.contract.pages import GENERATED, Pages
from handlers.contract.priorities import priority_requests
from handlers.contract.runtime import Runtime, connexion_app, trusted
from handlers.contract.security import Credentials
from handlers.contract.services import Services
from handlers.local import LocalPages
from handlers.partners.agents import agents
from handlers.partners.identity import IdentityProviders, known_providers
from handlers.parts import FilesUnusable, check_files, event_services, text_of
from handlers.platform.clock import Clock, SystemClock
from handlers.platform.connections import Bounds, Connections
from handlers.platform.csrf import CsrfGuard
from handlers.platform.cursors import Cursors
from handlers.platform.edge import Edge
from handlers.platform.forward import Forwarder
from handlers.platform.idempotency import KeyedRequests
from handlers.platform.keys import Keys, key_pair, shared_secret
from handlers.platform.limits import LimitRule, Limits
from handlers.platform.load import Load
from handlers.platform.logs import LineWriter, configure_logging
from handlers.platform.passwords import Passwords
from handlers.platform.read_your_writes import CatchesUp, ReadYourWrites
from handlers.platform.serving import serve
from handlers.platform.startup import StartupGate
from handlers.platform.store.port import DocumentStore
from handlers.platform.telemetry import Telemetry
from handlers.platform.tokens import Tokens
from handlers.products.catalogue import Catalogue
from handlers.products.counters import Counters
from handlers.settings import Settings, SettingsError, load_settings
from handlers.users.versions import VersionCheck

# The step of the start that fills the catalogue's index; before it nothing but probes is served.
CATALOGUE: Final = "catalogue"
# What the gateway answers itself: its own probes and metrics.
GATEWAY_KEEPS: Final = frozenset({"getLiveness", "getReadiness", "getMetrics"})


def token_keys(settings: Settings) -> Keys:
    """The keys of the access tokens. Raises `SettingsError` when the one that signs is missing."""
    needed = settings.jwt_private_key if settings.jwt_algorithm == "RS256" else settings.jwt_secret
    if needed is None:
        raise SettingsError("JWT_SECRET or, with RS256, JWT_PRIVATE_KEY: needed and not set")
    if settings.jwt_algorithm == "RS256":
        return key_pair(needed.get_secret_value(), text_of(settings.jwt_other_public_keys))
    return shared_secret(needed.get_secret_value(), text_of(settings.jwt_previous_secret))


def build_services(settings: Settings, *, store: DocumentStore | None = None, clock: Clock | None = None) -> Services:
    """Everything handlers work with. Nothing is connected yet but the store."""
    clock = clock or SystemClock()
    common = event_services(settings, store=store, clock=clock)
    limits = Limits(common.cache, scale=settings.rate_limit_scale, space=settings.role)
    limits.expose(common.telemetry)
    lifetime = timedelta(minutes=settings.jwt_access_expiry_minutes)
    return Services(
        settings=settings,
        clock=clock,
        store=common.store,
        cache=common.cache,
        responses=common.responses,
        telemetry=common.telemetry,
        outbox=common.outbox,
        inbox=common.inbox,
        background=common.background,
        dependencies=common.dependencies,
        startup=common.startup,
        mailer=common.mailer,
        call_off=common.call_off,
        payments=common.payments,
        carriers=common.carriers,
        texter=common.texter,
        limits=limits,
        cursors=Cursors(settings.derived_key("cursors")),
        tokens=Tokens(token_keys(settings), lifetime, clock),
        csrf=CsrfGuard(settings.derived_key("csrf"), settings.cors_origins),
        passwords=Passwords(settings.password_hash_cost),
        identity=IdentityProviders(
            known_providers(settings.google_client_id, settings.microsoft_client_id, settings.facebook_client_id), clock
        ),
    )


def create_app(settings: Settings, services: Services, writer: LineWriter) -> Edge:
    """The application of a role: `all` and `crud` handle operations, `gateway` forwards them."""
    writer.expose(services.telemetry)
    document = json.loads((GENERATED / "openapi.json").read_bytes())
    forwarder = (
        Forwarder(*settings.crud_addresses, max_body_bytes=settings.max_body_bytes, stopping=services.stopping)
        if settings.role == "gateway"
        else None
    )
    runtime = Runtime(
        limits=services.limits,
        csrf=services.csrf,
        default_limit=LimitRule(settings.rate_limit_per_minute, settings.rate_limit_burst),
        max_body_bytes=settings.max_body_bytes,
        services=services,
        answers=AnswerCheck(document) if settings.check_answers else None,
        # The gateway has no accounts to compare with; the service behind it compares (decision 61).
        check_version=VersionCheck(services) if settings.role != "gateway" else trusted,
        forward=forwarder,
        kept=GATEWAY_KEEPS,
    )
    app: ASGIApp = connexion_app(
        document, runtime, Credentials(services.tokens, secure=settings.in_production), _lifespan(services, forwarder)
    )
    if settings.role != "gateway":
        app = StartupGate(app, services.startup, CATALOGUE)
        if isinstance(services.store, CatchesUp):
            key = settings.derived_key("session-state")
            app = ReadYourWrites(app, services.store, key, secure=settings.in_production)
    if settings.env == "local":
        app = LocalPages(app, services)
    return Edge(Pages(app), settings, services.telemetry, writer)


def connections_of(settings: Settings, edge: Edge, telemetry: Telemetry) -> Connections:
    """The connections of a process that serves this application."""
    connections = Connections(
        Bounds(per_address=settings.max_connections_per_address, in_all=settings.max_connections),
        trusts=edge.proxies.trusts,
        refusal_headers=edge.refusal_headers,
        load=Load(priority_requests(OPERATIONS)),
    )
    connections.expose(telemetry)
    return connections


def _lifespan(services: Services, forwarder: Forwarder | None) -> Any:
    @asynccontextmanager
    async def lifespan(_: Any) -> AsyncIterator[None]:
        services.limits.start()
        startup = services.startup
        if services.settings.role != "gateway":
            startup.add(CATALOGUE, services.room(Catalogue).start)
        events = worker.event_worker(services) if services.settings.role == "all" else None
        if events is not None:
            startup.add(worker.EVENT_SIDE, events.start)
            services.dependencies.watch(worker.EVENT_SIDE, events.ping)
        try:
            if services.settings.role != "gateway":
                services.room(KeyedRequests).heartbeat.start()
            await startup.begin()
            services.dependencies.start()
            yield
        finally:
            await services.dependencies.stop()
            await startup.stop()
            if events is not None:
                await events.stop()
            await services.room(Counters).flush()
            await services.background.drain()
            await services.room(KeyedRequests).heartbeat.stop()
            await services.limits.stop()
            if forwarder is not None:
                await forwarder.close()
            await services.room(agents).close()
            await services.mailer.close()
            if services.texter is not None:
                await services.texter.close()
            if services.payments is not None:
                await services.payments.close()
            await services.identity.close()
            services.passwords.close()
            await services.responses.close()
            await services.cache.close()
            await services.store.close()

    return lifespan


def main() -> int:
    """Serves the application until it is told to stop. Exit code 2 when settings or files are not fit."""
    try:
        settings = load_settings(os.environ)
    except SettingsError as error:
        print(error, file=sys.stderr)  # noqa: T201 - before there is a log
        return 2
    if settings.role == "worker":
        return worker.serve(settings)
    writer = LineWriter()
    configure_logging(settings.log_level, writer)
    try:
        check_files(settings)
        services = build_services(settings)
        app = create_app(settings, services, writer)
        connections = connections_of(settings, app, services.telemetry)
        serve(app, settings.host, settings.port, services.stopping, connections, drain_seconds=settings.drain_seconds)
    except FilesUnusable as error:
        print(error, file=sys.stderr)  # noqa: T201 - for an operator, in one line
        return 2
    finally:
        writer.close()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
