"""Rate limits: token buckets in the process, reconciled between processes through Redis in the background.

A request takes its token from a bucket in this process, without waiting for anything. Every `SYNC_SECONDS` one script
call per `BATCH` touched keys tells Redis what was taken here and learns what was taken everywhere. Consequences:

- **Overshoot.** A process learns of the others' requests at its next sync after it saw the key. With N processes a
  caller gets at most N bursts at once instead of one. What was taken too much stays as debt in the shared bucket, so
  that over any time t the caller gets at most `rate * t + N * burst`.
- **Redis away.** The buckets of this process go on alone (fail open, decision 19); `sync_failures` counts, and what
  could not be told is forgotten rather than charged at once later.
- Where exactness matters (log-in attempts), `strict` asks Redis for every single token.

A bucket is kept as one number: the moment at which it will be full again (generic cell rate algorithm, ITU-T I.371).
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_address, ip_network
from math import ceil
from typing import TYPE_CHECKING, Final, NamedTuple

from handlers.platform.cache import Cache, CacheUnavailable, Script

if TYPE_CHECKING:
    from handlers.platform.telemetry import Telemetry

log = logging.getLogger(__name__)

SYNC_SECONDS: Final = 0.2
BATCH: Final = 500
MAX_BUCKETS: Final = 50_000
_SWEEP: Final = 2_000
_ROUNDING: Final = 1e-6
_MICROSECONDS: Final = 1_000_000

# All keys share a hash tag, so that a clustered Redis keeps them in one slot and one script may touch them all.
_PREFIX: Final = "hph:{limits}:"

_NOW: Final = "local t = redis.call('TIME'); local now = t[1] * 1000000 + t[2]\n"
_SPENT: Final = Script(
    _NOW
    + """
local ahead = {}
for i, key in ipairs(KEYS) do
  local full_at = math.max(tonumber(redis.call('GET', key) or 0), now) + tonumber(ARGV[i])
  ahead[i] = full_at - now
  redis.call('SET', key, string.format('%.0f', full_at), 'PX', math.ceil(ahead[i] / 1000) + 1)
end
return ahead
"""
)
_TAKE: Final = Script(
    _NOW
    + """
local before = math.max(tonumber(redis.call('GET', KEYS[1]) or 0), now) - now
local ahead = before + tonumber(ARGV[1])
if ahead > tonumber(ARGV[2]) then return {0, before} end
redis.call('SET', KEYS[1], string.format('%.0f', now + ahead), 'PX', math.ceil(ahead / 1000) + 1)
return {1, ahead}
"""
)


@dataclass(frozen=True, slots=True)
class LimitRule:
    """How many requests: `per_minute` in the long run, `burst` at once."""

    per_minute: float
    burst: int


class Verdict(NamedTuple):
    """What a caller may still do: `remaining` of `limit` requests, full again in `reset` seconds.

    `retry_after` is None when this request may go on, else the seconds until one may.
    """

    limit: int
    remaining: int
    reset: int
    retry_after: int | None


class _Bucket:
    """One caller's bucket. `interval`: seconds a token takes to come back; `window`: seconds an empty bucket takes."""

    __slots__ = ("capacity", "full_at", "interval", "key", "spent", "window")

    def __init__(self, key: str, rule: LimitRule, scale: float) -> None:
        self.key = key
        self.interval = 60.0 / (rule.per_minute * scale)
        self.capacity = max(1, round(rule.burst * scale))
        self.window = self.capacity * self.interval + _ROUNDING
        self.full_at = 0.0
        self.spent = 0

    def take(self, now: float) -> Verdict:
        """Takes a token when there is one; says what is left."""
        wait = max(self.full_at - now, 0.0)
        ahead = wait + self.interval
        if ahead > self.window:
            return self.refused(wait)
        self.full_at = now + ahead
        return Verdict(self.capacity, int((self.window - ahead) / self.interval), ceil(ahead), None)

    def refused(self, wait: float) -> Verdict:
        """The verdict on a request that finds the bucket empty, `wait` seconds before it would be full."""
        return Verdict(self.capacity, 0, ceil(wait), max(1, ceil(wait + self.interval - self.window)))


