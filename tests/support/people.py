"""People of the tests: an account, signed in, and what came to its mailbox."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import httpx

from handlers.notifications.notify_owner import notify_owner
from handlers.notifications.store import was_sent
from handlers.notifications.welcome_customer import welcome_customer
from handlers.partners.mail import outbox_messages
from handlers.platform.store.port import Query
from handlers.users.proofs import first_token
from handlers.users.store import by_email
from tests.support.app import ORIGIN, RunningApp
from tests.support.wait import eventually

PASSWORD = "Mountain-Rail#42"


@dataclass(slots=True)
class Person:
    """A customer as the tests act for one."""

    email: str
    password: str = PASSWORD
    session: dict[str, Any] = field(default_factory=dict)

    @property
    def bearer(self) -> dict[str, str]:
        """The header of its access token."""
        return {"Authorization": f"Bearer {self.session['access_token']}"}

    @property
    def user_id(self) -> str:
        """The id of its account."""
        return str(self.session["user"]["user_id"])


def new_address() -> str:
    """An address nobody has yet."""
    return f"dana-{uuid4().hex[:12]}@example.com"


async def signed_up(running: RunningApp, email: str | None = None, **more: Any) -> Person:
    """A new account, not signed in."""
    person = Person(email or new_address())
    body = {"name": "Dana Whitfield", "email": person.email, "password": person.password, **more}
    answer = await running.client.post("/api/auth/signup", json=body)
    assert answer.status_code == 201, answer.text
    await welcomed(running, person.email)
    return person


async def signed_in(running: RunningApp, person: Person | None = None) -> Person:
    """An account with a session. The client's cookies stay out of it."""
    person = person or await signed_up(running)
    answer = await login(running, person.email, person.password)
    assert answer.status_code == 200, answer.text
    person.session = answer.json()
    return person


async def login(running: RunningApp, email: str, password: str, **options: Any) -> httpx.Response:
    """One attempt to sign in, from a caller of its own."""
    async with running.new_client() as client:
        return await client.post("/api/auth/login", json={"email": email, "password": password}, **options)


async def asked_again(running: RunningApp, person: Person, **code: str) -> dict[str, str]:
    """The headers of a person who has just proven again who it is; `code` of the second factor where that is on."""
    body = {"password": person.password, **code}
    answer = await running.client.post("/api/users/me/reauthentication", json=body, headers=person.bearer)
    assert answer.status_code == 200, answer.text
    return {**person.bearer, "X-Reauthentication": answer.json()["reauthentication_token"]}


@asynccontextmanager
async def browser(running: RunningApp, person: Person) -> AsyncIterator[httpx.AsyncClient]:
    """A browser on one of our pages, signed in by cookie."""
    async with running.new_client(headers={"Origin": ORIGIN}) as client:
        answer = await client.post("/api/auth/login", json={"email": person.email, "password": person.password})
        assert answer.status_code == 200, answer.text
        client.headers["X-CSRF-Token"] = answer.json()["csrf_token"]
        yield client


async def mails(running: RunningApp, to: str) -> list[dict[str, Any]]:
    """The mails to an address, newest first."""
    await running.services.background.drain()
    await welcomed(running, to)
    await notified(running, to)
    return outbox_messages(running.services.settings.data_dir, to=to)


async def welcomed(running: RunningApp, email: str) -> None:
    """The first mail to an account has been sent; by hand, where the application has no event side."""
    found = await by_email(running.services.store, email)
    if found is None:
        return
    if running.services.bus is None:
        await welcome_customer(running.services, found.data["user_id"])
        return

    _, first = first_token(running.services, found.data["user_id"])

    async def done() -> bool:
        return await was_sent(running.services.store, found.data["user_id"], "verification", "email")

    if found.data["verify_token"] == first and not found.data["email_verified"]:
        await eventually(done)


async def notified(running: RunningApp, to: str) -> None:
    """The notices to an address have been sent; by hand, where the application has no event side."""

    async def none_waits() -> bool:
        return not await waiting_notices(running, to)

    if running.services.bus is not None:
        await eventually(none_waits)
        return
    for data in await waiting_notices(running, to):
        await notify_owner(running.services, data["user_id"], data["notice_id"], data["kind"])


async def waiting_notices(running: RunningApp, to: str) -> list[dict[str, Any]]:
    """The data of the events whose notices to an address are not sent yet, oldest first."""
    query = Query("users", kind="outbox", purpose="outbox_relay", limit=1000)
    page = await running.services.store.query(query)
    envelopes = [row.data["envelope"] for row in page.items]
    waiting = []
    for each in sorted(envelopes, key=lambda envelope: envelope["timestamp"]):
        if each["event_type"] == "AccountNoticeRequested":
            data = each["data"]
            kept = await running.services.store.read("users", data["user_id"], data["notice_id"])
            if kept is not None and kept.data["to"] == to:
                waiting.append(data)
    return waiting


async def mailed_token(running: RunningApp, to: str, prefix: str = "vm-") -> str:
    """The token in the newest mail to an address that has one of this kind."""
    for mail in await mails(running, to):
        found = re.search(rf"#token=({prefix}[A-Za-z0-9_-]+)", mail["text"])
        if found:
            return found[1]
    raise AssertionError(f"no mail with a {prefix} token")


def rule_of(answer: httpx.Response) -> str | None:
    """The business rule that refused."""
    rule = answer.json()["error"]["details"].get("rule")
    return str(rule) if rule is not None else None


async def outbox_events(running: RunningApp, user_id: str) -> list[dict[str, Any]]:
    """The events of what an account went through, oldest first; without those that have a mail sent to its owner."""
    query = Query("users", partition=user_id, kind="outbox", limit=100)
    page = await running.services.store.query(query)
    rows = sorted((item.data for item in page.items), key=lambda row: row["sequence"])
    return [row["envelope"] for row in rows if row["envelope"]["event_type"] != "AccountNoticeRequested"]
