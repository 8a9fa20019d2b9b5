"""The gate every vendor call goes through: breaker, budgets, counters."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import redis
from prometheus_client import Counter, Gauge, Histogram

from integrations.kernel.errors import RateLimited, VendorError, VendorUnavailable
from integrations.kernel.vendor import Account
from integrations.transport.breaker import Breaker
from integrations.transport.limits import Budgets, Limit
from integrations.transport.protocols import Room
from integrations.transport.retry_after import asked_s, retry_after_s
from integrations.transport.told import Told, told

CALLS = Counter("deskbridge_vendor_calls", "Calls to vendors", ["vendor", "endpoint", "outcome"])
SECONDS = Histogram(
    "deskbridge_vendor_call_seconds", "Time of a call", ["vendor"], buckets=(0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10)
)
LEFT = Gauge(
    "deskbridge_vendor_budget_left", "Calls left for machines", ["connection", "bucket"], multiprocess_mode="mostrecent"
)

ACCOUNT, SHARE = "account", "share"  # the buckets every call of a connection is in; the second where a share is set
TELL_BELOW = 0.5  # what the vendor counts matters, and is passed on, when less than this part of a limit is left
MEASURE_EACH_S = 5.0  # how often the gauge of a bucket is brought up to date
# Settings that replace a vendor's account limit; the last is told by the vendor itself, not by an admin.
_RATES = (("calls_per_minute", 60.0), ("calls_per_second", 1.0), ("calls_per_day", 86_400.0))

Table = Mapping[str, Sequence[Limit]]


class SharedGate:
    """Gate over Redis. Limits come from the vendor's table and the account's own plan."""

    def __init__(self, client: redis.Redis, workers: int = 1) -> None:
        self._budgets = Budgets(client, workers)
        self._breakers: dict[str, Breaker] = defaultdict(Breaker)
        self._tables: dict[str, Table] = {}
        self._measured: dict[tuple[str, str], float] = {}
        self._lock = threading.Lock()

    def limit(self, vendor: str, table: Mapping[str, Any]) -> None:
        """Say a vendor's limits: endpoint (or "account") -> its Limits, or (calls, seconds) of a bucket of its own."""
        self._tables[vendor] = {
            name: (Limit(name, int(one[0]), float(one[1])),) if isinstance(one[0], int) else tuple(one)
            for name, one in table.items()
        }

    def enter(self, account: Account, endpoint: str, *, people: bool, wait_s: float) -> None:
        """Raises VendorUnavailable while the breaker is open, RateLimited when budget would take longer than wait_s."""
        breaker = self._breaker(account)
        name = endpoint.partition("#")[0]
        closed_s = breaker.closed_for_s()
        if closed_s > 0:
            CALLS.labels(account.vendor, name, "breaker").inc()
            raise VendorUnavailable(f"not called: it did not answer lately, next try in {closed_s:.0f} s")
        limits = self._limits(account, endpoint)
        until = time.monotonic() + wait_s
        while (pause_s := self._budgets.take(account.connection_id, limits, people=people)) > 0:
            if time.monotonic() + pause_s > until:
                breaker.not_called()
                CALLS.labels(account.vendor, name, "budget").inc()
                raise RateLimited(
                    f"{name}: not called, its budget is used up or closed", retry_after_s=pause_s, endpoint=name
                )
            time.sleep(pause_s)

    def leave(
        self,
        account: Account,
        endpoint: str,
        *,
        status: int | None,
        headers: Mapping[str, str],
        seconds: float,
        error: VendorError | None = None,
    ) -> None:
        """Count the call, tell the breaker, and keep to what the vendor says of its limits."""
        outcome = str(status) if status is not None else (error.code if error else "none")
        CALLS.labels(account.vendor, endpoint.partition("#")[0], outcome).inc()
        SECONDS.labels(account.vendor).observe(seconds)
        self._breaker(account).tell(ok=status is not None and status < 500, timeout=status is None)
        limits = self._limits(account, endpoint)
        if limits and status is not None:
            self._learn(account, limits, status, headers)
            self._measure(account, limits)

    def close(self, account: Account, seconds: float) -> None:
        """Close an account for all processes: what its vendor says in no status or header, its client has read."""
        for whole in self._limits(account, "")[:1]:
            self._budgets.close(account.connection_id, whole, seconds)

    def room(self, account: Account) -> Room:
        """What a machine may still call of this account. Takes nothing."""
        limits = self._limits(account, "")
        share = next((one for one in limits if one.ours), None)
        wait_s = self._budgets.wait_s(account.connection_id, limits)
        if share is None:
            return Room(wait_s=wait_s)
        left = self._budgets.left(account.connection_id, share)
        return Room(None if left is None else share.calls - left, share.calls, wait_s)

    def budget_left(self, account: Account, endpoint: str) -> dict[str, int | None]:
        """Calls left for machines by bucket; None while Redis is away."""
        limits = [one for one in self._limits(account, endpoint) if one.calls]
        return {one.bucket: self._budgets.left(account.connection_id, one) for one in limits}

    def _breaker(self, account: Account) -> Breaker:
        with self._lock:
            return self._breakers[account.connection_id]

    def _learn(self, account: Account, limits: Sequence[Limit], status: int, headers: Mapping[str, str]) -> None:
        """A 429 closes for everybody what it is about: the endpoint while the account has room, else the account."""
        news = told(headers)
        of_account = next((one for one in news if one.account), None)
        whole, endpoint = limits[0], next((one for one in limits[1:] if not one.each), limits[-1])
        if status == 429:
            scope = endpoint if of_account is not None and of_account.remaining > 0 else whole
            self._budgets.close(account.connection_id, scope, retry_after_s(headers))
        elif status == 503 and (pause_s := asked_s(headers)) is not None:
            self._budgets.close(account.connection_id, whole, pause_s)
        for one in news:
            self._heed(account, whole if one.account else endpoint, one)

    def _heed(self, account: Account, limit: Limit, news: Told) -> None:
        """Others call this vendor too: what it has counted beyond our calls is theirs."""
        total = max(news.total or 0, limit.calls)
        seconds = news.resets_s if news.resets_s is not None else limit.window_s
        if limit.calls and total and news.remaining < total * TELL_BELOW:
            self._budgets.counted(account.connection_id, limit, total - news.remaining, min(seconds, limit.window_s))
        elif not limit.calls and news.remaining == 0:
            self._budgets.close(account.connection_id, limit, seconds)

    def _measure(self, account: Account, limits: Sequence[Limit]) -> None:
        for limit in limits:
            key, now = (account.connection_id, limit.bucket), time.monotonic()
            if not limit.calls or limit.each or now < self._measured.get(key, 0.0):
                continue
            self._measured[key] = now + MEASURE_EACH_S
            left = self._budgets.left(account.connection_id, limit)
            if left is not None:
                LEFT.labels(*key).set(left)

    def _limits(self, account: Account, endpoint: str) -> list[Limit]:
        """The account's limit first, then the endpoint's own and one without a limit that can be closed; our share last."""
        if account.config.get("limits") == "off":
            return []
        name, _, one = endpoint.partition("#")
        table = self._tables.get(account.vendor, {})
        own = [_of(limit, one) if limit.each else limit for limit in table.get(name, ())]
        return [_account_limit(account, table), *own, Limit(f"endpoint:{name}", 0, 60.0), *_share(account)]


def _of(limit: Limit, one: str) -> Limit:
    return Limit(f"{limit.bucket}:{one}", limit.calls, limit.window_s, each=True)


def _share(account: Account) -> list[Limit]:
    """Of the day's calls that the vendor told, those we may make ourselves: `daily_share` per cent."""
    day, percent = str(account.config.get("calls_per_day") or ""), str(account.config.get("daily_share") or "")
    if not (day.isdigit() and percent.isdigit()):
        return []
    return [Limit(SHARE, max(1, int(day) * int(percent) // 100), 86_400.0, ours=True)]


def _account_limit(account: Account, table: Table) -> Limit:
    for setting, window_s in _RATES:
        if str(account.config.get(setting) or "").isdigit():
            return Limit(ACCOUNT, int(account.config[setting]), window_s)
    return table[ACCOUNT][0] if table.get(ACCOUNT) else Limit(ACCOUNT, 0, 60.0)
