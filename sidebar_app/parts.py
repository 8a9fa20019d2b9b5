"""What the routes work with in this process: the runtime, the billing connections in service, the files of the pages."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path

from flask import current_app, g
from flask.sansio.app import App

from app import wake
from app.inbox.bell import Bell
from app.runtime import Runtime
from app.ui.assets import SHARED, Assets
from integrations import registry
from integrations.kernel.vendor import Account, Port
from sidebar_app.fresh import FreshStaff
from sidebar_app.unchanged import Unchanged

CACHE_S = 5.0  # as long as one opened connection is kept (app.connections)
NAME = "deskbridge.sidebar"


class Parts:
    """One a process."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        self.assets = Assets(SHARED, Path(__file__).with_name("static"))
        self.bell = Bell(lambda: runtime.waker.wake(wake.INBOX))
        self.staff = FreshStaff(runtime)
        self.unchanged = Unchanged()
        self._accounts: tuple[float, Mapping[str, Account]] = (0.0, {})

    def accounts(self) -> Mapping[str, Account]:
        """Billing connections in service, by id: the same all through a request.

        Each request asks before it opens its transaction: inside one, reading them would take a second connection.
        """
        if "billing_accounts" not in g:
            g.billing_accounts = self._kept()
        found: Mapping[str, Account] = g.billing_accounts
        return found

    def _kept(self) -> Mapping[str, Account]:
        until, found = self._accounts
        if until < time.monotonic():
            cards = registry.by_port(Port.BILLING)
            found = {a.connection_id: a for card in cards for a in self.runtime.connections.accounts(card.slug)}
            self._accounts = (time.monotonic() + CACHE_S, found)
        return found


def mount(app: App) -> None:
    """Called when the blueprint is registered."""
    app.extensions[NAME] = Parts(app.extensions["deskbridge"])


def parts() -> Parts:
    """The parts of this process."""
    found: Parts = current_app.extensions[NAME]
    return found
