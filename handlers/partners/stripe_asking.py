"""How Stripe is asked: what is tried again, under which key, and what an answer that does not come means.

not reached, 429     nothing was done: tried once more, then `PartnerUnavailable`
breaker open         nothing was sent: `PartnerNotAsked` at once
lost, 409 in use     the same request with the same key, which does nothing twice; then `AnswerLost`
500                  the key is spent (Stripe reference, Idempotent requests): the next key, once it is sure that
                     the request had no effect
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

import stripe

from handlers.partners.breaker import Breaker, PartnerNotAsked, PartnerUnavailable
from handlers.partners.payments import AnswerLost, Decline, Intent, PaymentRefused
from handlers.partners.stripe_reading import declined_intent, refused
from handlers.partners.stripe_transport import Lost, NotReached

T = TypeVar("T")

log = logging.getLogger(__name__)

KEYS: Final = 3  # keys tried, when Stripe answers 500 to one after the other


class KeySpent(AnswerLost):
    """Stripe answered 500: the key repeats that for a day, and the request is over, one way or the other."""


class CardDeclined(PaymentRefused):
    """An attempt to pay an intent failed."""

    def __init__(self, refusal: PaymentRefused, intent: Intent) -> None:
        super().__init__(refusal.reason, refusal.code, refusal.message, refusal.attempt)
        self.intent = intent
        self.decline = Decline(refusal.code, refusal.message, refusal.attempt)


class Asking:
    """Asks through a breaker. `pause`: seconds before a request is sent again."""

    def __init__(self, breaker: Breaker, pause: float) -> None:
        self._breaker = breaker
        self._pause = pause

    async def safely(self, call: Callable[[], Awaitable[T]]) -> T:
        """A request that may be sent twice: it reads, or carries a key.

        Raises `PaymentRefused`, `AnswerLost`, `PartnerUnavailable`.
        """
        try:
            answer = await self._breaker.call(lambda: _once(call))
        except (KeySpent, PartnerNotAsked):
            raise
        except PartnerUnavailable as first:
            await asyncio.sleep(self._pause)
            try:
                answer = await self._breaker.call(lambda: _once(call))
            except PartnerNotAsked:
                raise first from None  # it may have got through, which a refusal to ask does not say
        if isinstance(answer, PaymentRefused):
            raise answer
        return answer

    async def with_keys(
        self,
        key: str,
        call: Callable[[str], Awaitable[T]],
        became: Callable[[], Awaitable[T | None]] | None = None,
    ) -> T:
        """A write under one key, and under the next when Stripe answered 500 to it and `became` finds no effect.

        Without `became`: an effect that was not told does no harm, such as a second intent that nobody confirms.
        """
        for number in range(1, KEYS):
            with_key = key if number == 1 else f"{key}|{number}"
            try:
                return await self._under(with_key, call)
            except KeySpent:
                found = await became() if became is not None else None
                if found is not None:
                    return found
        return await self._under(f"{key}|{KEYS}", call)

    async def _under(self, key: str, call: Callable[[str], Awaitable[T]]) -> T:
        return await self.safely(lambda: call(key))


async def _once(call: Callable[[], Awaitable[T]]) -> T | PaymentRefused:
    """One request. A refusal is an answer too: the breaker shall see that Stripe is there."""
    try:
        return await call()
    except stripe.CardError as error:
        intent = declined_intent(error)
        return CardDeclined(refused(error), intent) if intent is not None else refused(error)
    except (stripe.InvalidRequestError, stripe.IdempotencyError) as error:
        return refused(error)
    except NotReached as error:
        raise PartnerUnavailable(f"Stripe: {error.user_message}") from None
    except Lost as error:
        raise AnswerLost(f"Stripe: {error.user_message}") from None
    except stripe.StripeError as error:
        raise _unavailable(error) from None


def _unavailable(error: stripe.StripeError) -> PartnerUnavailable:
    status = error.http_status or 0
    log.warning("Stripe refused", extra={"status": status, "code": error.code, "stripe_request": error.request_id})
    if isinstance(error, stripe.RateLimitError | stripe.AuthenticationError | stripe.PermissionError):
        return PartnerUnavailable(f"Stripe answered {status}")
    return KeySpent(f"Stripe answered {status}") if status >= 500 else AnswerLost(f"Stripe answered {status}")
