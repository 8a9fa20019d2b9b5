"""Lists of what changed: the directory (companies, people, owners) and the standings of our records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, Protocol

from integrations.kernel.crm import AccountRecord, ContactRecord, CrmUser, DirectoryPage, StandingPage
from integrations.kernel.errors import VendorContractChanged
from integrations.salesforce import places, reading
from integrations.salesforce.org import OBJECTS, Sheets
from integrations.salesforce.places import Place
from integrations.salesforce.reading import DIRECTORY, Query, Row
from integrations.salesforce.settings import field_name

SHAPES: Final = {name: shape for shape, name in OBJECTS.items()}
BAD: Final = (KeyError, TypeError, ValueError)


class Rows(Protocol):
    """One page of a query, and whether there is more of it. deleted: those in the bin too."""

    def __call__(self, query: Query, *, deleted: bool = False) -> tuple[list[Row], bool]: ...


class Changes:
    """Reads by time of change, one call a page."""

    def __init__(self, rows: Rows, sheets: Sheets, key: str, currency: str, config: Mapping[str, Any]) -> None:
        self._rows, self._sheets, self._key, self._currency = rows, sheets, key, currency
        self._account_key = field_name(config, "account_key_field")
        self._territory = field_name(config, "territory_field")

    def fields(self) -> str:
        """Those an admin named that are read of accounts: not one that the org does not show us, until it does."""
        named = {"account_key_field": self._account_key, "territory_field": self._territory}
        seen = self._sheets.of("Account").fields
        return " ".join(f"{setting}={name}" for setting, name in named.items() if name in seen)

    def directory(self, cursor: str) -> DirectoryPage:
        """A page is of one object; a quiet round is three calls."""
        place = _read(cursor)
        name = DIRECTORY[place.at]
        account = self._sheets.of("Account")
        names = reading.directory_fields(name, account, (self._account_key, self._territory))
        only = reading.STAFF if name == "User" else ""
        rows, place, at_end = self._page(place, DIRECTORY, name, names, only)
        accounts: list[AccountRecord] = []
        contacts: list[ContactRecord] = []
        users: list[CrmUser] = []
        try:
            if name == "Account":
                accounts = [reading.account(row, self._account_key, self._territory) for row in rows]
            elif name == "Contact":
                contacts = [reading.contact(row) for row in rows]
            else:
                users = [reading.user(row) for row in rows]
        except BAD as error:
            raise VendorContractChanged(f"a {name} in an unknown shape") from error
        return DirectoryPage(place.text(), at_end, tuple(accounts), tuple(contacts), tuple(users))

    def standings(self, cursor: str, since: datetime) -> StandingPage:
        """Records with our key, deleted ones too. An object without the key field has none of ours and is passed over."""
        place = _read(cursor, reading.literal(since))
        objects = list(OBJECTS.values())
        name = objects[place.at]
        sheet, shape = self._sheets.of(name), SHAPES[name]
        if self._key not in sheet.fields:
            place, at_end = place.beyond(objects, (), more=False)
            return StandingPage((), place.text(), at_end)
        names = reading.standing_fields(shape, sheet, self._key)
        rows, place, at_end = self._page(place, objects, name, names, f"{self._key} != null")
        try:
            found = tuple(reading.standing(shape, row, self._key, self._currency) for row in rows)
        except BAD as error:
            raise VendorContractChanged(f"a {name} in an unknown shape") from error
        return StandingPage(found, place.text(), at_end)

    def _page(
        self, place: Place, objects: Sequence[str], name: str, names: Sequence[str], only: str
    ) -> tuple[list[Row], Place, bool]:
        query = reading.page_of(name, names, only, places.since(place, name), place.after)
        rows, more = self._rows(query, deleted=True)
        try:
            place, at_end = place.beyond(objects, rows, more=more)
        except BAD as error:
            raise VendorContractChanged(f"a {name} without its time of change") from error
        return rows, place, at_end


def _read(cursor: str, first: str = "") -> Place:
    try:
        return places.read(cursor, first)
    except BAD as error:
        raise VendorContractChanged("the place kept of a list cannot be read") from error
