"""Who somebody is at the helpdesk now: asked on the refund path only, at most ten seconds old; unknown is refused."""

from __future__ import annotations

from concurrent.futures import TimeoutError as TooLong
from datetime import datetime, timedelta
from typing import Final

from app import access
from app.access import Actor, Login, Role, Staff
from app.runtime import Runtime
from integrations.kernel.clock import utc_now
from integrations.kernel.errors import ConfigError, NotAllowed, VendorError

DEADLINE_S: Final = 1.5  # trust.md 2.6
KEPT: Final = timedelta(seconds=5)  # while an amount is typed; app.access refuses what is older than ten seconds


class RoleUnknown(NotAllowed):
    code = "sidebar.role_unknown"
    public = "Zendesk did not say in time who you are, so no refund is possible now. Try once more in a moment."


class FreshStaff:
    """One a process. Holds no database connection while it asks."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._kept: dict[Login, Staff] = {}

    def actor(self, login: Login) -> Actor:
        """Whoever this is, with their role of now. Raises RoleUnknown, and NotAllowed for who may refund nothing."""
        now = utc_now()
        staff = self._kept.get(login)
        if staff is None or now - staff.checked_at > KEPT:
            staff = self._kept[login] = self._ask(login, now)
        with self._runtime.database.begin() as cx:
            found = access.actor(cx, login, staff, now)
        found.must(Role.REFUNDER, now)
        return found

    def _ask(self, login: Login, now: datetime) -> Staff:
        """One look-up, by the clock of before it: in a thread, so that both of its calls end within the deadline."""
        try:
            client = self._runtime.clients.staff(login.connection_id)
            found = self._runtime.pool.submit(client.look_up, login.external_id).result(DEADLINE_S)
        except (VendorError, ConfigError, TooLong) as error:
            raise RoleUnknown(cause=type(error).__name__) from error
        if found is None:
            return Staff("", None, (), active=False, checked_at=now)
        return Staff(found.role, found.custom_role, found.groups, found.active, now)
