"""One process's parts, put together from the settings: used by the web processes, the workers and the commands."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property

import redis
from sqlalchemy import make_url

from app import wake
from app.config import Settings
from app.connections import Connections
from app.db import Database
from app.identity import IdentitySettings
from app.leads.context import LeadContext
from app.refunds import Context
from app.servers import ensure
from integrations import registry
from integrations.kernel.errors import ConfigError
from integrations.kernel.ports import Billing, Crm, Helpdesk, Refunds, StaffLookup
from integrations.kernel.vendor import Port
from integrations.transport.gate import SharedGate


@dataclass(frozen=True, slots=True)
class Urls:
    """Where the servers are. migration: the same database with the owner's role."""

    database: str
    migration: str
    redis: str


def server_urls(settings: Settings) -> Urls:
    """The servers the settings name, or the embedded ones, started when they are not running."""
    if settings.database_url and settings.redis_url:
        return Urls(settings.database_url, settings.migration_database_url or settings.database_url, settings.redis_url)
    own = ensure(settings.data_folder)
    database = settings.database_url or own.database_url
    migration = settings.migration_database_url or (settings.database_url or own.migration_url)
    return Urls(database, migration, settings.redis_url or own.redis_url)


class Runtime:
    """Opened lazily: a web process never builds a vendor client, a command opens only what it uses."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    @cached_property
    def urls(self) -> Urls:
        return server_urls(self.settings)

    @cached_property
    def database(self) -> Database:
        return Database(self.urls.database)

    @cached_property
    def connections(self) -> Connections:
        return Connections(self.database, self.settings.keys, production=self.settings.mode == "production")

    @cached_property
    def redis(self) -> redis.Redis:
        return wake.connect(self.urls.redis)

    @cached_property
    def waker(self) -> wake.Waker:
        return wake.Waker(self.redis)

    @cached_property
    def pool(self) -> ThreadPoolExecutor:
        """Threads for outgoing calls; none of them holds a database connection while it waits for a vendor."""
        return ThreadPoolExecutor(self.settings.worker_threads, thread_name_prefix="call")

    @cached_property
    def gate(self) -> SharedGate:
        return SharedGate(self.redis, workers=self.settings.worker_processes)

    def known_own_user(self, connection_id: str) -> str:
        """Whom we write as there, as far as it is known without a call."""
        return str(self.connections.account(connection_id).config.get("own_user_id", ""))

    @cached_property
    def refund_gate(self) -> SharedGate:
        """The same budgets, and breakers of its own: reads that fail must not stop refunds, nor the other way round."""
        return SharedGate(self.redis, workers=self.settings.worker_processes)

    @cached_property
    def refunds(self) -> Context:
        """What the use cases of refunds need."""
        s = self.settings
        ladder = IdentitySettings(s.plus_addresses, s.payer_link_keys, s.organization_link_keys, s.organization_fields)
        return Context(self.database, s, ladder, self.clients.vendor_of, lambda: self.waker.wake(wake.REFUNDS))

    @cached_property
    def leads(self) -> LeadContext:
        """What the use cases of leads need."""
        return LeadContext(self.database, self.settings, self.clients.crm)

    def crm_connections(self) -> list[str]:
        """Every CRM connection; leads go to the first."""
        cards = registry.by_port(Port.CRM)
        return [one.connection_id for card in cards for one in self.connections.accounts(card.slug)]

    @cached_property
    def clients(self) -> Clients:
        return Clients(self)


class Clients:
    """Vendor clients of this process, one a connection, rebuilt when the connection changes."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._built: dict[str, tuple[object, object]] = {}
        self._refunds: dict[str, tuple[object, Refunds]] = {}
        self._staff: dict[str, tuple[object, StaffLookup]] = {}

    def _client(self, connection_id: str, port: Port) -> object:
        account = self._runtime.connections.account(connection_id)
        card = registry.by_slug(account.vendor)
        if card is None or port not in card.ports:
            raise ConfigError(f"{connection_id} is no {port} connection; look at `flask connections list`")
        known = self._built.get(connection_id)
        if known is None or known[0] != account:
            known = (account, registry.client(account, self._runtime.gate))
            self._built[connection_id] = known
        return known[1]

    def helpdesk(self, connection_id: str) -> Helpdesk:
        """The helpdesk client of a connection."""
        client: Helpdesk = self._client(connection_id, Port.HELPDESK)  # type: ignore[assignment]
        return client

    def billing(self, connection_id: str) -> Billing:
        """The billing client of a connection."""
        client: Billing = self._client(connection_id, Port.BILLING)  # type: ignore[assignment]
        return client

    def crm(self, connection_id: str) -> Crm:
        """The CRM client of a connection."""
        client: Crm = self._client(connection_id, Port.CRM)  # type: ignore[assignment]
        return client

    def refunds(self, connection_id: str) -> Refunds:
        """The client that moves money of a connection."""
        account = self._runtime.connections.account(connection_id)
        known = self._refunds.get(connection_id)
        if known is None or known[0] != account:
            known = (account, registry.refunds(account, self._runtime.refund_gate))
            self._refunds[connection_id] = known
        return known[1]

    def staff(self, connection_id: str) -> StaffLookup:
        """Who somebody is at a helpdesk now; also in web processes. Raises ConfigError where nobody can be asked."""
        account = self._runtime.connections.account(connection_id)
        known = self._staff.get(connection_id)
        if known is None or known[0] != account:
            known = (account, registry.staff(account, self._runtime.refund_gate))
            self._staff[connection_id] = known
        return known[1]

    def vendor_of(self, connection_id: str) -> str:
        """The vendor's slug of a connection."""
        return self._runtime.connections.account(connection_id).vendor

    def own_user(self, connection_id: str) -> str:
        """The vendor's id of the user we write as; asked once for the life of the connection, then remembered."""
        account = self._runtime.connections.account(connection_id)
        known = str(account.config.get("own_user_id", ""))
        if not known:
            known = self.helpdesk(connection_id).own_user_id()
            self._runtime.connections.remember(connection_id, own_user_id=known)
        return known


def safe_url(url: str) -> str:
    """A database address that may be shown: without its password."""
    return make_url(url).render_as_string(hide_password=True)


Builder = Callable[[Settings], Runtime]
