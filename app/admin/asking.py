"""Somebody asks for a new link. What is answered, and how long it takes, tells nobody who works here.

An address of nobody goes through the same writes as one of ours, which are undone in the end.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from ipaddress import ip_address, ip_network
from typing import Final

import sqlalchemy as sa

from app import access, audit, notify, sessions
from app.access import CONSOLE, Role
from app.admin.links import PATH
from integrations.kernel.ids import new_id

WINDOW: Final = timedelta(hours=1)
AN_ADDRESS: Final = 3
A_PLACE: Final = 10  # where the request came from
ALL: Final = 100
MOST_CHARACTERS: Final = 320


def ask(cx: sa.Connection, public_url: str, email: str, place: str, now: datetime) -> None:
    """Send a link to the person of this address, if there is one, and it was not asked for too often."""
    folded = email.strip().casefold()[:MOST_CHARACTERS]
    limits = {
        f"place/{_network(place)}": A_PLACE,
        f"address/{hashlib.sha256(folded.encode()).hexdigest()}": AN_ADDRESS,
        "": ALL,  # last: what a place or an address asks for in vain is taken from nobody else
    }
    if not all(sessions.allow(cx, f"ask/{name}", most, WINDOW, now) for name, most in limits.items()):
        return
    known = {address.casefold(): who for who, address in access.emails(cx, Role.APPROVER).items()}
    with _kept_if(cx, folded in known):
        _send(cx, public_url, known.get(folded, "per_nobody"), folded, now)


def _network(place: str) -> str:
    """What one visitor has: an IPv4 address, or the network of an IPv6 one, as each has 2^64 addresses of it."""
    try:
        found = ip_address(place)
    except ValueError:
        return ""
    if found.version == 4 or found.ipv4_mapped:
        return place
    return str(ip_network((found.packed[:8] + bytes(8), 64)))


def _send(cx: sa.Connection, public_url: str, person_id: str, address: str, now: datetime) -> None:
    code = sessions.issue_link(cx, CONSOLE, person_id, now)
    body = (
        f"Somebody, we hope you, asked for a link to the console. It signs you in once, within an hour:\n\n"
        f"{public_url}{PATH}?code={code}\n\nIf it was not you, do nothing.\n"
    )
    notify.tell(
        cx, "access.link", new_id("ask"), "Your link to Deskbridge", body, {"person_id": person_id}, [address]
    )  # fmt: skip
    audit.record(cx, person_id, "access.link_asked", person_id)


@contextmanager
def _kept_if(cx: sa.Connection, wanted: bool) -> Iterator[None]:
    save = cx.begin_nested()
    yield
    if wanted:
        save.commit()
    else:
        save.rollback()
