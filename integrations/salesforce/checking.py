"""What is wrong with a connection, a sentence each with what to do. Reads describes; changes nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from integrations.kernel.crm import Usage
from integrations.kernel.errors import NeedsReauthorisation, VendorRejected
from integrations.salesforce.org import OBJECTS, Sheet, Sheets, no_key
from integrations.salesforce.reading import DIRECTORY, directory_fields
from integrations.salesforce.settings import extra_fields

FULL: Final = 0.8  # of the day's calls: machines stop there
WRITTEN: Final = {
    "Lead": ("LastName", "Company", "Description"), "Opportunity": ("Name", "StageName", "CloseDate", "AccountId"),
    "Task": ("Subject", "WhatId", "ActivityDate"),
}  # fmt: skip


def problems(sheets: Sheets, key: str, config: Mapping[str, Any], usage: Usage) -> list[str]:
    """None when companies can be read, and leads pushed and read back."""
    sheets.forget()
    found: list[str] = []
    seen: dict[str, Sheet] = {}
    for name in (*OBJECTS.values(), *DIRECTORY):
        try:
            seen[name] = sheets.of(name)
        except (VendorRejected, NeedsReauthorisation):
            found.append(f"The integration user does not see the object {name}: give its permission set access to it.")
    for name in WRITTEN:
        if name in seen:
            found += _writes(seen[name], key)
    for name in DIRECTORY:
        if name in seen:
            found += _reads(seen[name])
    found += [*_deals(seen.get("Opportunity"), config), *_account(seen.get("Account"), config), *_extra(seen, config)]
    if usage.used is not None and usage.allowed and usage.used >= FULL * usage.allowed:
        found.append(
            f"{usage.used} of the org's {usage.allowed} API calls of 24 hours are used. We stop at 80 %; what waits goes "
            "out as calls become free. Ask who else calls this much (Setup > System Overview), or buy calls."
        )
    return found


def _writes(sheet: Sheet, key: str) -> Iterator[str]:
    if not sheet.has_key(key):
        yield no_key(sheet.object, key)
    elif not sheet.fields[key].may_create:
        yield f"The integration user may not write {sheet.object}.{key}: give it edit access to the field."
    if not (sheet.may_create and sheet.may_update):
        yield f"The integration user may not create and edit {sheet.object}: give its permission set both."
    hidden = [name for name in WRITTEN[sheet.object] if name not in sheet.fields or not sheet.fields[name].may_create]
    if hidden:
        yield f"The integration user may not write {', '.join(hidden)} of {sheet.object}: give it edit access to the fields."


def _reads(sheet: Sheet) -> Iterator[str]:
    """A query that names one hidden field is refused as a whole."""
    needed = directory_fields(sheet.object, sheet, ())
    hidden = ", ".join(f"{sheet.object}.{name}" for name in needed if name not in sheet.fields)
    if hidden:
        yield (
            f"The integration user may not read {hidden}: Setup > Permission Sets > the user's set > Object Settings > "
            f"{sheet.object} > Edit: tick Read Access. Until then no company is read and no lead is made."
        )


def _deals(sheet: Sheet | None, config: Mapping[str, Any]) -> Iterator[str]:
    if sheet is None or "StageName" not in sheet.fields:
        return
    stage = str(config.get("stage") or "")
    if stage and not sheet.fields["StageName"].first_of((stage,)):
        yield f"stage: the org has no stage {stage!r}; it has {', '.join(sheet.fields['StageName'].values)}."
    if not sheet.currencies and not config.get("currency"):
        yield "currency: this org keeps one currency; say which, or no amounts are written and read."


def _account(sheet: Sheet | None, config: Mapping[str, Any]) -> Iterator[str]:
    for setting in ("account_key_field", "territory_field"):
        name = str(config.get(setting) or "")
        if sheet is not None and name and name not in sheet.fields:
            yield f"{setting}: Account has no field {name} that the integration user sees."


def _extra(seen: Mapping[str, Sheet], config: Mapping[str, Any]) -> Iterator[str]:
    for name, field in extra_fields(config).items():
        if not any(field in seen[one].fields for one in WRITTEN if one in seen):
            yield f"fields: none of Lead, Opportunity and Task has {field} (for {name}), or it is hidden from us."
