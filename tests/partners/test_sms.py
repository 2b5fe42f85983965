"""Text messages: what is refused, the outbox in files, Twilio played on loopback."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from aiohttp import web

from handlers.partners.breaker import Breaker, PartnerUnavailable
from handlers.partners.mail import outbox_messages
from handlers.partners.sms import OutboxTexter, TextMessage, TextRefused, TwilioTexter
from handlers.parts import open_carriers, open_texter
from handlers.platform.clock import SystemClock
from tests.support.app import settings_for

MESSAGE = TextMessage("+14155550132", "Your parcel arrives today.")


@dataclass
class Twilio:
    """What Twilio was sent, and what it answers."""

    base: str = ""
    status: int = 201
    forms: list[dict[str, str]] = field(default_factory=list)
    credentials: str = ""


@pytest.fixture
async def twilio() -> AsyncIterator[Twilio]:
    played = Twilio()

    async def messages(request: web.Request) -> web.Response:
        played.forms.append({name: str(value) for name, value in (await request.post()).items()})
        played.credentials = request.headers["Authorization"]
        return web.json_response({"sid": "SM1"}, status=played.status)

    app = web.Application()
    app.router.add_post("/2010-04-01/Accounts/AC1/Messages.json", messages)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    played.base = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield played
    await runner.cleanup()


@pytest.mark.parametrize(
    ("to", "text"),
    [("4155550132", "Hi"), ("+14155550132,+1415", "Hi"), ("+14155550132", ""), ("+14155550132", "x" * 1601)],
)
def test_one_number_and_a_text(to: str, text: str) -> None:
    with pytest.raises(TextRefused):
        TextMessage(to, text)


async def test_the_outbox_keeps_a_file(tmp_path: Path) -> None:
    texter = OutboxTexter(tmp_path)
    await texter.send(MESSAGE)
    await texter.close()
    [found] = outbox_messages(tmp_path, to="+14155550132")
    assert (found["channel"], found["text"]) == ("sms", MESSAGE.text)


async def test_twilio_gets_the_message(twilio: Twilio) -> None:
    texter = TwilioTexter("AC1", "token", "+15005550006", base=twilio.base)
    await texter.send(MESSAGE)
    assert twilio.forms == [{"To": "+14155550132", "From": "+15005550006", "Body": MESSAGE.text}]
    assert twilio.credentials.startswith("Basic ")
    await texter.close()
    await texter.close()


async def test_a_refusal_and_silence_are_said_and_asked_once(twilio: Twilio) -> None:
    texter = TwilioTexter("AC1", "token", "+15005550006", base=twilio.base)
    twilio.status = 500
    with pytest.raises(PartnerUnavailable, match="Twilio answered 500"):
        await texter.send(MESSAGE)
    assert len(twilio.forms) == 1
    await texter.close()
    away = TwilioTexter("AC1", "token", "+1500", base="http://127.0.0.1:9", breaker=Breaker("Twilio", failures=1))
    with pytest.raises(PartnerUnavailable):
        await away.send(MESSAGE)
    with pytest.raises(PartnerUnavailable, match="not asked at the moment"):
        await away.send(MESSAGE)
    await away.close()


def test_nothing_made_up_in_production(tmp_path: Path) -> None:
    local = settings_for(tmp_path, None)
    assert isinstance(open_texter(local), OutboxTexter)
    assert open_carriers(local, SystemClock()) is not None
    production = local.model_copy(update={"env": "production"})
    assert open_texter(production) is None
    assert open_carriers(production, SystemClock()) is None
    with_twilio = settings_for(tmp_path, None, SMS_ACCOUNT_ID="AC1", SMS_AUTH_TOKEN="t" * 32, SMS_FROM="+15005550006")
    assert isinstance(open_texter(with_twilio), TwilioTexter)
