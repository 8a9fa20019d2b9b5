"""Use cases of people and roles. The caller owns the transaction; every change is in the audit record."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from app import audit
from app.access import store
from app.access.policy import CONSOLE, Actor, Login, Role, Staff, by_rules
from integrations.kernel.errors import InputError, NotFound
from integrations.kernel.ids import new_id

KINDS = ("role", "custom_role", "group")
_ADDRESS = re.compile(r"(?=.{3,320}\Z)[^@\s]+@[^@\s]+")


def actor(cx: sa.Connection, login: Login, staff: Staff | None, now: datetime) -> Actor:
    """Whoever this login is.

    Args:
        staff: what the helpdesk says of them; None for the console, whose people only we know. Somebody the helpdesk
            does not know, or knows as gone, is a viewer whatever we have written down.
    """
    known, rules = store.known(cx, login.connection_id, login.external_id)
    checked_at = staff.checked_at if staff else now
    if known is not None and (login.connection_id == CONSOLE or (staff and staff.active)):
        return Actor(known.value, Role(known.role), login, checked_at, known.name)
    person_id = known.value if known is not None else f"{login.connection_id}:{login.external_id}"
    role = by_rules(staff, rules) if staff and staff.active else Role.VIEWER
    return Actor(person_id, role, login, checked_at)


def named(cx: sa.Connection, person_id: str, now: datetime) -> Actor:
    """A person of ours who signed in by name, not by a helpdesk: their role as it is written down now. Raises NotFound."""
    known = store.person(cx, person_id)
    if known is None:
        raise NotFound(f"There is no person {person_id}. Look at `flask people list`.")
    return Actor(person_id, Role(known["role"]), Login(CONSOLE, person_id), now, known["name"])


def whose(cx: sa.Connection, told: str) -> str:
    """The one person with this id, name or e-mail. Raises NotFound."""
    fits = [row["id"] for row in store.people(cx) if told in (row["id"], row["name"], row["email"])]
    if len(fits) != 1:
        raise NotFound(f"{len(fits)} people are called {told!r}. Take an id of `flask people list`.")
    return str(fits[0])


def names(cx: sa.Connection, person_ids: Sequence[str]) -> dict[str, str]:
    """Names of people of ours, by id; who is not one of them is missing."""
    return {row["id"]: row["name"] for row in store.people(cx) if row["id"] in set(person_ids)}


def must_be_new(cx: sa.Connection, name: str, email: str | None = None) -> None:
    """Refuse a name or address that somebody here has: as two people, one could approve their own. Raises InputError."""
    for row in store.people(cx):
        if folded(name) == folded(row["name"]):
            shared = f"the name {row['name']!r}"
        elif email and folded(email) == folded(row["email"] or ""):
            shared = f"the address {row['email']}"
        else:
            continue
        raise InputError(
            f"{row['id']} has {shared} already. A login or address more is given by `flask people login {row['id']} "
            f"CONNECTION:ID` and `flask people email`. If it is somebody else, say `--another`."
        )


def folded(text: str) -> str:
    """A name or an address as it is compared with another's."""
    return " ".join(text.split()).casefold()


def add_person(cx: sa.Connection, by: str, name: str, role: Role, email: str | None = None) -> str:
    """A new person; answers the id. Raises InputError."""
    if not name.strip():
        raise InputError("Give the person a name.")
    if email is not None:
        _must_be_address(email)
    person_id = new_id("per")
    store.put_person(cx, {"id": person_id, "name": name.strip(), "role": role.value, "email": email})
    audit.record(cx, by, "access.person_added", person_id, {"role": role.value}, personal={"name": name.strip()})
    return person_id


def set_role(cx: sa.Connection, by: str, person_id: str, role: Role) -> None:
    """Give a person another role. Raises NotFound."""
    before = store.person(cx, person_id)
    if before is None or not store.change_person(cx, person_id, {"role": role.value}):
        raise NotFound(f"There is no person {person_id}. Look at `flask people list`.")
    audit.record(cx, by, "access.role_set", person_id, {"from": before["role"], "to": role.value})


def set_email(cx: sa.Connection, by: str, person_id: str, email: str | None) -> None:
    """Give a person another address, or none. Raises NotFound, InputError where it is no address or somebody else's."""
    if email is not None:
        _must_be_address(email)
        for row in store.people(cx):
            if row["id"] != person_id and folded(row["email"] or "") == folded(email):
                raise InputError(f"{email} is the address of {row['name']} ({row['id']}). Take it away there first.")
    if not store.change_person(cx, person_id, {"email": email}):
        raise NotFound(f"There is no person {person_id}. Look at `flask people list`.")
    audit.record(cx, by, "access.email_set", person_id, {"given": email is not None}, personal={"email": email or ""})


def _must_be_address(email: str) -> None:
    if not _ADDRESS.fullmatch(email):
        raise InputError(f"{email!r} is no e-mail address. Give one such as eve@acme.example.")


def attach(cx: sa.Connection, by: str, person_id: str, login: Login) -> None:
    """Say that a login is this person. Raises NotFound, InputError where it is somebody else's."""
    if store.person(cx, person_id) is None:
        raise NotFound(f"There is no person {person_id}. Look at `flask people list`.")
    before = store.by_login(cx, login.connection_id, login.external_id)
    if before is not None and before["id"] != person_id:
        text = f"{login.connection_id}:{login.external_id}"
        raise InputError(
            f"{text} is a login of {before['name']} ({before['id']}). If it is so no more, say "
            f"`flask people login {before['id']} {text} --remove` first."
        )
    store.put_login(cx, login.connection_id, login.external_id, person_id)
    told = {"connection_id": login.connection_id, "external_id": login.external_id}
    audit.record(cx, by, "access.login_attached", person_id, told)


def detach(cx: sa.Connection, by: str, person_id: str, login: Login) -> None:
    """A login is this person no more. Raises NotFound."""
    if not store.delete_login(cx, login.connection_id, login.external_id, person_id):
        raise NotFound(
            f"{login.connection_id}:{login.external_id} is not a login of {person_id}. Look at `flask people list`."
        )
    told = {"connection_id": login.connection_id, "external_id": login.external_id}
    audit.record(cx, by, "access.login_removed", person_id, told)


def set_rule(cx: sa.Connection, by: str, connection_id: str, kind: str, value: str, role: Role) -> None:
    """Everybody of a helpdesk role, custom role or group is a viewer or a refunder. Raises InputError."""
    if kind not in KINDS or not value:
        raise InputError(f"A rule is for one of {', '.join(KINDS)}.")
    if role not in (Role.VIEWER, Role.REFUNDER):
        raise InputError("Approver and admin are given to a person by name: a group is nobody who can be told apart.")
    store.put_rule(cx, connection_id, kind, value, role.value)
    audit.record(cx, by, "access.rule_set", connection_id, {"kind": kind, "value": value, "role": role.value})


def emails(cx: sa.Connection, least: Role) -> dict[str, str]:
    """Addresses by person of everybody named with this role or a higher one."""
    return {r["id"]: r["email"] for r in store.people(cx) if r["email"] and Role(r["role"]).is_at_least(least)}


def people(cx: sa.Connection) -> Sequence[sa.RowMapping]:
    """Everybody, by name, with their logins."""
    return store.people(cx)
