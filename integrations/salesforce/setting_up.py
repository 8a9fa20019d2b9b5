"""The fields of ours in an org: made by the Tooling API where we may, else told as clicks; and taken away again.

Custom fields of tasks belong to Activity. A field that is made this way is hidden from everybody until a permission set
shows it. Source: vendor sheet 4.3, read 2026-11; the Tooling API's shapes and both of these are (R), not tried in an org.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from integrations.kernel.crm import SetupState, SetupStep
from integrations.kernel.errors import NeedsReauthorisation, VendorRejected
from integrations.salesforce import choosing
from integrations.salesforce.org import OBJECTS, Sheet, Sheets
from integrations.salesforce.reading import Query, Row
from integrations.salesforce.settings import KEY_FIELD, REASON_FIELD, VERDICT_FIELD

HOME: Final = {"Lead": "Lead", "Opportunity": "Opportunity", "Task": "Activity"}  # whose field it is
KEY_LENGTH: Final = 64
VERDICTS: Final = ("Accepted", "Rejected")
REASONS: Final = (
    "No need",
    "No budget",
    "Bad moment",
    "Wrong person",
    "Known already",
    "Not a customer of ours",
    "Other",
)
OF_FIELD: Final = "SELECT Id FROM CustomField WHERE EntityDefinition.QualifiedApiName = {} AND DeveloperName = {}"
FIELDS: Final = "tooling/sobjects/CustomField"
_TWICE: Final = "DUPLICATE_DEVELOPER_NAME"


def key_metadata() -> dict[str, Any]:
    """Our key: a repeat of the same write finds the record by it, and no second one can have it."""
    return {
        "type": "Text", "label": "Deskbridge key", "length": KEY_LENGTH, "externalId": True, "unique": True,
        "caseSensitive": False, "description": "Which lead of Deskbridge's this is. Do not change it.",
    }  # fmt: skip


def picklist(label: str, values: tuple[str, ...], description: str) -> dict[str, Any]:
    """A picklist that reps fill."""
    listed = [{"fullName": one, "label": one, "default": False} for one in values]
    return {
        "type": "Picklist", "label": label, "description": description,
        "valueSet": {"restricted": True, "valueSetDefinition": {"sorted": False, "value": listed}},
    }  # fmt: skip


def wanted(key: str, *, verdicts: bool) -> dict[str, dict[str, Any]]:
    """Field -> its metadata."""
    found = {key: key_metadata()}
    if verdicts:
        found[VERDICT_FIELD] = picklist("Deskbridge verdict", VERDICTS, "What sales made of the lead Deskbridge sent.")
        found[REASON_FIELD] = picklist("Deskbridge reason", REASONS, "Why it was rejected.")
    return found


def clicks(of: str, name: str, metadata: Mapping[str, Any]) -> str:
    """What an admin clicks where we may not."""
    what = f"Object Manager > {HOME[of]} > Fields & Relationships > New"
    api_name = name.removesuffix("__c")
    if metadata["type"] == "Text":
        how = (
            f"Text, label {metadata['label']!r}, length {metadata['length']}, name {api_name}, tick 'Unique' "
            "(case-insensitive) and 'External ID'"
        )
    else:
        values = [one["label"] for one in metadata["valueSet"]["valueSetDefinition"]["value"]]
        how = f"Picklist, label {metadata['label']!r}, name {api_name}, values {', '.join(values)}"
    return f"Setup > {what} > {how}; then make it visible and editable in the integration user's permission set."


def show_it(of: str, name: str) -> str:
    """What an admin clicks when a field is there and we do not see it."""
    return (
        f"{HOME[of]}.{name} is in the org, hidden from the integration user: Setup > Permission Sets > the user's set > "
        f"Object Settings > {of} > Edit > {name}: tick Read and Edit. Then run this again."
    )


def see_it(of: str) -> str:
    """What an admin clicks when the object itself is hidden. Tasks have no object permissions of their own (R)."""
    where = (
        "System Permissions > Edit: tick Access Activities and Edit Tasks."
        if of == "Task"
        else f"Object Settings > {of} > Edit: tick Read, Create and Edit."
    )
    return f"The integration user does not see {of}: Setup > Permission Sets > the user's set > {where} Then run this again."


class Setup:
    """call: one call; raises VendorRejected and NeedsReauthorisation. tooling: a query of the Tooling API. stage: chosen."""

    def __init__(
        self, call: Callable[..., Any], tooling: Callable[[Query], Sequence[Row]], sheets: Sheets, key: str, stage: str
    ) -> None:
        self._call, self._tooling, self._sheets, self._key, self._stage = call, tooling, sheets, key, stage

    def make(self, *, verdicts: bool) -> list[SetupStep]:
        """Make what is missing; what is there already is left as it is."""
        steps, made = [], []
        for of, name, metadata in self._each(verdicts=verdicts):
            try:
                steps.append(self._one(of, name, metadata, self._sheets.of(of)))
            except (VendorRejected, NeedsReauthorisation):
                steps.append(SetupStep(f"{HOME[of]}.{name}", SetupState.BY_HAND, see_it(of)))
            if steps[-1].state is SetupState.MADE:
                made.append((of, name))
        self._sheets.forget()
        steps += [
            SetupStep(f"{HOME[of]}.{name}", SetupState.BY_HAND, show_it(of, name))
            for of, name in made if name not in self._sheets.of(of).fields
        ]  # fmt: skip
        return steps

    def present(self) -> list[str]:
        """Fields of ours that the org has, as far as we see them."""
        return [f"{HOME[of]}.{name}" for of, name, _ in self._each(verdicts=True) if name in self._sheets.of(of).fields]

    def words(self) -> list[str]:
        """The values of the org's picklists that new records get."""
        return choosing.sentences({name: self._sheets.of(name) for name in OBJECTS.values()}, self._stage)

    def records(self) -> dict[str, int]:
        """Records that carry our key, by object; one call each."""
        told = {}
        for of in OBJECTS.values():
            if self._key in self._sheets.of(of).fields:
                query = f"SELECT count() FROM {of} WHERE {self._key} != null"  # noqa: S608 - names, checked
                told[of] = int(self._call("GET", "query", params={"q": query})["totalSize"])
        return told

    def remove(self) -> list[SetupStep]:
        """Take our fields away, with what is in them. Records stay; a key field that has a name of the admin's does too."""
        steps = [one for of, name, _ in self._each(verdicts=True) if (one := self._without(of, name)) is not None]
        self._sheets.forget()
        return steps

    def _without(self, of: str, name: str) -> SetupStep | None:
        """None for a field that is not there."""
        title = f"{HOME[of]}.{name}"
        try:
            field_id = self._id_of(HOME[of], name)
            if not field_id:
                return None
            if name == self._key != KEY_FIELD:
                text = f"{title} has a name of your own choosing, so it is left: delete it if nothing else uses it."
                return SetupStep(title, SetupState.BY_HAND, text)
            self._call("DELETE", f"{FIELDS}/{field_id}")
        except (VendorRejected, NeedsReauthorisation) as error:
            text = f"Object Manager > {HOME[of]} > Fields & Relationships > {name} > Delete. ({error})"
            return SetupStep(title, SetupState.BY_HAND, f"Setup > {text}")
        return SetupStep(title, SetupState.REMOVED)

    def _each(self, *, verdicts: bool) -> Iterator[tuple[str, str, dict[str, Any]]]:
        for of in OBJECTS.values():
            for name, metadata in wanted(self._key, verdicts=verdicts).items():
                yield of, name, metadata

    def _one(self, of: str, name: str, metadata: Mapping[str, Any], sheet: Sheet) -> SetupStep:
        title = f"{HOME[of]}.{name}"
        if name in sheet.fields:
            return _there(title, of, name, sheet, key=self._key)
        try:
            self._call("POST", FIELDS, json={"FullName": title, "Metadata": metadata})
        except (VendorRejected, NeedsReauthorisation) as error:
            if isinstance(error, VendorRejected) and error.vendor_code == _TWICE:
                return SetupStep(title, SetupState.BY_HAND, show_it(of, name))
            return SetupStep(title, SetupState.BY_HAND, clicks(of, name, metadata))
        return SetupStep(title, SetupState.MADE)

    def _id_of(self, home: str, name: str) -> str:
        """The Tooling API's id of a field; "" for one that is not there."""
        records = self._tooling((OF_FIELD, (home, name.removesuffix("__c"))))
        return str(records[0]["Id"]) if records else ""


def _there(title: str, of: str, name: str, sheet: Sheet, *, key: str) -> SetupStep:
    """A field that is there: as it should be, or what is wrong with it."""
    if name == key and not sheet.has_key(name):
        text = f"{title} is there, but not both External ID and Unique: edit it so, or two records may have one key."
        return SetupStep(
            title, SetupState.BY_HAND, f"Setup > Object Manager > {HOME[of]} > Fields & Relationships: {text}"
        )
    if name == key and not sheet.fields[name].may_create:
        return SetupStep(title, SetupState.BY_HAND, show_it(of, name))
    return SetupStep(title, SetupState.THERE)
