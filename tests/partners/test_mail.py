"""Mail: what is refused, the outbox in files, SendGrid played on loopback, the breaker."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from handlers.partners.breaker import Breaker, PartnerAway, PartnerUnavailable
from handlers.partners.mail import MailRefused, Message, OutboxMailer, SendGridMailer, outbox_messages
from handlers.platform.bus.port import Batch
from handlers.platform.consumer import Consumer
from handlers.platform.events import Event
from handlers.platform.patience import Patience
from handlers.users import mails
from tests.platform.chaos.contract import EVENT, contract
from tests.platform.eventing import envelope, parts, received

MESSAGE = Message("dana@example.com", "Hello", "Text", "<p>Text</p>")


@pytest.mark.parametrize(
    "to",
    [
        "dana@example.com\r\nBcc: all@example.com",
        "dana@example.com,all@example.com",
        "Dana <dana@example.com>",
        "",
        "x",
        "d@e.com ",
    ],
)
def test_one_plain_recipient(to: str) -> None:
    with pytest.raises(MailRefused):
        Message(to, "Hello", "Text", "<p>Text</p>")


@pytest.mark.parametrize(
    "subject", ["", "Hello\r\nBcc: all@example.com", "Hello\nX", "Hello\x00", "Hello\u2028X", "A\x85B"]
)
def test_a_subject_is_one_line(subject: str) -> None:
    with pytest.raises(MailRefused):
        Message("dana@example.com", subject, "Text", "<p>Text</p>")


async def test_the_outbox_keeps_one_file_a_message_newest_first(tmp_path: Path) -> None:
    mailer = OutboxMailer(tmp_path, "shop@example.com")
    for number in range(3):
        await mailer.send(Message(f"dana{number % 2}@example.com", f"Mail {number}", "Text", "<p>Text</p>"))
    assert [mail["subject"] for mail in outbox_messages(tmp_path)] == ["Mail 2", "Mail 1", "Mail 0"]
    found = outbox_messages(tmp_path, to="DANA0@example.com")
    assert [mail["subject"] for mail in found] == ["Mail 2", "Mail 0"]
    assert found[0].keys() == {"message_id", "created_at", "channel", "from", "to", "subject", "text", "html"}
    assert len(outbox_messages(tmp_path, limit=1)) == 1
    assert all(path.stat().st_mode & 0o077 == 0 for path in (tmp_path / "outbox").iterdir())
    await mailer.close()


def test_links_keep_their_token_behind_the_hash() -> None:
    mail = mails.verification("dana@example.com", "Dana & <Co>", "https://shop.example.com/", "vm-abc")
    assert "https://shop.example.com/auth/verify-email#token=vm-abc" in mail.text
    assert '<a href="https://shop.example.com/auth/verify-email#token=vm-abc">' in mail.html
    assert "Dana &amp; &lt;Co&gt;" in mail.html
    assert "pr-x" in mails.password_reset("dana@example.com", "Dana", "https://shop.example.com", "pr-x").text


@dataclass
class SendGrid:
    """SendGrid's API, as far as we use it."""

    address: str = ""
    answers: list[int] = field(default_factory=list)
    received: list[tuple[str, Any]] = field(default_factory=list)

    async def send(self, request: web.Request) -> web.Response:
        """Takes a message, or refuses as the test said."""
        self.received.append((request.headers["Authorization"], await request.json()))
        return web.Response(status=self.answers.pop(0) if self.answers else 202)


@pytest.fixture
async def sendgrid() -> AsyncIterator[SendGrid]:
    """SendGrid on loopback."""
    server = SendGrid()
    app = web.Application()
    app.add_routes([web.post("/v3/mail/send", server.send)])
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    server.address = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield server
    await runner.cleanup()


async def test_sendgrid_gets_both_forms_and_no_tracking(sendgrid: SendGrid) -> None:
    mailer = SendGridMailer("SG.key", "shop@example.com", base=sendgrid.address)
    await mailer.send(MESSAGE)
    ((authorization, body),) = sendgrid.received
    assert authorization == "Bearer SG.key"
    assert body["personalizations"] == [{"to": [{"email": "dana@example.com"}]}]
    assert [part["type"] for part in body["content"]] == ["text/plain", "text/html"]
    assert body["tracking_settings"]["click_tracking"] == {"enable": False}
    await mailer.close()


