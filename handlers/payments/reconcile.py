"""What hangs between us and Stripe is asked for again: a lost webhook, a process that was killed on its way.

Every payment that is still open is asked about, also one that seems to wait for the customer: paid in the browser, it
only waits for a webhook that was lost. A turn asks about so many and the next one goes on behind them, so that those
which hang for days do not hold up the others.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Final

from handlers.contract.services import EventServices
from handlers.partners.breaker import PartnerUnavailable
from handlers.partners.payments import PaymentRefused
from handlers.payments import process, refunds, store
from handlers.payments.rules import Cause
from handlers.platform.clock import timestamp
from handlers.platform.errors import Problem
from handlers.platform.store.port import Scalar, StoreError

log = logging.getLogger(__name__)

# Younger ones are under way: a request takes no longer.
AGE: Final = timedelta(seconds=60)
LIMIT: Final = 100


# Payments that are open, and refunds that are under way.
OPEN: Final = ("processing", "requires_action", "created", "requested", "pending")


class Rounds:
    """How far this process has come, by status, and what failed. `services.room(Rounds)` is the one."""

    def __init__(self, services: EventServices) -> None:
        self.after: dict[str, tuple[Scalar, ...] | None] = {}
        self.failed = 0
        services.telemetry.watch(
            "reconciliations_failed",
            "Payments and refunds that could not be reconciled: see the log.",
            lambda: self.failed,
        )


async def reconcile(services: EventServices, job: str) -> int:
    """Asks about what has waited for a minute, and writes what is new; answers how much that was.

    `job`: the id of this run, which the events carry. One that fails does not hold up the others.
    """
    before, rounds = timestamp(services.clock.now() - AGE), services.room(Rounds)
    done = 0
    for status in OPEN:
        found, rounds.after[status] = await store.waiting(
            services.store, status, before, LIMIT, after=rounds.after.get(status)
        )
        for each in found:
            done += await _settled(services, each, rounds, job)
    return done


async def _settled(services: EventServices, document: store.Json, rounds: Rounds, job: str) -> bool:
    """Settles one. Whatever is wrong with it is its own affair, also a defect of ours: the others have their turn."""
    seen = {"order_id": document.get("order_id"), "status": document.get("status")}
    try:
        await _settle(services, document, Cause(document["correlation_id"], job))
    except (PartnerUnavailable, PaymentRefused, Problem, StoreError) as error:
        log.warning("payment not reconciled", extra={**seen, "reason": type(error).__name__})
    except Exception as error:
        # The type alone: texts may hold what logs must not.
        log.error("a payment cannot be reconciled", extra={**seen, "reason": type(error).__name__})  # noqa: TRY400 - see above
    else:
        return True
    rounds.failed += 1
    return False


async def _settle(services: EventServices, document: store.Json, cause: Cause) -> None:
    if document["type"] == "payment":
        await process.refresh(services, document, cause)
    elif document["status"] == "requested":
        await refunds.resume(services, document, cause)
    else:
        payment = await store.payment_of(services.store, document["order_id"])
        if payment is not None:
            await refunds.sync(services, payment, cause)
