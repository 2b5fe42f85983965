"""What handlers work with, put together once per process by the composition roots."""

from __future__ import annotations

from dataclasses import dataclass

from handlers.partners.mail import Mailer
from handlers.platform.background import Background
from handlers.platform.cache import Cache
from handlers.platform.clock import Clock
from handlers.platform.csrf import CsrfGuard
from handlers.platform.cursors import Cursors
from handlers.platform.limits import Limits
from handlers.platform.outbox import Outbox
from handlers.platform.passwords import Passwords
from handlers.platform.store.port import DocumentStore
from handlers.platform.telemetry import Telemetry
from handlers.platform.tokens import Tokens
from handlers.settings import Settings


@dataclass(slots=True)
class Services:
    """The services of a process. Handlers receive them through `Call.services`; nothing is global."""

    settings: Settings
    clock: Clock
    store: DocumentStore
    cache: Cache
    limits: Limits
    cursors: Cursors
    tokens: Tokens
    csrf: CsrfGuard
    telemetry: Telemetry
    outbox: Outbox
    background: Background
    passwords: Passwords
    mailer: Mailer
