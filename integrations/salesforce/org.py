"""What an org's objects have: fields, lengths, picklists, and what the integration user may do. Pure, out of describes."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from integrations.kernel.crm import Shape
from integrations.kernel.errors import NeedsReauthorisation, VendorContractChanged

OBJECTS: Final = {Shape.LEAD: "Lead", Shape.DEAL: "Opportunity", Shape.TASK: "Task"}
CURRENCY: Final = "CurrencyIsoCode"  # there in orgs with several currencies only
KEPT_S: Final = 3600.0  # how long a describe is believed; what was refused for a field is described anew


class NeedsSetup(NeedsReauthorisation):
    """Nothing may be pushed that could be doubled."""

    code = "vendor.setup"
    public = "The CRM is not set up for us yet, so nothing is pushed. An admin must run the setup of the connection."


@dataclass(frozen=True, slots=True)
class Field:
    """One field. values: of a picklist, those in use, in the org's order. default: the value that is preset."""

    name: str
    type: str
    length: int = 0
    may_create: bool = False
    may_update: bool = False
    values: tuple[str, ...] = ()
    default: str = ""
    is_key: bool = False

    def first_of(self, candidates: tuple[str, ...]) -> str:
        """The first candidate the org has, as the org writes it; "" for none."""
        known = {value.casefold(): value for value in self.values}
        return next((known[one.casefold()] for one in candidates if one.casefold() in known), "")


@dataclass(frozen=True, slots=True)
class Sheet:
    """One object as the integration user sees it: a field that is hidden from it is not there."""

    object: str
    fields: Mapping[str, Field]
    may_create: bool = True
    may_update: bool = True

    def has_key(self, name: str) -> bool:
        """Is there a field of this name that makes a second record with one key impossible?"""
        return name in self.fields and self.fields[name].is_key

    @property
    def currencies(self) -> tuple[str, ...]:
        """Of an org with several; none of an org with one."""
        return self.fields[CURRENCY].values if CURRENCY in self.fields else ()


def no_key(of: str, field: str) -> str:
    """The sentence for an object without our key."""
    return (
        f"{of} has no field {field} that is External ID and Unique and that the integration user sees: run "
        "`flask salesforce setup`. Until then nothing is pushed there, as a repeat could make a second record."
    )


def sheet(described: Mapping[str, Any]) -> Sheet:
    """Raises VendorContractChanged."""
    try:
        fields = {str(one["name"]): _field(one) for one in described["fields"]}
        return Sheet(
            str(described["name"]), fields, described.get("createable") is not False,
            described.get("updateable") is not False,
        )  # fmt: skip
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise VendorContractChanged("describe answered in an unknown shape") from error


def _field(one: Mapping[str, Any]) -> Field:
    listed = [v for v in one.get("picklistValues") or () if v.get("active") is not False]
    preset = next((str(v["value"]) for v in listed if v.get("defaultValue")), "")
    return Field(
        str(one["name"]), str(one["type"]), int(one.get("length") or 0), one.get("createable") is True,
        one.get("updateable") is True, tuple(str(v["value"]) for v in listed), preset,
        one.get("externalId") is True and one.get("unique") is True,
    )  # fmt: skip


class Sheets:
    """Describes, one call an object and hour. describe: object -> its describe, by one call."""

    def __init__(
        self, describe: Callable[[str], Mapping[str, Any]], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._describe = describe
        self._clock = clock
        self._lock = threading.Lock()
        self._known: dict[str, tuple[float, Sheet]] = {}

    def of(self, name: str) -> Sheet:
        """The object as it was within the last hour."""
        with self._lock:
            known = self._known.get(name)
            if known is None or known[0] < self._clock():
                known = (self._clock() + KEPT_S, sheet(self._describe(name)))
                self._known[name] = known
            return known[1]

    def forget(self) -> None:
        """The org is not as we believed: ask anew next time."""
        with self._lock:
            self._known.clear()
