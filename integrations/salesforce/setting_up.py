"""The fields of ours in an org: made by the Tooling API where we may, else told as clicks; and taken away again.

Custom fields of tasks belong to Activity. A field that is made this way is hidden from everybody until a permission set
shows it. Source: vendor sheet 4.3, read 2026-11; the Tooling API's shapes and both of these are (R), not tried in an org.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from integrations.kernel.crm import SetupState, SetupStep
from integrations.kernel.errors import NeedsReauthorisation, VendorRejected
from integrations.salesforce.org import OBJECTS, Sheet, Sheets
from integrations.salesforce.reading import Query, Row
from integrations.salesforce.settings import REASON_FIELD, VERDICT_FIELD

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


class Setup:
    """call: one call; raises VendorRejected and NeedsReauthorisation. tooling: a query of the Tooling API."""

    def __init__(
        self, call: Callable[..., Any], tooling: Callable[[Query], Sequence[Row]], sheets: Sheets, key: str
    ) -> None:
        self._call, self._tooling, self._sheets, self._key = call, tooling, sheets, key

    def make(self, *, verdicts: bool) -> list[SetupStep]:
        """Make what is missing; what is there already is left as it is."""
        steps, made = [], []
        for of, name, metadata in self._each(verdicts=verdicts):
            steps.append(self._one(of, name, metadata))
            if steps[-1].state is SetupState.MADE:
                made.append((of, name))
        self._sheets.forget()
        steps += [
            SetupStep(f"{of}.{name}", SetupState.BY_HAND, show_it(of, name))
            for of, name in made if name not in self._sheets.of(of).fields
        ]  # fmt: skip
        return steps

    def present(self) -> list[str]:
        """Fields of ours that the org has, as far as we see them."""
        return [f"{HOME[of]}.{name}" for of, name, _ in self._each(verdicts=True) if name in self._sheets.of(of).fields]

    def remove(self) -> list[SetupStep]:
        """Take our fields away, with what is in them. Records stay."""
        steps = []
        for of, name, _ in self._each(verdicts=True):
            title = f"{HOME[of]}.{name}"
            try:
                field_id = self._id_of(HOME[of], name)
                if field_id:
                    self._call("DELETE", f"{FIELDS}/{field_id}")
                    steps.append(SetupStep(title, SetupState.REMOVED))
            except (VendorRejected, NeedsReauthorisation) as error:
                text = f"Object Manager > {HOME[of]} > Fields & Relationships > {name} > Delete. ({error})"
                steps.append(SetupStep(title, SetupState.BY_HAND, f"Setup > {text}"))
        self._sheets.forget()
        return steps

    def _each(self, *, verdicts: bool) -> Iterator[tuple[str, str, dict[str, Any]]]:
        for of in OBJECTS.values():
            for name, metadata in wanted(self._key, verdicts=verdicts).items():
                yield of, name, metadata

    def _one(self, of: str, name: str, metadata: Mapping[str, Any]) -> SetupStep:
        title, sheet = f"{HOME[of]}.{name}", self._sheets.of(of)
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
