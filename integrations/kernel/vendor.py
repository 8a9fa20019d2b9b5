"""The card of a vendor (data: forms, docs and checks read it) and the account it is called with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Port(StrEnum):
    """What a vendor can do for us. The protocols are in kernel.ports."""

    WEBHOOKS = "webhooks"
    HELPDESK = "helpdesk"
    BILLING = "billing"
    CRM = "crm"


@dataclass(frozen=True, slots=True)
class Setting:
    """One value a connection needs. secret: sealed in the database, several live values, newest first, never shown.

    pattern: what a value must match whole, where it is given. never: values that are refused, such as published ones.
    """

    name: str
    title: str
    help: str
    secret: bool = False
    required: bool = True
    default: str = ""
    pattern: str = ""
    never: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Vendor:
    """slug: its folder and its URL. kinds: the canonical event kinds it reports (from its translate table).

    hosts: the real host, with `{name}` of a setting where the account is in it. sdk: the distribution it uses, or "".
    """

    slug: str
    title: str
    ports: frozenset[Port]
    hosts: tuple[str, ...] = ()
    kinds: frozenset[str] = frozenset()
    settings: tuple[Setting, ...] = ()
    scopes: tuple[str, ...] = ()
    sdk: str = ""


@dataclass(frozen=True, slots=True)
class Account:
    """One connection, opened: what a client needs to call. base_url: empty for the real host, else scheme://host:port."""

    connection_id: str
    vendor: str
    base_url: str = ""
    config: Mapping[str, Any] = field(default_factory=dict)
    secrets: Mapping[str, tuple[str, ...]] = field(default_factory=dict, repr=False)

    def secret(self, name: str) -> str:
        """The newest value of a secret; empty when there is none."""
        values = self.secrets.get(name, ())
        return values[0] if values else ""
