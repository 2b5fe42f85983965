"""Answers of the store that are lost, late or no: accounts and addresses stay whole."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from handlers.platform.store.port import OutcomeUnknown, StoreUnavailable, VersionConflict
from handlers.users import leaving
from tests.support.app import RunningApp, running_app
from tests.support.people import (
    PASSWORD,
    Person,
    asked_again,
    login,
    mailed_token,
    new_address,
    outbox_events,
    rule_of,
    signed_in,
    signed_up,
)


def body_for(email: str) -> dict[str, str]:
    return {"name": "Dana Whitfield", "email": email, "password": PASSWORD}


@contextmanager
def batches(running: RunningApp, *, before: Exception | None = None, after: Exception | None = None) -> Iterator[None]:
    """While the block runs, a batch on accounts fails before or after it took effect."""
    batch = running.services.store.batch

    async def failing(container: str, partition: Any, operations: Any) -> Any:
        if container != "users":
            return await batch(container, partition, operations)
        if before is not None:
            raise before
        await batch(container, partition, operations)
        assert after is not None
        raise after

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(running.services.store, "batch", failing)
        yield


async def test_a_sign_up_whose_answer_was_lost_is_one(running: RunningApp) -> None:
    email = new_address()
    with batches(running, after=OutcomeUnknown()):
        assert (await running.client.post("/api/auth/signup", json=body_for(email))).status_code == 201
    assert (await login(running, email, PASSWORD)).status_code == 200
    assert rule_of(await running.client.post("/api/auth/signup", json=body_for(email))) == "email_taken"


async def test_a_sign_up_lost_on_its_way_blocks_the_address_for_a_minute_only(running: RunningApp) -> None:
    email = new_address()
    with batches(running, before=OutcomeUnknown()):
        assert (await running.client.post("/api/auth/signup", json=body_for(email))).status_code == 503
    assert (await running.client.post("/api/auth/signup", json=body_for(email))).status_code == 409
    running.clock.advance(seconds=61)
    assert (await running.client.post("/api/auth/signup", json=body_for(email))).status_code == 201


async def test_a_sign_up_that_was_refused_gives_the_address_free(running: RunningApp) -> None:
    email = new_address()
    with batches(running, before=StoreUnavailable()):
        answer = await running.client.post("/api/auth/signup", json=body_for(email))
    assert answer.status_code == 503
    assert answer.headers["retry-after"]
    assert (await running.client.post("/api/auth/signup", json=body_for(email))).status_code == 201


async def test_a_change_whose_answer_was_lost_happens_once(running: RunningApp) -> None:
    person = await signed_in(running)
    with batches(running, after=OutcomeUnknown()):
        answer = await running.client.put("/api/users/me", json={"name": "New"}, headers=person.bearer)
    assert (answer.status_code, answer.json()["name"]) == (200, "New")
    assert len(await outbox_events(running, person.user_id)) == 2


async def moving(running: RunningApp) -> tuple[Person, str, dict[str, str]]:
    """A person whose change of address waits for its proof: the new address, and the body that proves it."""
    person, new = await signed_in(running), new_address()
    headers = await asked_again(running, person)
    assert (await running.client.put("/api/users/me", json={"email": new}, headers=headers)).status_code == 200
    return person, new, {"token": await mailed_token(running, new)}


async def test_a_move_whose_answer_was_lost_moves_the_claim(running: RunningApp) -> None:
    person, new, proof = await moving(running)
    with batches(running, after=OutcomeUnknown()):
        assert (await running.client.post("/api/auth/verify-email", json=proof)).status_code == 200
    assert (await login(running, new, person.password)).status_code == 200
    running.clock.advance(hours=73)
    await signed_up(running, person.email)


async def test_a_move_lost_on_its_way_keeps_the_old_address(running: RunningApp) -> None:
    person, new, proof = await moving(running)
    with batches(running, before=OutcomeUnknown()):
        assert (await running.client.post("/api/auth/verify-email", json=proof)).status_code == 503
    running.clock.advance(seconds=61)
    assert rule_of(await running.client.post("/api/auth/signup", json=body_for(person.email))) == "email_taken"
    assert (await login(running, person.email, person.password)).status_code == 200
    await signed_up(running, new)


async def test_an_undo_lost_on_its_way_can_be_tried_again(running: RunningApp) -> None:
    person, new, proof = await moving(running)
    link = {"token": await mailed_token(running, person.email, "um-")}
    assert (await running.client.post("/api/auth/verify-email", json=proof)).status_code == 200
    with batches(running, before=OutcomeUnknown()):
        assert (await running.client.post("/api/auth/undo-email-change", json=link)).status_code == 503
    running.clock.advance(seconds=61)
    for address in (person.email, new):
        assert rule_of(await running.client.post("/api/auth/signup", json=body_for(address))) == "email_taken"
    assert (await running.client.post("/api/auth/undo-email-change", json=link)).status_code == 200
    await signed_up(running, new)


async def test_others_that_are_always_faster_end_in_503(running: RunningApp) -> None:
    person = await signed_in(running)
    again = await asked_again(running, person)
    with batches(running, before=VersionConflict()):
        put = await running.client.put("/api/users/me", json={"name": "New"}, headers=person.bearer)
        delete = await running.client.delete("/api/users/me", headers=again)
    assert (put.status_code, delete.status_code) == (503, 503)
    assert (await login(running, person.email, person.password)).status_code == 200


@pytest.mark.parametrize("step", ["release"])
async def test_a_crash_after_the_deletion_blocks_no_address(
    running: RunningApp, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    person = await signed_in(running)

    async def dies(*_: Any) -> None:
        raise RuntimeError

    again = await asked_again(running, person)
    with monkeypatch.context() as patch:
        patch.setattr(leaving, step, dies)
        assert (await running.client.delete("/api/users/me", headers=again)).status_code == 500
    assert (await login(running, person.email, person.password)).status_code == 401
    running.clock.advance(seconds=61)
    await signed_up(running, person.email)


async def test_a_deletion_that_did_not_happen_keeps_the_address(running: RunningApp) -> None:
    person = await signed_in(running)
    again = await asked_again(running, person)
    with batches(running, before=StoreUnavailable()):
        assert (await running.client.delete("/api/users/me", headers=again)).status_code == 503
    running.clock.advance(seconds=61)
    assert rule_of(await running.client.post("/api/auth/signup", json=body_for(person.email))) == "email_taken"


async def test_hashes_made_at_a_lower_cost_are_renewed_at_login(tmp_path: Any, redis_url: str) -> None:
    async with running_app(tmp_path, redis_url) as running:
        person = await signed_up(running)
        cheap = await stored_hash(running, person)
    async with running_app(tmp_path, redis_url, PASSWORD_HASH_COST="5") as running:
        for _ in range(2):
            assert (await login(running, person.email, person.password)).status_code == 200
            await running.services.background.drain()
        dear = await stored_hash(running, person)
        assert (cheap[:7], dear[:7]) == ("$2b$04$", "$2b$05$")
        assert (await login(running, person.email, person.password)).status_code == 200


async def stored_hash(running: RunningApp, person: Person) -> str:
    session = (await login(running, person.email, person.password)).json()
    stored = await running.services.store.read("users", session["user"]["user_id"], session["user"]["user_id"])
    assert stored is not None
    return str(stored.data["password_hash"])
