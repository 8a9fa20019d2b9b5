"""Finds vendor folders: a package under `integrations` with a vendor.py. Nobody keeps a list."""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
from collections.abc import Sequence
from functools import cache
from types import ModuleType
from typing import cast

from integrations.kernel.errors import ConfigError
from integrations.kernel.ports import AmountsModule, Refunds, StaffLookup, WebhookModule
from integrations.kernel.vendor import Account, Port, Vendor
from integrations.transport.protocols import Gate

NEEDED = {
    Port.WEBHOOKS: ("webhook", "translate"), Port.HELPDESK: ("client",), Port.BILLING: ("client",), Port.CRM: ("client",),
}  # fmt: skip
NOT_VENDORS = frozenset({"kernel", "transport"})


def find(package: str = "integrations") -> dict[str, Vendor]:
    """All vendor cards below a package, by slug.

    Raises:
        ConfigError: a folder without a card, two folders with one slug, a slug that is not its folder's name, or a port
            whose file is missing.
    """
    root = importlib.import_module(package)
    cards: dict[str, Vendor] = {}
    for found in pkgutil.iter_modules(root.__path__, f"{package}."):
        folder = found.name.rsplit(".", 1)[1]
        if not found.ispkg or folder in NOT_VENDORS:
            continue
        card = _card(found.name)
        if card.slug in cards:
            raise ConfigError(f"{found.name}: the slug {card.slug!r} is taken; every vendor needs its own")
        if card.slug != folder:
            raise ConfigError(f"{found.name}: its slug is {card.slug!r}; folder and slug must be the same")
        missing = [n for port in card.ports for n in NEEDED.get(port, ()) if not _has(f"{found.name}.{n}")]
        if missing:
            raise ConfigError(f"{found.name} is half made: add {', '.join(sorted(f'{n}.py' for n in missing))}")
        cards[card.slug] = card
    return cards


def _has(name: str) -> bool:
    return importlib.util.find_spec(name) is not None


def _card(package: str) -> Vendor:
    if not _has(f"{package}.vendor"):
        raise ConfigError(f"{package} has no vendor.py; write its card or move the folder away")
    card = getattr(importlib.import_module(f"{package}.vendor"), "VENDOR", None)
    if not isinstance(card, Vendor):
        raise ConfigError(f"{package}.vendor offers no VENDOR card")
    return card


@cache
def _cards() -> dict[str, Vendor]:
    return find()


def vendors() -> Sequence[Vendor]:
    """All vendors, by slug."""
    return [card for _, card in sorted(_cards().items())]


def by_slug(slug: str) -> Vendor | None:
    """The card of a vendor, or None."""
    return _cards().get(slug)


def by_port(port: Port) -> Sequence[Vendor]:
    """Vendors that offer a port."""
    return [card for card in vendors() if port in card.ports]


@cache
def webhook_module(slug: str, package: str = "integrations") -> WebhookModule:
    """How a vendor's deliveries are verified and read."""
    return cast(WebhookModule, importlib.import_module(f"{package}.{slug}.webhook"))


def client(account: Account, gate: Gate, package: str = "integrations") -> object:
    """A client of an account. Imports the vendor's SDK, so it is called in workers and commands only."""
    module: ModuleType = importlib.import_module(f"{package}.{account.vendor}.client")
    made: object = module.connect(account, gate)
    return made


@cache
def amounts_module(slug: str, package: str = "integrations") -> AmountsModule:
    """How a payment vendor writes amounts; loads no SDK, so a web process may ask."""
    return cast(AmountsModule, importlib.import_module(f"{package}.{slug}.amounts"))


def refunds(account: Account, gate: Gate, package: str = "integrations") -> Refunds:
    """The client that moves money of an account; in workers and commands only."""
    module: ModuleType = importlib.import_module(f"{package}.{account.vendor}.client")
    return cast(Refunds, module.connect_refunds(account, gate))


def staff(account: Account, gate: Gate, package: str = "integrations") -> StaffLookup:
    """Look-ups of an account's staff; loads no SDK. Raises ConfigError where the vendor has none."""
    if not _has(f"{package}.{account.vendor}.staff"):
        raise ConfigError(f"{account.vendor} has no look-up of its staff")
    module: ModuleType = importlib.import_module(f"{package}.{account.vendor}.staff")
    return cast(StaffLookup, module.connect_staff(account, gate))
