"""Text messages: one port, two adapters: Twilio's HTTP API where there is an account, else one JSON file each."""

from __future__ import annotations

import asyncio
import re
from base64 import b64encode
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

import aiohttp

from handlers.partners.breaker import Breaker, PartnerAway, refusal
from handlers.partners.mail import write_to_outbox

TWILIO: Final = "https://api.twilio.com"
TIMEOUT_SECONDS: Final = 5.0
LONGEST: Final = 1600  # of one message at Twilio
_NUMBER: Final = re.compile(r"\+[1-9][0-9]{6,14}")


class TextRefused(ValueError):
    """A message that no provider takes: not to one telephone number, empty, or too long."""


@dataclass(frozen=True, slots=True)
class TextMessage:
    """A text message to one telephone number (E.164). Raises `TextRefused`."""

    to: str
    text: str

    def __post_init__(self) -> None:
        if _NUMBER.fullmatch(self.to) is None:
            raise TextRefused("the recipient is not one telephone number")
        if not 0 < len(self.text) <= LONGEST:
            raise TextRefused(f"the text needs 1 to {LONGEST} characters")


class Texter(Protocol):
    """Sends text messages."""

    async def send(self, message: TextMessage) -> None:
        """Hands the message over. Raises `PartnerUnavailable`; it may have been sent all the same."""
        ...

    async def close(self) -> None:
        """Releases connections."""
        ...


class OutboxTexter:
    """Writes each message to a file below `data_dir`, for local mode and tests."""

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir

    async def send(self, message: TextMessage) -> None:
        """Writes the message, whole or not at all."""
        content = {"channel": "sms", "to": message.to, "text": message.text}
        await asyncio.to_thread(write_to_outbox, self._data_dir, content)

    async def close(self) -> None:
        """Nothing is held."""


class TwilioTexter:
    """Sends through Twilio (Messages resource, API of 2010-04-01). One attempt: a repetition would arrive twice."""

    def __init__(
        self, account: str, token: str, sender: str, *, base: str = TWILIO, breaker: Breaker | None = None
    ) -> None:
        credentials = b64encode(f"{account}:{token}".encode()).decode()
        self._headers = {"Authorization": f"Basic {credentials}"}
        self._sender = sender
        self._url = f"{base}/2010-04-01/Accounts/{account}/Messages.json"
        self._breaker = breaker or Breaker("Twilio")
        self._session: aiohttp.ClientSession | None = None

    async def send(self, message: TextMessage) -> None:
        """Hands the message over."""
        form = {"To": message.to, "From": self._sender, "Body": message.text}
        await self._breaker.call(lambda: self._post(form))

    async def close(self) -> None:
        """Closes the connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _post(self, form: dict[str, str]) -> None:
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=TIMEOUT_SECONDS))
        try:
            async with self._session.post(self._url, data=form, headers=self._headers, allow_redirects=False) as answer:
                if answer.status >= 300:
                    raise refusal("Twilio", answer.status)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise PartnerAway(f"Twilio: {type(error).__name__}") from None
