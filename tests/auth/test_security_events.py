"""Security events: each in the log with its own schema, and nothing in them that leads to a person."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import orjson
import pytest

from handlers.platform.logs import JsonFormatter
from handlers.platform.security_events import SCHEMA, SecurityEvents
from tests.support.app import RunningApp
from tests.support.people import asked_again, browser, login, mailed_token, new_address, rule_of, signed_in, signed_up
from tests.users.test_two_factor import challenged, code, complete, enrolled

FIELDS = {"schema", "event", "outcome", "principal", "network", "operation_id", "request_id", "reason"}
OF_EVERY_LINE = {"time", "level", "logger", "message"}


class Kept(logging.Handler):
    """Keeps the lines that a log would have."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []
        self.setFormatter(JsonFormatter())

    def emit(self, record: logging.LogRecord) -> None:
        """Keeps one line."""
        self.lines.append(self.format(record))


@pytest.fixture
def seen() -> Iterator[Any]:
    """The events so far, as the log writes them, with LOG_LEVEL=ERROR too."""
    kept, root = Kept(), logging.getLogger()
    before = root.level
    root.addHandler(kept)
    root.setLevel("ERROR")

    def events() -> list[dict[str, Any]]:
        lines = [line for line in map(orjson.loads, kept.lines) if line["logger"] == "security"]
        for line in lines:
            assert line.keys() == FIELDS | OF_EVERY_LINE
            assert line["schema"] == SCHEMA
            assert line["message"] == line["event"]
        return lines

    yield events
    root.removeHandler(kept)
    root.setLevel(before)


def told(events: list[dict[str, Any]]) -> list[tuple[str, str, str]]:
    return [(event["event"], event["outcome"], event["reason"]) for event in events]


async def test_sign_ins_good_and_bad(running: RunningApp, seen: Any) -> None:
    person, nobody = await signed_up(running), new_address()
    await login(running, person.email, "wrong-password")
    await login(running, nobody, "wrong-password")
    await signed_in(running, person)
    events = seen()
    failed = ("sign_in", "failure", "invalid_credentials")
    assert told(events) == [failed, failed, ("sign_in", "success", "")]
    assert events[0]["principal"] == events[2]["principal"] != events[1]["principal"]
    assert events[0]["network"] == events[1]["network"] != ""
    assert {event["operation_id"] for event in events} == {"login"}
    expected = SecurityEvents(running.services).pseudonym("principal", person.user_id)
    assert events[2]["principal"] == expected
    text = str(events)
    for secret in (person.email, nobody, person.user_id, "wrong-password", person.password, "127.0.0.1"):
        assert secret not in text


async def test_factors_and_credentials(running: RunningApp, seen: Any) -> None:
    person, secret, codes = await enrolled(running)
    token = await challenged(running, person)
    await complete(running, token, "AAAAA-AAAAA")
    await complete(running, token, code(running, secret))
    headers = await asked_again(running, person, code=codes[0])
    await running.client.post("/api/users/me/2fa/recovery-codes", headers=headers)
    body = {"password": person.password, "code": "BBBBB-BBBBB"}
    await running.client.post("/api/users/me/2fa/disable", json=body, headers=person.bearer)
    running.clock.advance(seconds=60)
    body["code"] = code(running, secret)
    await running.client.post("/api/users/me/2fa/disable", json=body, headers=person.bearer)
    wrong = {"old_password": "wrong-password", "new_password": "Another-Mountain#43"}
    await running.client.put("/api/users/me/password", json=wrong, headers=person.bearer)
    change = {"old_password": person.password, "new_password": "Another-Mountain#43"}
    await running.client.put("/api/users/me/password", json=change, headers=person.bearer)
    events = seen()
    assert told(events) == [
        ("sign_in", "success", ""),
        ("two_factor_on", "success", ""),
        ("second_factor", "failure", "mfa_code_invalid"),
        ("sign_in", "success", ""),
        ("recovery_codes_renewed", "success", ""),
        ("second_factor", "failure", "mfa_code_invalid"),
        ("two_factor_off", "success", ""),
        ("reauthentication", "failure", "invalid_credentials"),
        ("password_changed", "success", ""),
    ]
    assert len({event["principal"] for event in events}) == 1
    assert not any(one in str(events) for one in (secret, *codes, token, "BBBBB"))


async def test_changes_of_the_address_and_the_end_of_the_account(running: RunningApp, seen: Any) -> None:
    person, new = await signed_in(running), new_address()
    headers = await asked_again(running, person)
    await running.client.put("/api/users/me", json={"email": new}, headers=headers)
    await running.client.post("/api/auth/verify-email", json={"token": await mailed_token(running, new)})
    undo = {"token": await mailed_token(running, person.email, "um-")}
    await running.client.post("/api/auth/undo-email-change", json=undo)
    reset = {"token": await mailed_token(running, person.email, "pr-"), "new_password": person.password}
    await running.client.post("/api/auth/reset-password", json=reset)
    person = await signed_in(running, person)
    headers = await asked_again(running, person)
    await running.client.delete("/api/users/me", headers=headers)
    events = seen()
    assert told(events)[1:] == [
        ("email_change_requested", "success", ""),
        ("email_changed", "success", ""),
        ("email_change_undone", "success", ""),
        ("password_changed", "success", "reset"),
        ("sign_in", "success", ""),
        ("account_deleted", "success", ""),
    ]
    assert not any(one in str(events) for one in (person.email, new, undo["token"], reset["token"]))


async def test_reuse_refused_access_and_forgeries(running: RunningApp, seen: Any) -> None:
    person = await signed_in(running)
    body = {"refresh_token": person.session["refresh_token"]}
    await running.client.post("/api/auth/refresh", json=body)
    running.clock.advance(seconds=11)
    assert rule_of(await running.client.post("/api/auth/refresh", json=body)) == "token_reused"
    other = await signed_in(running)
    assert (await running.client.get("/api/staff/orders", headers=other.bearer)).status_code == 403
    assert (await running.client.get("/api/users/me", headers={"Authorization": "Bearer a.b.c"})).status_code == 401
    assert (await running.client.get("/api/users/me")).status_code == 401
    async with browser(running, other) as client:
        del client.headers["X-CSRF-Token"]
        assert (await client.put("/api/users/me", json={"name": "X"})).status_code == 403
    events = [event for event in seen() if event["event"] != "sign_in"]
    assert told(events) == [
        ("refresh_token_reused", "failure", "token_reused"),
        ("access_refused", "failure", "forbidden"),
        ("access_refused", "failure", "token_invalid"),
        ("access_refused", "failure", "csrf_failed"),
    ]
    assert [event["operation_id"] for event in events] == ["refreshSession", "listStaffOrders", "getMe", "updateMe"]
    assert events[1]["principal"] == events[3]["principal"] != ""
    assert events[2]["principal"] == ""
