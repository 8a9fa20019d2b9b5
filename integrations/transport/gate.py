"""The gate every vendor call goes through: breaker, budgets, counters."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Mapping

import redis
from prometheus_client import Counter, Gauge, Histogram

from integrations.kernel.errors import RateLimited, VendorUnavailable
from integrations.kernel.vendor import Account
from integrations.transport.breaker import Breaker
from integrations.transport.limits import Budgets, Limit
from integrations.transport.retry_after import retry_after_s

CALLS = Counter("deskbridge_vendor_calls", "Calls to vendors", ["vendor", "endpoint", "outcome"])
SECONDS = Histogram(
    "deskbridge_vendor_call_seconds", "Time of a call", ["vendor"], buckets=(0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10)
)
LEFT = Gauge(
    "deskbridge_vendor_budget_left", "Calls left for machines", ["connection", "bucket"], multiprocess_mode="min"
)

ACCOUNT = "account"  # the bucket every call of a connection is in


class SharedGate:
    """Gate over Redis. Limits come from the vendor's table in the account's config, by endpoint."""

    def __init__(self, client: redis.Redis, workers: int = 1) -> None:
        self._budgets = Budgets(client, workers)
        self._breakers: dict[str, Breaker] = defaultdict(Breaker)
        self._tables: dict[str, Mapping[str, tuple[int, float]]] = {}

    def limit(self, vendor: str, table: Mapping[str, tuple[int, float]]) -> None:
        """Say a vendor's limits: endpoint (or "account") -> (calls, seconds)."""
        self._tables[vendor] = table

    def enter(self, account: Account, endpoint: str, *, people: bool, wait_s: float) -> None:
        closed_s = self._breakers[account.connection_id].closed_for_s()
        if closed_s > 0:
            CALLS.labels(account.vendor, endpoint, "breaker").inc()
            raise VendorUnavailable(f"not called: it did not answer lately, next try in {closed_s:.0f} s")
        limits = self._limits(account, endpoint)
        until = time.monotonic() + wait_s
        while (pause_s := self._budgets.take(account.connection_id, limits, people=people)) > 0:
            if time.monotonic() + pause_s > until:
                CALLS.labels(account.vendor, endpoint, "budget").inc()
                raise RateLimited(f"{endpoint}: our own budget is used up", retry_after_s=pause_s)
            time.sleep(pause_s)

    def leave(
        self, account: Account, endpoint: str, *, status: int | None, headers: Mapping[str, str], seconds: float
    ) -> None:
        CALLS.labels(account.vendor, endpoint, str(status or "none")).inc()
        SECONDS.labels(account.vendor).observe(seconds)
        self._breakers[account.connection_id].tell(ok=status is not None and status < 500, timeout=status is None)
        if status == 429:
            self._budgets.close(account.connection_id, ACCOUNT, retry_after_s(headers))
        for limit in self._limits(account, endpoint):
            left = self._budgets.left(account.connection_id, limit) if status == 429 else None
            if left is not None:
                LEFT.labels(account.connection_id, limit.bucket).set(left)

    def _limits(self, account: Account, endpoint: str) -> list[Limit]:
        if account.config.get("limits") == "off":
            return []
        table = self._tables.get(account.vendor, {})
        per_minute = account.config.get("calls_per_minute")
        found = []
        for bucket in (ACCOUNT, endpoint):
            if bucket == ACCOUNT and per_minute:
                found.append(Limit(ACCOUNT, int(per_minute), 60.0))
            elif bucket in table:
                calls, window_s = table[bucket]
                found.append(Limit(bucket, calls, window_s))
        return found
