"""Stripe's webhooks: is it from Stripe, is it fresh, and what does it tell of.

Scheme: Stripe documentation, Webhooks, "Verify webhook signatures manually": HMAC-SHA256 over time and raw body.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson

from handlers.partners.payments import Decline
from handlers.platform.clock import Clock

TOLERANCE_SECONDS: Final = 300
FAILED: Final = "payment_intent.payment_failed"
_TIME: Final = re.compile(r"[0-9]{1,12}")
_SIGNATURE: Final = re.compile(r"[0-9a-f]{64}")
_MAX_SIGNATURES: Final = 8  # two secrets are valid while one replaces the other


class SignatureInvalid(Exception):
    """The message is not from Stripe, or too old. The reason is for logs and tests; the sender learns nothing of it."""


@dataclass(frozen=True, slots=True)
class WebhookEvent:
    """A verified event. `object_id` and `intent_id` may be empty; `metadata` are those of the object it tells of.

    `failed`: the attempt that it tells of having failed. Several may fail before one is looked at.
    """

    id: str
    type: str
    object_id: str
    intent_id: str
    metadata: Mapping[str, str]
    failed: Decline | None = None

    @property
    def order_id(self) -> str | None:
        """The order it is about, when it is one of ours."""
        return self.metadata.get("order_id")


def verified(content: bytes, header: str, secret: str, clock: Clock) -> WebhookEvent:
    """The event in a body as it was received. Raises `SignatureInvalid`."""
    at, signatures = _parts(header)
    expected = hmac.digest(secret.encode(), str(at).encode() + b"." + content, "sha256").hex()
    if not any(hmac.compare_digest(expected, each) for each in signatures):
        raise SignatureInvalid("another signature")
    # In both directions: what was signed for later could be kept until then.
    if abs(clock.now().timestamp() - at) > TOLERANCE_SECONDS:
        raise SignatureInvalid("not its time")
    return _event(orjson.loads(content))


def _parts(header: str) -> tuple[int, list[str]]:
    pairs = [part.strip().partition("=") for part in header.split(",")]
    times = [value for name, _, value in pairs if name == "t" and _TIME.fullmatch(value)]
    signatures = [value for name, _, value in pairs if name == "v1" and _SIGNATURE.fullmatch(value)]
    if len(times) != 1 or not 0 < len(signatures) <= _MAX_SIGNATURES:
        raise SignatureInvalid("no signature")
    return int(times[0]), signatures


def _event(body: Any) -> WebhookEvent:
    data = body.get("data") if isinstance(body, dict) else None
    about = data.get("object") if isinstance(data, dict) else None
    found: Mapping[str, Any] = about if isinstance(about, dict) else {}
    object_id, metadata = found.get("id"), found.get("metadata")
    intent = object_id if found.get("object") == "payment_intent" else found.get("payment_intent")
    return WebhookEvent(
        id=body["id"],
        type=body["type"],
        object_id=object_id if isinstance(object_id, str) else "",
        intent_id=intent if isinstance(intent, str) else "",
        metadata={k: v for k, v in metadata.items() if isinstance(v, str)} if isinstance(metadata, dict) else {},
        failed=_failed(found.get("last_payment_error")) if body["type"] == FAILED else None,
    )


def _failed(error: Any) -> Decline | None:
    """The attempt in an intent's error; None where nothing was charged, for then nobody could know it again."""
    if not isinstance(error, dict) or not isinstance(error.get("charge"), str):
        return None
    code, message = error.get("decline_code") or error.get("code"), error.get("message")
    return Decline(str(code or "card_declined"), str(message or "Your payment was declined."), error["charge"])
