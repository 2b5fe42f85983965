"""What both composition roots open: the document store, the event bus, the mailer."""

from __future__ import annotations

import logging
from typing import Final

from pydantic import SecretStr

from generated.containers import CONTAINERS
from generated.events import TOPICS
from handlers.contract.services import EventServices
from handlers.partners.carriers import BuiltInCarriers, Carriers
from handlers.partners.mail import Mailer, OutboxMailer, SendGridMailer
from handlers.partners.payments import PaymentGateway
from handlers.partners.sms import OutboxTexter, Texter, TwilioTexter
from handlers.platform.background import Background
from handlers.platform.bus.port import BusUnavailable, EventBus
from handlers.platform.bus.sqlite import SqliteBus
from handlers.platform.cache import Cache
from handlers.platform.clock import Clock, SystemClock
from handlers.platform.dependencies import Dependencies
from handlers.platform.events import EventContract
from handlers.platform.inbox import Inbox
from handlers.platform.outbox import Outbox
from handlers.platform.redis_identity import RedisIdentity
from handlers.platform.responses.responses import Responses
from handlers.platform.startup import Startup
from handlers.platform.store.absent import AbsentStore
from handlers.platform.store.port import DocumentStore, StoreUnavailable
from handlers.platform.store.sqlite import SqliteStore
from handlers.platform.telemetry import Telemetry
from handlers.settings import Settings
from handlers.shipments.call_off_parcel import call_off_parcel

_DOCUMENTS: Final = "documents.sqlite3"
_EVENTS: Final = "events.sqlite3"

log = logging.getLogger(__name__)


def open_store(settings: Settings) -> DocumentStore:
    """Cosmos DB where there is an account, else SQLite; none in the gateway. Cosmos's library is loaded only then."""
    if settings.role == "gateway":
        return AbsentStore()
    if settings.cosmos_account_uri is not None:
        from handlers.platform.store.cosmos import CosmosStore  # noqa: PLC0415 - loaded only then

        return CosmosStore.open(
            settings.cosmos_account_uri,
            settings.cosmos_database,
            CONTAINERS,
            key=text_of(settings.cosmos_key),
            preferred_locations=settings.cosmos_preferred_locations,
        )
    return SqliteStore.open(settings.data_dir / _DOCUMENTS, CONTAINERS)


class FilesUnusable(Exception):
    """The files of the embedded parts cannot be used. The text is for an operator."""


def check_files(settings: Settings) -> None:
    """Opens what is embedded and closes it again, so that an unusable file is known before anything starts.

    Raises `FilesUnusable`. Says in the log when production runs on such files (decision 79).
    """
    parts = settings.embedded_parts
    try:
        if "documents" in parts:
            SqliteStore.prepare(settings.data_dir / _DOCUMENTS, CONTAINERS)
        if "events" in parts:
            SqliteBus.prepare(settings.data_dir / _EVENTS, TOPICS)
    except (StoreUnavailable, BusUnavailable) as error:
        raise FilesUnusable(f"DATA_DIR: {settings.data_dir}: {error}") from error
    if parts and settings.in_production:
        log.warning("production on one machine: parts are embedded", extra={"parts": parts})


def open_bus(settings: Settings, store: DocumentStore, clock: Clock) -> EventBus:
    """Event Hubs where there is a namespace or a connection string, else SQLite. Its library is loaded only then.

    `store`: where Event Hubs' owners and checkpoints are kept.
    """
    connection_string = text_of(settings.event_hub_connection_string)
    if connection_string is not None or settings.event_hub_namespace is not None:
        from handlers.platform.bus.eventhubs import EventHubsBus  # noqa: PLC0415 - loaded only then
        from handlers.platform.bus.eventhubs_clients import Namespace  # noqa: PLC0415 - loaded only then

        return EventHubsBus(Namespace(settings.event_hub_namespace, connection_string), store)
    return SqliteBus.open(settings.data_dir / _EVENTS, TOPICS, clock=clock)


def open_mailer(settings: Settings) -> Mailer:
    """SendGrid where there is a key, else files under DATA_DIR/outbox."""
    if settings.sendgrid_api_key is not None:
        return SendGridMailer(settings.sendgrid_api_key.get_secret_value(), settings.from_email)
    return OutboxMailer(settings.data_dir, settings.from_email)


def open_payments(settings: Settings) -> PaymentGateway | None:
    """Stripe where there is a key, but not in the gateway. Its library is loaded then, and only then."""
    if settings.stripe_secret_key is None or settings.role == "gateway":
        return None
    from handlers.partners.stripe import StripeGateway  # noqa: PLC0415 - loaded only then

    return StripeGateway(
        settings.stripe_secret_key.get_secret_value(),
        return_url=f"{settings.public_url.rstrip('/')}/checkout/return",
        base=settings.stripe_api_base,
    )


def open_texter(settings: Settings) -> Texter | None:
    """Twilio where there is an account; else files under DATA_DIR/outbox, but nothing in production."""
    token = text_of(settings.sms_auth_token)
    if settings.sms_account_id is not None and token is not None and settings.sms_from is not None:
        return TwilioTexter(settings.sms_account_id, token, settings.sms_from)
    return None if settings.in_production else OutboxTexter(settings.data_dir)


def open_carriers(settings: Settings, clock: Clock) -> Carriers | None:
    """The built-in carriers, which are made up: nothing in production, where staff say what became of a parcel."""
    return None if settings.in_production else BuiltInCarriers(clock)


def open_redis_identity(settings: Settings) -> RedisIdentity | None:
    """The login to Redis with Entra ID, where that is asked for; else None. Its library is loaded only then."""
    if settings.redis_address is None or not settings.redis_entra_id:
        return None
    from azure.identity.aio import DefaultAzureCredential  # noqa: PLC0415 - loaded only then

    return RedisIdentity(DefaultAzureCredential(), settings.redis_username)


def text_of(secret: SecretStr | None) -> str | None:
    """A secret's text, or None."""
    return secret.get_secret_value() if secret is not None else None


def event_services(
    settings: Settings, *, store: DocumentStore | None = None, clock: Clock | None = None
) -> EventServices:
    """What handling events needs. Nothing is connected yet but the store."""
    clock = clock or SystemClock()
    telemetry = Telemetry()
    cache = Cache(
        settings.redis_address,
        username=settings.redis_username,
        password=text_of(settings.redis_password),
        cluster=settings.redis_cluster,
        identity=open_redis_identity(settings),
    )
    cache.expose(telemetry)
    background = Background()
    dependencies = Dependencies(telemetry)
    responses = Responses(cache, background, clock)
    responses.expose(telemetry)
    opened = store or open_store(settings)
    if settings.redis_address is not None:
        dependencies.watch("cache", cache.ping)
    if settings.role != "gateway":
        dependencies.watch("documents", opened.ping)
    return EventServices(
        settings=settings,
        clock=clock,
        store=opened,
        cache=cache,
        responses=responses,
        telemetry=telemetry,
        outbox=Outbox(clock=clock, validate=EventContract.load().check),
        inbox=Inbox(opened, clock=clock),
        background=background,
        dependencies=dependencies,
        startup=Startup(),
        mailer=open_mailer(settings),
        call_off=call_off_parcel,
        payments=open_payments(settings),
        carriers=open_carriers(settings, clock),
        texter=open_texter(settings),
    )