async def test_one_more_attempt_after_a_refusal_that_may_pass(sendgrid: SendGrid) -> None:
    mailer = SendGridMailer("SG.key", "shop@example.com", base=sendgrid.address)
    sendgrid.answers = [503]
    await mailer.send(MESSAGE)
    assert len(sendgrid.received) == 2
    for answers, attempts in (([500, 500], 2), ([400], 1), ([401], 1)):
        sendgrid.received.clear()
        sendgrid.answers = list(answers)
        with pytest.raises(PartnerUnavailable):
            await mailer.send(MESSAGE)
        assert len(sendgrid.received) == attempts
    await mailer.close()


async def test_a_partner_that_is_away_is_left_alone_for_a_while(sendgrid: SendGrid) -> None:
    now = [0.0]
    breaker = Breaker("SendGrid", failures=2, now=lambda: now[0])
    away = SendGridMailer("SG.key", "shop@example.com", base="http://127.0.0.1:1", breaker=breaker)
    for _ in range(2):
        with pytest.raises(PartnerUnavailable, match="ClientConnector"):
            await away.send(MESSAGE)
    with pytest.raises(PartnerUnavailable, match="not asked"):
        await away.send(MESSAGE)
    back = SendGridMailer("SG.key", "shop@example.com", base=sendgrid.address, breaker=breaker)
    now[0] = 1.0
    await back.send(MESSAGE)
    await back.send(MESSAGE)
    assert len(sendgrid.received) == 2
    await away.close()
    await back.close()


@pytest.mark.parametrize(
    ("answers", "waited_failed_buried"),
    [
        ([503, 503] * 6, (6, 0, 0)),  # down for longer than poison is tried
        ([429, 429] * 6, (6, 0, 0)),
        ([400] * 3, (0, 3, 1)),  # never going to be taken
    ],
)
async def test_an_event_waits_for_a_mail_server_that_is_down_but_not_for_one_that_refuses(
    sendgrid: SendGrid, tmp_path: Path, answers: list[int], waited_failed_buried: tuple[int, int, int]
) -> None:
    sendgrid.answers = answers
    breaker = Breaker("SendGrid", failures=2, first=0.0)  # open, but asking again at once
    mailer = SendGridMailer("SG.key", "shop@example.com", base=sendgrid.address, breaker=breaker)

    async def handler(_: Event[Any]) -> None:
        await mailer.send(MESSAGE)

    async with parts(tmp_path) as world:
        patience = Patience(attempts=3, first=0.001, longest=0.01)
        own = Consumer("counters", {EVENT: handler}, contract(), world.letters, patience=patience)
        batch = Batch("counters", "thing-events", 0, [received(envelope())], asyncio.Event())
        await own.deliver(batch)
        assert batch.finished == 1
        assert (own.counts.waited, own.counts.failed, own.counts.buried) == waited_failed_buried
        assert sendgrid.answers == []
        assert (await world.letters.holds("counters", "event-1")) == bool(own.counts.buried)
    await mailer.close()


async def test_a_breaker_that_is_open_is_waited_for() -> None:
    breaker = Breaker("SendGrid", failures=1)
    away = SendGridMailer("SG.key", "shop@example.com", base="http://127.0.0.1:1", breaker=breaker)
    for text in ("ClientConnector", "not asked"):
        with pytest.raises(PartnerAway, match=text):
            await away.send(MESSAGE)
    await away.close()


async def test_errors_name_no_key_and_no_person(sendgrid: SendGrid) -> None:
    sendgrid.answers = [403]
    mailer = SendGridMailer("SG.secret", "shop@example.com", base=sendgrid.address)
    with pytest.raises(PartnerUnavailable) as refused:
        await mailer.send(MESSAGE)
    assert str(refused.value) == "SendGrid answered 403"
    await mailer.close()
