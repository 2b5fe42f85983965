"""Mail: one port, two adapters: SendGrid's HTTP API where there is a key, else one JSON file per message."""

from __future__ import annotations

import asyncio
import os
import re
import secrets
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Protocol

import aiohttp
import orjson

from handlers.partners.breaker import Breaker, PartnerAway, refusal
from handlers.platform.clock import timestamp

SENDGRID: Final = "https://api.sendgrid.com"
TIMEOUT_SECONDS: Final = 5.0
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f\u0085\u2028\u2029]")
_MESSAGE_ID: Final = re.compile(r"<[A-Za-z0-9._-]+@[a-z0-9.-]+>")
_ADDRESS: Final = re.compile(r"[!-~]+@[A-Za-z0-9.-]+")


class MailRefused(ValueError):
    """A message that could become something else on its way: a line break in a header, more than one recipient."""


@dataclass(frozen=True, slots=True)
class Message:
    """A mail to one recipient, as plain text and as HTML. Raises `MailRefused` when a header would not stay one.

    `message_id`: with brackets, the same for a mail that may be sent once more (RFC 5322, 3.6.4).
    """

    to: str
    subject: str
    text: str
    html: str
    message_id: str | None = None

    def __post_init__(self) -> None:
        if _ADDRESS.fullmatch(self.to) is None or any(sign in self.to for sign in ',;<>"'):
            raise MailRefused("the recipient is not one plain address")
        if not self.subject or _CONTROL.search(self.subject):
            raise MailRefused("the subject is not one line")
        if self.message_id is not None and _MESSAGE_ID.fullmatch(self.message_id) is None:
            raise MailRefused("the message id is none")


class Mailer(Protocol):
    """Sends mail."""

    async def send(self, message: Message) -> None:
        """Hands the message over. Raises `PartnerUnavailable`; it may have been sent all the same."""
        ...

    async def close(self) -> None:
        """Releases connections."""
        ...


class OutboxMailer:
    """Writes each message to a file below `data_dir`, for local mode and tests."""

    def __init__(self, data_dir: Path, sender: str) -> None:
        self._data_dir = data_dir
        self._sender = sender

    async def send(self, message: Message) -> None:
        """Writes the message, whole or not at all."""
        content = {
            "channel": "email",
            "from": self._sender,
            "to": message.to,
            "subject": message.subject,
            "text": message.text,
            "html": message.html,
            **({"message_id": message.message_id} if message.message_id is not None else {}),
        }
        await asyncio.to_thread(write_to_outbox, self._data_dir, content)

    async def close(self) -> None:
        """Nothing is held."""


def write_to_outbox(data_dir: Path, content: dict[str, Any]) -> None:
    """Writes a message (mail or SMS) to its own file. The name sorts by time; a reader never sees half of it."""
    folder = data_dir / "outbox"
    folder.mkdir(parents=True, exist_ok=True)
    name = f"{time.time_ns():020d}-{secrets.token_hex(4)}.json"
    draft = folder / f".{name}"
    message = {"message_id": name.removesuffix(".json"), "created_at": timestamp(datetime.now(UTC)), **content}
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(orjson.dumps(message, option=orjson.OPT_INDENT_2))
    draft.rename(folder / name)


def outbox_messages(data_dir: Path, to: str | None = None, limit: int = 200) -> list[dict[str, Any]]:
    """The messages in the outbox, newest first, to one recipient or to all."""
    found: list[dict[str, Any]] = []
    for path in sorted((data_dir / "outbox").glob("[0-9]*.json"), reverse=True):
        message = orjson.loads(path.read_bytes())
        if to is None or message["to"].lower() == to.lower():
            found.append(message)
        if len(found) >= limit:
            break
    return found


class SendGridMailer:
    """Sends through SendGrid (Mail Send API v3). Tracking is off: it would put SendGrid's address into our links."""

    def __init__(self, api_key: str, sender: str, *, base: str = SENDGRID, breaker: Breaker | None = None) -> None:
        self._api_key = api_key
        self._sender = sender
        self._url = f"{base}/v3/mail/send"
        self._breaker = breaker or Breaker("SendGrid")
        self._session: aiohttp.ClientSession | None = None

    async def send(self, message: Message) -> None:
        """Hands the message over; one more attempt when the first one certainly did not get through."""
        content = orjson.dumps(self._payload(message))
        await self._breaker.call(lambda: self._post(content))

    async def close(self) -> None:
        """Closes the connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    def _payload(self, message: Message) -> dict[str, Any]:
        headers = {"headers": {"Message-ID": message.message_id}} if message.message_id is not None else {}
        return {
            **headers,
            "personalizations": [{"to": [{"email": message.to}]}],
            "from": {"email": self._sender, "name": "Holiday Peak Hub"},
            "subject": message.subject,
            "content": [{"type": "text/plain", "value": message.text}, {"type": "text/html", "value": message.html}],
            "tracking_settings": {"click_tracking": {"enable": False}, "open_tracking": {"enable": False}},
        }

    async def _post(self, content: bytes) -> None:
        for last in (False, True):
            status = await self._attempt(content)
            if status < 300:
                return
            if last or (status != 429 and status < 500):
                raise refusal("SendGrid", status)

    async def _attempt(self, content: bytes) -> int:
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=TIMEOUT_SECONDS))
        headers = {"Authorization": f"Bearer {self._api_key}", "Content-Type": "application/json"}
        try:
            async with self._session.post(self._url, data=content, headers=headers, allow_redirects=False) as answer:
                return answer.status
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise PartnerAway(f"SendGrid: {type(error).__name__}") from None
