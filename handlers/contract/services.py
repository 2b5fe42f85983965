"""What handlers work with, put together once per process by the composition roots."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from handlers.contract.parcels import CallOffParcel
from handlers.partners.breaker import PartnerUnavailable
from handlers.partners.carriers import Carriers
from handlers.partners.identity import IdentityProviders
from handlers.partners.mail import Mailer
from handlers.partners.payments import PaymentGateway
from handlers.partners.sms import Texter
from handlers.platform.background import Background
from handlers.platform.bus.port import EventBus
from handlers.platform.cache import Cache
from handlers.platform.clock import Clock
from handlers.platform.csrf import CsrfGuard
from handlers.platform.cursors import Cursors
from handlers.platform.dependencies import Dependencies
from handlers.platform.inbox import Inbox
from handlers.platform.limits import Limits
from handlers.platform.outbox import Outbox
from handlers.platform.passwords import Passwords
from handlers.platform.responses.responses import Responses
from handlers.platform.startup import Startup
from handlers.platform.stopping import Stopping
from handlers.platform.store.port import DocumentStore
from handlers.platform.telemetry import Telemetry
from handlers.platform.tokens import Tokens
from handlers.settings import Settings

R = TypeVar("R")


@dataclass(kw_only=True, slots=True)
class EventServices:
    """What every process that handles something has: requests or events. Handlers of events receive these.

    `bus` is there while this process relays and consumes (roles `all` and `worker`); `payments`, `carriers` and
    `texter` where a payment provider, carriers and a provider of text messages are set up. `call_off`: the room
    `shipments` for rooms below it.
    """

    settings: Settings
    clock: Clock
    store: DocumentStore
    cache: Cache
    responses: Responses
    telemetry: Telemetry
    outbox: Outbox
    inbox: Inbox
    background: Background
    dependencies: Dependencies
    startup: Startup
    mailer: Mailer
    call_off: CallOffParcel
    bus: EventBus | None = None
    payments: PaymentGateway | None = None
    carriers: Carriers | None = None
    texter: Texter | None = None
    stopping: Stopping = field(default_factory=Stopping)
    _rooms: dict[Callable[[Any], Any], Any] = field(default_factory=dict, init=False, repr=False)

    @property
    def gateway(self) -> PaymentGateway:
        """The payment provider. Raises `PartnerUnavailable` where none is set up."""
        if self.payments is None:
            raise PartnerUnavailable("Payments are not set up")
        return self.payments

    def room(self, kind: Callable[[Any], R]) -> R:
        """What a room keeps in memory in this process, such as the category tree; made at first use."""
        found = self._rooms.get(kind)
        if found is None:
            found = self._rooms[kind] = kind(self)
        room: R = found
        return room


@dataclass(kw_only=True, slots=True)
class Services(EventServices):
    """The services of a process that answers requests, through `Call.services`; nothing is global."""

    limits: Limits
    cursors: Cursors
    tokens: Tokens
    csrf: CsrfGuard
    passwords: Passwords
    identity: IdentityProviders
