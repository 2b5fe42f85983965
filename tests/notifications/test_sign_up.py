"""The verification mail belongs to the sign-up's change: no process that dies loses it, and it is sent once."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from handlers.notifications.welcome_customer import welcome_customer
from tests.support.app import RunningApp, running_app
from tests.support.people import PASSWORD, mailed_token, mails, new_address, outbox_events


@pytest.fixture
async def silent(tmp_path: Path, redis_url: str) -> AsyncIterator[RunningApp]:
    """An application without an event side: what it commits, others hear."""
    async with running_app(tmp_path, redis_url, ROLE="crud") as app:
        yield app


async def test_a_sign_up_whose_process_dies_is_still_written_to(silent: RunningApp) -> None:
    """Nothing but the event is left of it; whoever hears that sends the mail, as often as it comes the same one."""
    email = new_address()
    body = {"name": "Dana Whitfield", "email": email, "password": PASSWORD}
    user = (await silent.client.post("/api/auth/signup", json=body)).json()
    [created] = [each for each in await outbox_events(silent, user["user_id"]) if each["event_type"] == "UserCreated"]
    assert not re.search(r"vm-|@", str(created["data"]))
    for _ in range(2):
        await welcome_customer(silent.services, created["data"]["user_id"])
    [mail] = await mails(silent, email)
    assert mail["message_id"] == f"<verification.{user['user_id']}@notifications.invalid>"
    token = await mailed_token(silent, email)
    assert (await silent.client.post("/api/auth/verify-email", json={"token": token})).status_code == 200


async def test_a_mail_that_was_asked_for_since_replaces_the_first(silent: RunningApp) -> None:
    email = new_address()
    body = {"name": "Dana Whitfield", "email": email, "password": PASSWORD}
    user = (await silent.client.post("/api/auth/signup", json=body)).json()
    assert (await silent.client.post("/api/auth/resend-verification", json={"email": email})).status_code == 202
    await silent.services.background.drain()
    await welcome_customer(silent.services, user["user_id"])
    await welcome_customer(silent.services, "user-nobody")
    assert len(await mails(silent, email)) == 1
