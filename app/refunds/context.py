"""What the use cases need of their process."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from app.config import Settings
from app.db import Database
from app.identity import IdentitySettings
from integrations.kernel.clock import Clock, utc_now
from integrations.kernel.ports import Refunds

Clients = Callable[[str], Refunds]


@dataclass(frozen=True, slots=True)
class Context:
    """vendor_of: the vendor's slug of a connection. wake: says that there is work; may be lost, a sweep finds the row."""

    database: Database
    settings: Settings
    ladder: IdentitySettings
    vendor_of: Callable[[str], str]
    wake: Callable[[], object]
    clock: Clock = utc_now
