"""What is in the org from the beginning: owners, accounts and contacts that fit the people of the sandbox's world.

Of every ten companies one is unknown, one has its domain at two accounts, one is known by its name only; the others are
unambiguous. Some owners are inactive, some accounts belong to another.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sandbox.world import Organization, World

Seed = tuple[str, str, dict[str, Any]]  # object, key that others name it by, values ("@key" is another's id)
UNKNOWN, SHARED, NAME_ONLY, CHILD = 9, 3, 6, 4
INACTIVE_OWNER = "owner-3"


def seeds(world: World) -> Iterator[Seed]:
    """Records in an order in which each names only earlier ones."""
    yield (
        "User",
        "us",
        {"Username": "deskbridge@acme.example", "Name": "Deskbridge", "Email": "deskbridge@acme.example"},
    )
    for n, name in enumerate(("Rita Rep", "Sam Seller", "Tess Territory", "Otto Gone")):
        email = f"{name.split()[0].lower()}@acme.example"
        yield "User", f"owner-{n}", {"Username": email, "Name": name, "Email": email, "IsActive": n != 3}
    for n, company in enumerate(world.organizations):
        yield from _company(n, company, world)


def _company(n: int, company: Organization, world: World) -> Iterator[Seed]:
    turn, key = n % 10, f"account-{company.id}"
    if turn == UNKNOWN:
        return
    domain = company.domains[0]
    account = {"Name": company.name, "OwnerId": f"@owner-{n % 4}", "Type": "Customer - Direct"}
    if turn == NAME_ONLY:
        yield "Account", key, {**account, "Name": f"{company.name} Inc."}
        return
    yield "Account", key, {**account, "Website": f"https://www.{domain}"}
    if turn in (SHARED, CHILD):
        more = {"ParentId": f"@{key}"} if turn == CHILD else {}
        yield "Account", f"{key}-2", {**account, "Name": f"{company.name} Labs", "Website": f"https://{domain}", **more}
    people = [p for p in world.people if p.organization_id == company.id][:3]
    for number, person in enumerate(people):
        first, _, last = person.name.partition(" ")
        at = f"{key}-2" if turn in (SHARED, CHILD) and number % 2 else key
        address = person.emails[0][0]
        email = {"Email": address} if address.isascii() else {}
        yield "Contact", f"contact-{person.id}", {"FirstName": first, "LastName": last, "AccountId": f"@{at}", **email}
