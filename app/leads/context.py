"""What the use cases of leads need of their process."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from app.config import Settings
from app.db import Database
from integrations.kernel.clock import Clock, utc_now
from integrations.kernel.ports import Crm


@dataclass(frozen=True, slots=True)
class LeadContext:
    """client: the CRM of a connection. bulk_over: more records of one shape than this go as a job of the CRM."""

    database: Database
    settings: Settings
    client: Callable[[str], Crm]
    clock: Clock = utc_now
    bulk_over: int = 2000