class Limits:
    """The rate limits of one process. `start` and `stop` frame its life; without them `take` knows this process only.

    `scale` multiplies every rule (`RATE_LIMIT_SCALE`). `space` keeps processes of different roles apart: a gateway and
    the service behind it see the same request and shall not count it twice in one bucket.
    """

    def __init__(
        self,
        cache: Cache | None = None,
        *,
        scale: float = 1.0,
        space: str = "all",
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._cache = cache
        self._scale = scale
        self._prefix = f"{_PREFIX}{space}:"
        self._now = now
        self._buckets: dict[str, _Bucket] = {}
        self._touched: list[_Bucket] = []
        self._to_sweep: list[str] = []
        self._task: asyncio.Task[None] | None = None
        self.allowed = 0
        self.refused = 0
        self.sync_failures = 0

    def take(self, key: str, rule: LimitRule) -> Verdict:
        """Takes one token from a bucket of this process, without waiting. The rule of a key never changes."""
        bucket = self._buckets.get(key)
        if bucket is None:
            bucket = self._add(key, rule)
        verdict = bucket.take(self._now())
        if verdict.retry_after is not None:
            self.refused += 1
            return verdict
        self.allowed += 1
        if bucket.spent == 0:
            self._touched.append(bucket)
        bucket.spent += 1
        return verdict

    async def strict(self, key: str, rule: LimitRule, *, shared_only: bool = False) -> Verdict:
        """Takes one token, exact across all processes: one round trip. On Redis failure this process counts alone.

        With `shared_only` it does not, and raises `CacheUnavailable`: for what fails closed (decision 19).

        For what must not overshoot, such as log-in attempts per account. The key is hashed, so it may hold an address.
        """
        hashed = _hashed(key)
        bucket = _Bucket(hashed, rule, self._scale)
        if self._cache is None:
            if shared_only:
                raise CacheUnavailable("limits are not shared")
            return self.take(hashed, rule)
        arguments = (_microseconds(bucket.interval), _microseconds(bucket.window))
        try:
            taken, ahead = await self._cache.eval(_TAKE, [self._prefix + hashed], arguments)
        except CacheUnavailable:
            self.sync_failures += 1
            if shared_only:
                raise
            return self.take(hashed, rule)
        wait = ahead / _MICROSECONDS
        if not taken:
            self.refused += 1
            return bucket.refused(wait)
        self.allowed += 1
        return Verdict(bucket.capacity, int((bucket.window - wait) / bucket.interval), ceil(wait), None)

    async def forgive(self, key: str) -> None:
        """Fills the bucket of a `strict` key again, such as an account's after a successful log-in."""
        hashed = _hashed(key)
        self._buckets.pop(hashed, None)
        if self._cache is not None:
            with contextlib.suppress(CacheUnavailable):
                await self._cache.delete(self._prefix + hashed)

    def start(self) -> None:
        """Begins to reconcile with the other processes; needs a running event loop."""
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._run(), name="limits")

    async def stop(self) -> None:
        """Ends the reconciling."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    async def sync(self) -> None:
        """Tells Redis what was taken here, learns what was taken everywhere. Never raises for a Redis that is away."""
        touched, self._touched = self._touched, []
        for at in range(0, len(touched), BATCH):
            await self._sync_batch(touched[at : at + BATCH])

    def expose(self, telemetry: Telemetry) -> None:
        """Publishes the counters in the metrics."""
        help_text = "Rate limit decisions of this process."
        telemetry.watch("hph_limit_decisions", help_text, lambda: self.allowed, outcome="allowed")
        telemetry.watch("hph_limit_decisions", help_text, lambda: self.refused, outcome="refused")
        telemetry.watch("hph_limit_sync_failures", "Rate limits decided without Redis.", lambda: self.sync_failures)
        telemetry.watch("hph_limit_buckets", "Buckets held in this process.", lambda: len(self._buckets), kind="gauge")

    def _add(self, key: str, rule: LimitRule) -> _Bucket:
        if len(self._buckets) >= MAX_BUCKETS:
            # The oldest goes. What it knew is in Redis, and comes back with its next sync.
            del self._buckets[next(iter(self._buckets))]
        bucket = self._buckets[key] = _Bucket(key, rule, self._scale)
        return bucket

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(SYNC_SECONDS)
            try:
                await self.sync()
                self._sweep()
            except Exception:
                log.exception("rate limits could not be reconciled")

    async def _sync_batch(self, batch: Sequence[_Bucket]) -> None:
        keys = [self._prefix + bucket.key for bucket in batch]
        charges = [_microseconds(bucket.spent * bucket.interval) for bucket in batch]
        for bucket in batch:
            bucket.spent = 0
        if self._cache is None:
            return
        try:
            replies = await self._cache.eval(_SPENT, keys, charges)
        except CacheUnavailable:
            self.sync_failures += 1
            return
        now = self._now()
        for bucket, ahead in zip(batch, replies, strict=True):
            # What was taken here while Redis answered is not in its reply.
            shared = now + ahead / _MICROSECONDS + bucket.spent * bucket.interval
            bucket.full_at = max(bucket.full_at, shared)

    def _sweep(self) -> None:
        """Drops buckets that are full again, a bounded number at a time: a full bucket is the same as none."""
        if not self._to_sweep:
            self._to_sweep = list(self._buckets)
        now = self._now()
        for key in self._to_sweep[-_SWEEP:]:
            bucket = self._buckets.get(key)
            if bucket is not None and bucket.full_at <= now and bucket.spent == 0:
                del self._buckets[key]
        del self._to_sweep[-_SWEEP:]


def _microseconds(seconds: float) -> int:
    return round(seconds * _MICROSECONDS)


def _hashed(key: str) -> str:
    return "strict:" + hashlib.sha256(key.encode()).hexdigest()[:32]


# A /48 is what a site gets, with 65,536 networks in it (RFC 6177): together they may do as much as so many of them.
NETWORKS_OF_A_SITE: Final = 16


@lru_cache(maxsize=8192)
def site(address: str) -> str | None:
    """The /48 around an IPv6 address; None for IPv4, where nothing wider than an address is one customer's."""
    near = network(address)
    if ":" not in near:
        return None
    try:
        return str(ip_network(f"{near}/48", strict=False))
    except ValueError:
        return None


@lru_cache(maxsize=512)
def wider(rule: LimitRule) -> LimitRule:
    """The rule of a site whose networks have this one."""
    return LimitRule(rule.per_minute * NETWORKS_OF_A_SITE, rule.burst * NETWORKS_OF_A_SITE)


@lru_cache(maxsize=8192)
def network(address: str) -> str:
    """What to limit a client's address by: IPv4 as it is, IPv6 by its /64, which is one customer's (RFC 6177)."""
    if ":" not in address:
        return address
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    mapped = getattr(parsed, "ipv4_mapped", None)
    return str(mapped) if mapped else str(ip_network(f"{parsed}/64", strict=False).network_address)
