"""What transport asks of others: credentials, and leave to call."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from integrations.kernel.errors import VendorError
from integrations.kernel.vendor import Account


class Authoriser(Protocol):
    """Adds credentials. `renew` is called once after a 401, with the header that was refused."""

    def header(self) -> str:
        """The value of Authorization, renewed by itself before it runs out."""

    def renew(self, refused: str) -> None:
        """Get new credentials, unless another thread has replaced the refused ones already."""


@dataclass(frozen=True, slots=True)
class Room:
    """made: calls of ours in the day, of `share` that we may make; None where there is no share or it cannot be known.

    wait_s: until a machine may make the next call; 0 is now.
    """

    made: int | None = None
    share: int | None = None
    wait_s: float = 0.0


class Gate(Protocol):
    """Asked before each call, told after it, in the same thread.

    `endpoint` is the client's own name for what it calls; `name#object` where the vendor also limits each object.
    """

    def limit(self, vendor: str, table: Mapping[str, Any]) -> None:
        """Say a vendor's limits, by endpoint."""

    def enter(self, account: Account, endpoint: str, *, people: bool, wait_s: float) -> None:
        """Take a place in the budgets. Raises RateLimited, or VendorUnavailable while the breaker is open."""

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
        """Tell how it went. status: None when there was no answer; then `error` says how that ended."""

    def close(self, account: Account, seconds: float) -> None:
        """The vendor said in words of its own that this account makes no calls for so long; people neither."""

    def room(self, account: Account) -> Room:
        """What a machine may still call of this account; costs no call."""


class OpenGate:
    """No limits, no breaker; counts calls by endpoint. For tests and tools."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()
        self._lock = threading.Lock()

    def limit(self, vendor: str, table: Mapping[str, Any]) -> None:
        return None

    def enter(self, account: Account, endpoint: str, *, people: bool, wait_s: float) -> None:
        with self._lock:
            self.calls[endpoint.partition("#")[0]] += 1

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
        return None

    def close(self, account: Account, seconds: float) -> None:
        return None

    def room(self, account: Account) -> Room:
        return Room()
