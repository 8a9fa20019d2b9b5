"""Open, add, change and disable connections. Opened accounts are kept for a few seconds in each process."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

import sqlalchemy as sa

from app.connections import store
from app.connections.sealing import seal, sealed_with, unseal
from app.db import Database
from integrations.kernel.errors import InputError, NotFound
from integrations.kernel.ids import ConnectionId, new_id
from integrations.kernel.vendor import Account, Setting, Vendor

CACHE_S = 5.0  # how long a rotated secret or a disabled connection takes to be known in every process
_ID = re.compile(r"[a-z0-9_]{3,40}", re.ASCII)


class UnknownConnection(NotFound):
    code = "connection.unknown"
    public = "There is no active connection of that name. Check the address with `flask connections list`."


class Connections:
    """The connections of this installation. keys: master keys, newest first. production: no test address is taken."""

    def __init__(self, database: Database, keys: Sequence[bytes], *, production: bool = False) -> None:
        self._database = database
        self._keys = tuple(keys)
        self._production = production
        self._opened: dict[str, tuple[float, Account, str]] = {}

    def account(self, connection_id: str, vendor: str = "") -> Account:
        """An active connection, opened. Raises UnknownConnection; a vendor that does not fit is unknown too."""
        if not _ID.fullmatch(connection_id):
            raise UnknownConnection
        cached = self._opened.get(connection_id)
        if cached is None or cached[0] < time.monotonic():
            with self._database.begin() as cx:
                row = store.get(cx, connection_id)
            if row is None:
                raise UnknownConnection(connection_id=connection_id)
            cached = (time.monotonic() + CACHE_S, self._open(row), row["state"])
            self._opened[connection_id] = cached
        _, account, state = cached
        if state != "active" or (vendor and account.vendor != vendor):
            raise UnknownConnection(connection_id=connection_id)
        return account

    def accounts(self, vendor: str = "") -> list[Account]:
        """All active connections (of one vendor), opened."""
        with self._database.begin() as cx:
            return [self._open(row) for row in store.every(cx, vendor, active_only=True)]

    def rows(self) -> Sequence[sa.RowMapping]:
        """All connections as stored, secrets sealed, for lists."""
        with self._database.begin() as cx:
            return store.every(cx)

    def add(
        self,
        card: Vendor,
        name: str,
        config: Mapping[str, Any],
        secrets: Mapping[str, Sequence[str]],
        *,
        connection_id: str = "",
        base_url: str = "",
    ) -> ConnectionId:
        """Store a new connection. Raises InputError with every setting that is missing or unknown."""
        connection_id = connection_id or new_id("con")
        problems = _problems(card, config, secrets)
        if not _ID.fullmatch(connection_id):
            problems.append("id: 3 to 40 of a-z, 0-9 and _")
        problems += address_problems(base_url, production=self._production)
        if problems:
            raise InputError("; ".join(problems))
        filled = {s.name: s.default for s in card.settings if s.default and not s.secret} | dict(config)
        values = {
            "id": connection_id,
            "vendor": card.slug,
            "name": name,
            "base_url": base_url,
            "config": filled,
            "sealed": seal(secrets, connection_id, self._keys),
        }
        with self._database.begin() as cx:
            if not store.insert(cx, values):
                raise InputError(f"id: {connection_id} is taken; choose another or leave it out")
        return ConnectionId(connection_id)

    def remember(self, connection_id: str, **config: str) -> None:
        """Keep what was learned of the account (such as our own user id) in its configuration."""
        with self._database.begin() as cx:
            row = store.get(cx, connection_id)
            if row is not None:
                store.update(cx, connection_id, {"config": {**row["config"], **config}})
        self._opened.pop(connection_id, None)

    def configure(self, card: Vendor, connection_id: str, config: Mapping[str, str]) -> None:
        """Change settings that are no secrets; empty: the default again. Raises InputError, UnknownConnection."""
        defaults = {s.name: s.default for s in card.settings if not s.secret}
        problems = [f"{name}: {card.title} has no such setting" for name in config if name not in defaults]
        with self._database.begin() as cx:
            row = store.get(cx, connection_id)
            if row is None:
                raise UnknownConnection(connection_id=connection_id)
            new = {**row["config"], **{name: value or defaults.get(name, "") for name, value in config.items()}}
            own = {
                name: value for name, value in new.items() if name in defaults
            }  # the row holds what was learned, too
            problems += _problems(card, own, unseal(row["sealed"], connection_id, self._keys))
            if problems:
                raise InputError("; ".join(problems))
            store.update(cx, connection_id, {"config": new})
        self._opened.pop(connection_id, None)

    def set_state(self, connection_id: str, state: str) -> None:
        """Enable or disable. Raises UnknownConnection."""
        with self._database.begin() as cx:
            if not store.update(cx, connection_id, {"state": state}):
                raise UnknownConnection(connection_id=connection_id)
        self._opened.pop(connection_id, None)

    def rotate(self, card: Vendor, connection_id: str, name: str, value: str) -> None:
        """Put a new value of a secret first; the one before it stays live, older ones go. Raises InputError."""
        setting = next((s for s in card.settings if s.name == name and s.secret), None)
        if setting is None:
            raise InputError(f"{name}: {card.title} has no such secret")
        if problem := value_problem(setting, value):
            raise InputError(problem)
        with self._database.begin() as cx:
            row = store.get(cx, connection_id)
            if row is None:
                raise UnknownConnection(connection_id=connection_id)
            secrets = unseal(row["sealed"], connection_id, self._keys)
            secrets[name] = (value, *secrets.get(name, ())[:1])
            store.update(cx, connection_id, {"sealed": seal(secrets, connection_id, self._keys)})
        self._opened.pop(connection_id, None)

    def reseal(self) -> int:
        """Seal the secrets of every connection with the newest master key; answers how many were sealed anew."""
        with self._database.begin() as cx:
            rows = [row for row in store.every(cx) if not sealed_with(row["sealed"], self._keys[0])]
            for row in rows:
                secrets = unseal(row["sealed"], row["id"], self._keys)
                store.update(cx, row["id"], {"sealed": seal(secrets, row["id"], self._keys)})
        self._opened.clear()
        return len(rows)

    def _open(self, row: sa.RowMapping) -> Account:
        secrets = unseal(row["sealed"], row["id"], self._keys)
        return Account(row["id"], row["vendor"], row["base_url"], row["config"], secrets)


def _problems(card: Vendor, config: Mapping[str, Any], secrets: Mapping[str, Sequence[str]]) -> list[str]:
    """What is missing or unknown among the settings of a connection, a sentence each."""
    known = {s.name: s for s in card.settings}
    found = [
        f"{name}: {card.title} has no such {'secret' if name in secrets else 'setting'}"
        for name in [*config, *secrets]
        if name not in known or known[name].secret != (name in secrets)
    ]
    for setting in card.settings:
        given = secrets.get(setting.name) if setting.secret else config.get(setting.name)
        if setting.required and not setting.default and not given:
            found.append(f"{setting.name}: not given; {setting.help}")
        values = given if setting.secret else [given]
        found += [p for value in values or () if value and (p := value_problem(setting, str(value)))]
    return found


def value_problem(setting: Setting, value: str) -> str:
    """Why a value cannot be taken, with what to give; empty when it can. The value itself is never repeated."""
    wrong = value in setting.never or (setting.pattern and not re.fullmatch(setting.pattern, value, re.ASCII))
    return f"{setting.name}: this value is not taken; {setting.help}" if wrong else ""


def address_problems(base_url: str, *, production: bool) -> list[str]:
    """What is wrong with an address that stands in for the vendor's own; nothing for an empty one."""
    if not base_url:
        return []
    parts = urlsplit(base_url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path or parts.query or parts.username:
        return ["base-url: give scheme, host and port only, such as https://proxy.example.com:8443"]
    if production and parts.scheme != "https":
        return ["base-url: must begin with https:// in production"]
    return []
