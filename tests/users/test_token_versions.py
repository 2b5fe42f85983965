"""Access tokens end with what they stand for: logout, another password, a revoked session, the account."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from handlers.users.end_session import MAX_ENDED, ended
from handlers.users.erase_again import erase_again
from tests.support.app import RunningApp, running_app
from tests.support.people import Person, asked_again, login, mailed_token, rule_of, signed_in
from tests.support.wait import eventually
from tests.users.test_rules import LATER, user

ADDRESS = {
    "name": "Dana Whitfield",
    "line1": "123 Main St",
    "city": "San Francisco",
    "state": "CA",
    "postal_code": "94102",
    "country": "US",
}


@asynccontextmanager
async def two_processes(folder: Path, redis_url: str) -> AsyncIterator[tuple[RunningApp, RunningApp]]:
    """Two processes on one store: what one of them does, the other has to learn."""
    async with running_app(folder, redis_url) as one, running_app(folder, redis_url) as other:
        yield one, other


async def write(running: RunningApp, person: Person) -> httpx.Response:
    async with running.new_client() as client:
        return await client.post("/api/users/me/addresses", json=ADDRESS, headers=person.bearer)


async def read(running: RunningApp, person: Person) -> httpx.Response:
    async with running.new_client() as client:
        return await client.get("/api/users/me/rewards", headers=person.bearer)


async def log_out(running: RunningApp, person: Person) -> None:
    body = {"refresh_token": person.session["refresh_token"]}
    assert (await running.client.post("/api/auth/logout", json=body)).status_code == 204


async def change_password(running: RunningApp, person: Person) -> None:
    body = {"old_password": person.password, "new_password": "Another-Mountain#43"}
    answer = await running.client.put("/api/users/me/password", json=body, headers=person.bearer)
    assert answer.status_code == 204


async def reset_password(running: RunningApp, person: Person) -> None:
    await running.client.post("/api/auth/forgot-password", json={"email": person.email})
    token = await mailed_token(running, person.email, "pr-")
    body = {"token": token, "new_password": "Another-Mountain#43"}
    assert (await running.client.post("/api/auth/reset-password", json=body)).status_code == 200


async def reuse_a_refresh_token(running: RunningApp, person: Person) -> None:
    body = {"refresh_token": person.session["refresh_token"]}
    assert (await running.client.post("/api/auth/refresh", json=body)).status_code == 200
    running.clock.advance(seconds=11)
    assert rule_of(await running.client.post("/api/auth/refresh", json=body)) == "token_reused"


async def delete_account(running: RunningApp, person: Person) -> None:
    headers = await asked_again(running, person)
    assert (await running.client.delete("/api/users/me", headers=headers)).status_code == 204


ENDS = [log_out, change_password, reset_password, reuse_a_refresh_token, delete_account]


@pytest.mark.parametrize("end", ENDS, ids=lambda end: end.__name__)
async def test_what_ends_a_session_ends_its_access_token(tmp_path: Path, redis_url: str, end: Any) -> None:
    async with two_processes(tmp_path, redis_url) as (one, other):
        person = await signed_in(one)
        assert (await write(other, person)).status_code == 201
        assert (await read(other, person)).status_code == 200
        await end(one, person)
        refused = [await write(one, person), await read(one, person)]
        assert [(answer.status_code, rule_of(answer)) for answer in refused] == [(401, "token_invalid")] * 2
        other.clock.advance(seconds=5)
        answer = await write(other, person)
        assert (answer.status_code, rule_of(answer)) == (401, "token_invalid")
        assert (await read(other, person)).status_code == 401


async def test_reads_elsewhere_follow_within_a_minute(tmp_path: Path, redis_url: str) -> None:
    async with two_processes(tmp_path, redis_url) as (one, other):
        person = await signed_in(one)
        assert (await read(other, person)).status_code == 200
        await change_password(one, person)
        other.clock.advance(seconds=50)
        assert (await read(other, person)).status_code == 200
        other.clock.advance(seconds=10)
        assert (await read(other, person)).status_code == 401


async def test_logging_out_here_leaves_the_session_there(running: RunningApp) -> None:
    here = await signed_in(running)
    there = Person(here.email, here.password, (await login(running, here.email, here.password)).json())
    await log_out(running, here)
    assert (await write(running, here)).status_code == 401
    assert (await write(running, there)).status_code == 201


async def test_what_everybody_sees_is_seen_with_an_ended_token_too(running: RunningApp) -> None:
    """Kept answers are the same for all: no account is read for them."""
    person = await signed_in(running)
    await log_out(running, person)
    assert (await running.client.get("/api/products", headers=person.bearer)).status_code == 200
    assert (await running.client.get("/api/cart", headers=person.bearer)).status_code == 401


async def test_nothing_is_left_of_an_account_that_goes_on_being_used(tmp_path: Path, redis_url: str) -> None:
    """For 20 seconds after `DELETE me` another process, which has not heard of it, takes writes with the token."""
    async with two_processes(tmp_path, redis_url) as (one, other):
        person = await signed_in(one)
        assert (await write(other, person)).status_code == 201
        await delete_account(one, person)

        async def nothing_left() -> bool:
            return not kept_of(tmp_path, person)

        await eventually(nothing_left)
        statuses = []
        for _ in range(20):
            statuses.append((await write(other, person)).status_code)
            other.clock.advance(seconds=1)
        # The neighbour has learnt of it after 5 seconds; what it wrote until then is left behind by the first erasure.
        assert statuses[0] == 201
        assert set(statuses[5:]) == {401}
        assert any(row.startswith("c_addresses") for row in kept_of(tmp_path, person))
        one.clock.advance(seconds=61)
        await erase_again(one.services, "job-1")
        await eventually(nothing_left)
        assert await one.services.store.read("erasures", "due", person.user_id) is None


async def test_an_account_that_was_not_deleted_after_all_is_not_erased(running: RunningApp) -> None:
    from handlers.users.erase_again import schedule_erasure  # noqa: PLC0415 - for this test only

    person = await signed_in(running)
    assert (await write(running, person)).status_code == 201
    await schedule_erasure(running.services.store, person.user_id, running.clock.now())
    running.clock.advance(seconds=61)
    await erase_again(running.services, "job-1")
    assert await running.services.store.read("erasures", "due", person.user_id) is None
    assert (await read(running, await signed_in(running, person))).status_code == 200


def test_more_ended_sessions_than_are_kept_end_all() -> None:
    state = user()
    for number in range(MAX_ENDED):
        state = ended(state, f"s{number}", LATER, LATER.replace(minute=0)).user
        assert state["token_version"] == 0
    many = ended(state, "one-more", LATER, LATER.replace(minute=0)).user
    assert (many["token_version"], many["ended_sessions"]) == (1, {})
    later = LATER.replace(hour=LATER.hour + 1)
    assert set(ended(state, "x", later, later).user["ended_sessions"]) == {"x"}


def kept_of(folder: Path, person: Person) -> list[str]:
    """The rows of the store that name a person, but for events, which go by time, and for the erasure to come."""
    found = []
    with closing(sqlite3.connect(folder / "documents.sqlite3")) as database:
        tables = [row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for table in tables:
            for row in database.execute(f'SELECT * FROM "{table}"'):
                text = " ".join(_text(value) for value in row)
                of_events = '"kind":"outbox"' in text or '"kind":"inbox"' in text
                # A notice that was sent names the account alone and goes with its event.
                of_events |= '"kind":"notice"' in text and person.email not in text
                if table != "c_erasures" and not of_events and (person.user_id in text or person.email in text):
                    found.append(f"{table}: {text[:300]}")
    return found


def _text(value: object) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
