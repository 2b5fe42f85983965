"""Mails to the owner of an account belong to the change they tell of: no process that dies loses one."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest

from generated import events as e
from handlers.notifications.notify_owner import notify_owner
from handlers.partners.breaker import PartnerAway
from handlers.partners.mail import outbox_messages
from handlers.platform.cache import CacheUnavailable
from handlers.platform.patience import NotYetThere
from handlers.platform.store.port import Patch, Query
from handlers.users import owner_notice_rules, tell_owner
from handlers.users import store as users
from tests.support.app import RunningApp, running_app
from tests.support.people import (
    Person,
    asked_again,
    mailed_token,
    mails,
    new_address,
    signed_in,
    signed_up,
    waiting_notices,
)

NEW = "Another-Mountain#43"


@pytest.fixture
async def silent(tmp_path: Path, redis_url: str) -> AsyncIterator[RunningApp]:
    """An application without an event side: what it commits is all that is left of it, and others hear it."""
    async with running_app(tmp_path, redis_url, ROLE="crud") as app:
        yield app


async def proven(running: RunningApp) -> Person:
    """A person, signed in, whose address is proven."""
    person = await signed_up(running)
    body = {"token": await mailed_token(running, person.email)}
    assert (await running.client.post("/api/auth/verify-email", json=body)).status_code == 200
    return await signed_in(running, person)


async def change_password(running: RunningApp, person: Person) -> None:
    body = {"old_password": person.password, "new_password": NEW}
    answer = await running.client.put("/api/users/me/password", json=body, headers=person.bearer)
    assert answer.status_code == 204


async def leave(running: RunningApp, person: Person) -> None:
    again = await asked_again(running, person)
    assert (await running.client.delete("/api/users/me", headers=again)).status_code == 204


async def change_email(running: RunningApp, person: Person, new: str) -> None:
    again = await asked_again(running, person)
    assert (await running.client.put("/api/users/me", json={"email": new}, headers=again)).status_code == 200


async def hear(running: RunningApp, heard: dict[str, Any]) -> None:
    await notify_owner(running.services, heard["user_id"], heard["notice_id"], heard["kind"])


def sent(running: RunningApp, to: str, subject: str) -> list[dict[str, Any]]:
    found = outbox_messages(running.services.settings.data_dir, to=to)
    return [each for each in found if subject in each["subject"]]


@pytest.mark.parametrize(("act", "subject"), [(change_password, "password was changed"), (leave, "was deleted")])
async def test_a_change_whose_process_dies_is_still_told_once(silent: RunningApp, act: Any, subject: str) -> None:
    """Of a deleted account too: nothing of the person is left but its notice, and nothing once that is sent."""
    person = await proven(silent)
    await act(silent, person)
    assert sent(silent, person.email, subject) == []
    [heard] = await waiting_notices(silent, person.email)
    for _ in range(3):
        await hear(silent, heard)
    [mail] = sent(silent, person.email, subject)
    assert mail["message_id"] == f"<{heard['notice_id']}@notifications.invalid>"
    kept = await users.notice(silent.services.store, person.user_id, heard["notice_id"])
    assert (kept.data["to"], kept.data["name"]) == (None, None)


async def test_a_process_that_dies_after_sending_sends_the_same_mail_once_more(
    silent: RunningApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    person, new = await proven(silent), new_address()
    await change_email(silent, person, new)
    [heard] = await waiting_notices(silent, person.email)

    async def dying(*_: Any) -> None:
        raise ConnectionError("the process ends here")

    with monkeypatch.context() as patch:
        patch.setattr(users, "note_sent", dying)
        with pytest.raises(ConnectionError):
            await hear(silent, heard)
    for _ in range(2):
        await hear(silent, heard)
    first, second = sent(silent, person.email, "is to be changed")
    assert (first["message_id"], first["text"]) == (second["message_id"], second["text"])


async def test_both_addresses_of_a_change_get_their_links_and_no_event_or_document_holds_them(
    silent: RunningApp,
) -> None:
    person, new = await proven(silent), new_address()
    await change_email(silent, person, new)
    undo, proof = await mailed_token(silent, person.email, "um-"), await mailed_token(silent, new)
    page = await silent.services.store.query(Query("users", partition=person.user_id, kind="outbox", limit=100))
    account = await users.read(silent.services.store, person.user_id)
    assert account is not None
    assert not re.search(r"[vpu][mr]-[A-Za-z0-9_-]{32}|@", str([row.data["envelope"] for row in page.items]))
    for token in (undo, proof):
        assert token not in str(account.data)
    assert (await silent.client.post("/api/auth/verify-email", json={"token": proof})).status_code == 200
    assert (await mails(silent, new))[0]["subject"].startswith("Your e-mail address was changed")
    assert (await silent.client.post("/api/auth/undo-email-change", json={"token": undo})).status_code == 200
    # The link to a new password is in the change that takes the old one's force: no crash leaves an account without.
    reset = {"token": await mailed_token(silent, person.email, "pr-"), "new_password": NEW}
    assert (await silent.client.post("/api/auth/reset-password", json=reset)).status_code == 200


@pytest.mark.parametrize(("path", "prefix"), [("forgot-password", "pr-"), ("resend-verification", "vm-")])
async def test_a_link_that_was_asked_for_is_in_the_change_that_puts_it_in_force(
    silent: RunningApp, path: str, prefix: str
) -> None:
    person = await signed_up(silent)
    assert (await silent.client.post(f"/api/auth/{path}", json={"email": person.email})).status_code == 202
    await silent.services.background.drain()
    [heard] = await waiting_notices(silent, person.email)
    assert heard["kind"] == ("password_reset_requested" if prefix == "pr-" else "verification_requested")
    await hear(silent, heard)
    assert f"#token={prefix}" in sent(silent, person.email, "")[0]["text"]


async def test_asking_the_owner_again_uses_up_no_mail(tmp_path: Path, redis_url: str) -> None:
    """An address that was never proven may get three mails: what sends none counts as none."""
    async with running_app(tmp_path, redis_url, ROLE="crud", RATE_LIMIT_SCALE="1") as running:
        person = await signed_in(running)
        for _ in range(3):
            await asked_again(running, person)
        await change_password(running, person)
        assert len(await waiting_notices(running, person.email)) == 1


async def test_a_mail_server_that_is_away_is_waited_for(silent: RunningApp, monkeypatch: pytest.MonkeyPatch) -> None:
    person = await proven(silent)
    await change_password(silent, person)
    [heard] = await waiting_notices(silent, person.email)

    async def away(_: object) -> None:
        raise PartnerAway("SendGrid: ClientConnectorError")

    with monkeypatch.context() as patch:
        patch.setattr(silent.services.mailer, "send", away)
        with pytest.raises(PartnerAway):
            await hear(silent, heard)
    await hear(silent, heard)
    assert len(sent(silent, person.email, "password was changed")) == 1


async def test_a_notice_that_is_not_to_be_seen_yet_is_waited_for(silent: RunningApp) -> None:
    person = await signed_in(silent)
    with pytest.raises(NotYetThere):
        await notify_owner(silent.services, person.user_id, "notice-unknown", "password_changed")


async def test_an_address_that_was_never_proven_is_not_written_to_while_nobody_can_count(
    silent: RunningApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that was proven does not depend on Redis."""
    stranger, owner = await signed_in(silent), await proven(silent)

    async def gone(*_: Any) -> bool:
        raise CacheUnavailable

    monkeypatch.setattr(tell_owner, "may_mail", gone)
    for person in (stranger, owner):
        await change_password(silent, person)
    assert await waiting_notices(silent, stranger.email) == []
    assert len(await waiting_notices(silent, owner.email)) == 1


async def test_a_notice_goes_to_the_address_that_was_in_force(silent: RunningApp) -> None:
    person = await proven(silent)
    await change_password(silent, person)
    moved = Patch(person.user_id, sets={"email": new_address()})
    await silent.services.store.write(users.CONTAINER, moved, partition=person.user_id)
    assert "password was changed" in (await mails(silent, person.email))[0]["subject"]


def test_every_kind_of_the_contract_has_a_mail() -> None:
    kinds = get_args(get_type_hints(e.AccountNoticeRequestedData)["kind"])
    assert set(kinds) == set(get_args(owner_notice_rules.NoticeKind))
    subjects = set()
    for kind in kinds:
        token = "token" if kind in owner_notice_rules.PURPOSES else None
        row = {"id": "notice-1", "to": "dana@example.com", "name": "Dana"}
        mail = owner_notice_rules.mail_of(kind, row, "https://shop.example", token)
        assert mail.message_id == "<notice-1@notifications.invalid>"
        assert ("#token=token" in mail.text) == (token is not None)
        subjects.add(mail.subject)
    assert len(subjects) == len(kinds)
