"""The breaker before each partner: first pause a second, then longer; one probe at a time; Retry-After is true."""

from __future__ import annotations

import asyncio

import pytest

from handlers.partners.breaker import Breaker, PartnerAway, PartnerNotAsked, PartnerUnavailable


class Partner:
    """Somebody who answers or does not, counts, and may take its time."""

    def __init__(self) -> None:
        self.away = True
        self.asked = 0
        self.goes_on = asyncio.Event()
        self.goes_on.set()
        self.now = 0.0
        self.breaker = Breaker("Partner", failures=5, now=lambda: self.now)

    async def answer(self) -> str:
        self.asked += 1
        await self.goes_on.wait()
        if self.away:
            raise PartnerAway("Partner: ConnectionError")
        return "here"

    async def ask(self) -> str:
        return await self.breaker.call(self.answer)

    async def fails(self) -> PartnerUnavailable:
        with pytest.raises(PartnerUnavailable) as error:
            await self.ask()
        return error.value

    async def opens(self) -> PartnerUnavailable:
        errors = [await self.fails() for _ in range(5)]
        return errors[-1]


async def test_the_first_pause_is_a_second_and_nobody_is_asked_meanwhile() -> None:
    partner = Partner()
    last = await partner.opens()
    assert (last.retry_after, partner.asked) == (1, 5)
    refused = await partner.fails()
    assert isinstance(refused, PartnerNotAsked)
    assert (refused.retry_after, partner.asked) == (1, 5)
    partner.away, partner.now = False, 1.0
    assert await partner.ask() == "here"
    # Closed again: whoever comes is let through at once.
    assert await asyncio.gather(*(partner.ask() for _ in range(3))) == ["here"] * 3


async def test_pauses_grow_to_thirty_seconds_and_what_is_said_of_them_is_true() -> None:
    partner = Partner()
    said = [(await partner.opens()).retry_after]
    for _ in range(7):
        # Before the time that was said one may be in vain, after it never.
        partner.now += said[-1]
        error = await partner.fails()
        assert not isinstance(error, PartnerNotAsked)
        assert 0.75 * 2 ** len(said) <= error.retry_after or error.retry_after >= 23
        said.append(error.retry_after)
    assert said == sorted(said[:5]) + said[5:]
    assert max(said) <= 30
    assert min(said[5:]) >= 23
    assert partner.asked == 5 + 7
    partner.away = False
    partner.now += said[-1]
    assert await partner.ask() == "here"
    # The next outage begins with a second again.
    partner.away = True
    assert (await partner.opens()).retry_after == 1


async def test_one_probe_at_a_time() -> None:
    partner = Partner()
    await partner.opens()
    partner.away, partner.now = False, 1.0
    partner.goes_on.clear()
    probe = asyncio.create_task(partner.ask())
    await asyncio.sleep(0)
    for _ in range(10):
        assert isinstance(await partner.fails(), PartnerNotAsked)
    assert partner.asked == 6
    partner.goes_on.set()
    assert await probe == "here"


async def test_a_probe_that_is_given_up_leaves_room_for_another() -> None:
    partner = Partner()
    await partner.opens()
    partner.away, partner.now = False, 1.0
    partner.goes_on.clear()
    probe = asyncio.create_task(partner.ask())
    await asyncio.sleep(0)
    probe.cancel()
    with pytest.raises(asyncio.CancelledError):
        await probe
    partner.goes_on.set()
    assert await partner.ask() == "here"


async def test_those_under_way_when_it_opens_make_the_pause_no_longer() -> None:
    partner = Partner()
    partner.goes_on.clear()
    calls = [asyncio.create_task(partner.fails()) for _ in range(20)]
    await asyncio.sleep(0)
    partner.goes_on.set()
    assert {error.retry_after for error in await asyncio.gather(*calls)} == {1}
    partner.away, partner.now = False, 1.0
    assert await partner.ask() == "here"
