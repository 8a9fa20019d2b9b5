"""Roles, and which one somebody has: pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from integrations.kernel.errors import NotAllowed

CONSOLE = "console"  # the connection of console logins
ROLE_FRESH = timedelta(seconds=10)  # how old a look-up may be where money moves (trust.md 2.6)


class StaleRole(NotAllowed):
    code, public = "access.stale", "Your role was looked up too long ago. Try once more."


class Role(StrEnum):
    """What somebody may do, least first; each may what those before it may."""

    VIEWER = "viewer"
    REFUNDER = "refunder"
    APPROVER = "approver"
    ADMIN = "admin"

    def is_at_least(self, other: Role) -> bool:
        order = list(Role)
        return order.index(self) >= order.index(other)


@dataclass(frozen=True, slots=True)
class Login:
    """Somebody at one helpdesk, or at the console."""

    connection_id: str
    external_id: str


@dataclass(frozen=True, slots=True)
class Staff:
    """What the helpdesk says of them now. checked_at: when it said so, by our clock."""

    role: str
    custom_role: str | None
    groups: tuple[str, ...]
    active: bool
    checked_at: datetime


@dataclass(frozen=True, slots=True)
class Actor:
    """Whoever acts. person_id: one of ours, or `connection:id` for a login no person is named for."""

    person_id: str
    role: Role
    login: Login
    checked_at: datetime
    name: str = ""

    def must(self, least: Role, now: datetime) -> None:
        """Refuse who may not, and whose role was looked up too long ago. Raises NotAllowed, StaleRole."""
        if not self.role.is_at_least(least):
            raise NotAllowed(f"This takes the role {least.value}; yours is {self.role.value}. Ask an admin.")
        if not timedelta(0) <= now - self.checked_at <= ROLE_FRESH:
            raise StaleRole


def by_rules(staff: Staff, rules: Iterable[tuple[str, str, str]]) -> Role:
    """The highest role that rules (kind, value, role) give; viewer where none does."""
    mine = {("role", staff.role), ("custom_role", staff.custom_role or ""), *(("group", g) for g in staff.groups)}
    given = [Role(role) for kind, value, role in rules if (kind, value) in mine]
    return max(given, key=list(Role).index, default=Role.VIEWER)
