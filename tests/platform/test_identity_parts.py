"""Addresses, password hashes, sealed secrets, background work, cookies, entity tags."""

from __future__ import annotations

import asyncio
import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.platform import cookies, etags
from handlers.platform.background import MAX_TASKS, Background
from handlers.platform.email import address_in, normalised
from handlers.platform.errors import Problem
from handlers.platform.passwords import MAX_WAITING, Passwords
from handlers.platform.vault import Unreadable, Vault


@pytest.mark.parametrize(
    ("given_address", "stored"),
    [
        ("Customer@Example.COM", "customer@example.com"),
        ("ｃustomer＠example.com", "customer@example.com"),
        ("a.b+tag@example.com", "a.b+tag@example.com"),
        ("x@bücher.example", "x@xn--bcher-kva.example"),
        ("x@BÜCHER.example", "x@xn--bcher-kva.example"),
        ("x@xn--bcher-kva.example", "x@xn--bcher-kva.example"),
        ("x@раураl.com", "x@xn--l-7sba6dbr.com"),
    ],
)
def test_addresses_have_one_form(given_address: str, stored: str) -> None:
    assert normalised(given_address) == stored
    assert normalised(stored) == stored


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a",
        "a@b",
        "a@@b.com",
        "a b@c.com",
        "a@b.com,c@d.com",
        "ü@b.com",
        '"a"@b.com',
        "a@b.com\n",
        "a@[127.0.0.1]",
    ],
)
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - whatever the library says
        normalised(text)
    with pytest.raises(Problem) as refused:
        address_in(text)
    assert refused.value.status == 400
    assert len(text) < 3 or text not in str(refused.value.details)


@given(st.text(max_size=80))
def test_the_form_of_an_address_is_stable_ascii_on_one_line(text: str) -> None:
    try:
        stored = normalised(text)
    except ValueError:
        return
    assert normalised(stored) == stored
    assert stored.isascii()
    assert stored == stored.lower()
    assert not any(sign in stored for sign in "\r\n ,;<>")


async def test_each_check_costs_one_hash() -> None:
    passwords = Passwords(4)
    hashed = await passwords.hash("Mountain-Rail#42")
    assert await passwords.matches("Mountain-Rail#42", hashed)
    assert not await passwords.matches("mountain-rail#42", hashed)
    assert not await passwords.matches("Mountain-Rail#42", None)
    assert not await passwords.matches("x" * 100, hashed)
    assert passwords.computed == 5
    assert not passwords.outdated(hashed)
    assert Passwords(5).outdated(hashed)
    passwords.close()


async def test_the_loop_goes_on_while_passwords_are_hashed() -> None:
    passwords = Passwords(10)
    task = asyncio.gather(*(passwords.hash("x" * 8) for _ in range(4)))
    lags = []
    while not task.done():
        before = asyncio.get_running_loop().time()
        await asyncio.sleep(0.001)
        lags.append(asyncio.get_running_loop().time() - before)
    await task
    assert len(lags) > 10
    passwords.close()


async def test_a_queue_of_hashes_has_an_end() -> None:
    passwords = Passwords(4)
    tasks = [asyncio.ensure_future(passwords.hash("x" * 8)) for _ in range(MAX_WAITING + 3)]
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    refused = [outcome for outcome in outcomes if isinstance(outcome, Problem)]
    assert [problem.status for problem in refused] == [503] * 3
    passwords.close()


def test_sealed_texts_open_for_their_owner_only() -> None:
    vault = Vault(b"k" * 32)
    sealed = vault.seal("JBSWY3DP", "user-1")
    assert vault.open(sealed, "user-1") == "JBSWY3DP"
    assert vault.seal("JBSWY3DP", "user-1") != sealed
    for other, owner, text in (
        (vault, "user-2", sealed),
        (Vault(b"j" * 32), "user-1", sealed),
        (vault, "user-1", "%%"),
    ):
        with pytest.raises(Unreadable):
            other.open(text, owner)


async def test_background_work_is_finished_and_its_failures_say_no_more_than_their_type(
    caplog: pytest.LogCaptureFixture,
) -> None:
    background, done = Background(), []

    async def work(number: int) -> None:
        await asyncio.sleep(0)
        if number == 1:
            raise ValueError("dana@example.com")
        done.append(number)

    with caplog.at_level(logging.ERROR):
        for number in range(3):
            background.spawn(work(number), "a mail")
        await background.drain()
    assert done == [0, 2]
    assert background.failures == 1
    assert "dana@example.com" not in caplog.text


async def test_background_work_is_bounded_and_cut_off_at_the_end() -> None:
    background = Background()
    for _ in range(MAX_TASKS + 2):
        background.spawn(asyncio.sleep(60), "sleep")
    assert background.failures == 2
    await background.drain(0.01)
    await asyncio.sleep(0)
    await background.drain(0.01)


def test_cookies() -> None:
    _, access = cookies.cookie(cookies.ACCESS, "t", 900, secure=True)
    assert access == b"__Host-hph_access=t; Path=/; Max-Age=900; SameSite=Lax; HttpOnly; Secure"
    _, csrf = cookies.cookie(cookies.CSRF, "c", 9, secure=False)
    assert csrf == b"hph_csrf=c; Path=/; Max-Age=9; SameSite=Lax"
    assert [value.split(b";")[0] for _, value in cookies.cleared(secure=True)] == [
        b"__Host-hph_access=",
        b"__Secure-hph_refresh=",
        b"__Host-hph_csrf=",
    ]


def test_entity_tags() -> None:
    assert etags.expected(None) is None
    assert etags.expected(" * ") is None
    assert etags.expected('"e1"') == "e1"
    etags.check('"e1"', "e1")
    etags.check(None, "e2")
    for tag in ('W/"e1"', '"a", "b"', '""', "e1", '"', ""):
        with pytest.raises(Problem) as refused:
            etags.check(tag, "e1")
        assert refused.value.status == 412
    with pytest.raises(Problem):
        etags.check('"e2"', "e1")
