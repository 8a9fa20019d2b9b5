"""Who somebody is at the helpdesk now, and whether they may read the ticket: asked on the refund path only, at most ten
seconds old; unknown is refused."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import TimeoutError as TooLong
from datetime import datetime, timedelta
from typing import Any, Final

from app import access
from app.access import Actor, Login, Role, Staff
from app.agents import Agent
from app.runtime import Runtime
from integrations.kernel.clock import utc_now
from integrations.kernel.errors import ConfigError, NotAllowed, VendorError
from sidebar_app import policy

DEADLINE_S: Final = 1.5  # trust.md 2.6
KEPT: Final = timedelta(seconds=5)  # while an amount is typed; app.access refuses what is older than ten seconds


class RoleUnknown(NotAllowed):
    code = "sidebar.role_unknown"
    public = "Zendesk did not say in time who you are, so no refund is possible now. Try once more in a moment."


class NoFullAgent(NotAllowed):
    code = "sidebar.no_full_agent"
    public = "Zendesk says that you are not a full agent now, so no refund is possible. Ask an admin of Zendesk."


class FreshStaff:
    """One a process. Holds no database connection while it asks."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._kept: dict[Login, Agent] = {}

    def actor(self, login: Login, ticket: Mapping[str, Any]) -> Actor:
        """Whoever this is, with their role of now.

        Args:
            ticket: where they ask, as the mirror holds it; whether they may read it is judged by what they are now.

        Raises:
            RoleUnknown, NoFullAgent, NotReadable, and NotAllowed for who may refund nothing.
        """
        now = utc_now()
        one = self._kept.get(login)
        if one is None or now - one.read_at > KEPT:
            one = self._kept[login] = self._ask(login, now)
        if not (one.active and policy.may_link(one)):
            raise NoFullAgent
        if not policy.may_read(one, ticket):
            raise policy.NotReadable
        staff = Staff(one.role, one.custom_role, one.groups, one.active, one.read_at)
        with self._runtime.database.begin() as cx:
            found = access.actor(cx, login, staff, now)
        found.must(Role.REFUNDER, now)
        return found

    def _ask(self, login: Login, now: datetime) -> Agent:
        """One look-up, by the clock of before it: in a thread, so that both of its calls end within the deadline."""
        try:
            client = self._runtime.clients.staff(login.connection_id)
            found = self._runtime.pool.submit(client.look_up, login.external_id).result(DEADLINE_S)
        except (VendorError, ConfigError, TooLong) as error:
            raise RoleUnknown(cause=type(error).__name__) from error
        if found is None:
            return Agent(login.external_id, "", "", None, None, (), None, active=False, read_at=now)
        return Agent(
            found.id, found.name, found.role, found.custom_role, found.restriction, found.groups, found.organization_id,
            found.active, now,
        )  # fmt: skip
