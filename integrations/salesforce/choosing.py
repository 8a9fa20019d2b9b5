"""Which of the org's own words new records get, as sentences for an admin: the same tables that fill the records. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from integrations.salesforce.org import Sheet
from integrations.salesforce.words import HOT, OPEN_TASK, SOURCES, TYPES, first_open

NONE: Final = "(left empty, no value of the list fits)"


def sentences(sheets: Mapping[str, Sheet], stage: str) -> list[str]:
    """A line for each picklist that is filled. stage: the admin's for a new deal, or ""."""
    return [f"{name}: {told}" for of, sheet in sheets.items() for name, told in _of(of, sheet, stage)]


def _of(of: str, sheet: Sheet, stage: str) -> Iterator[tuple[str, str]]:
    lists = {name: field for name, field in sheet.fields.items() if field.values}
    if of == "Opportunity" and "StageName" in lists:
        yield "Opportunity.StageName", first_open(lists["StageName"], stage)
    if of == "Opportunity" and "Type" in lists:
        kinds: dict[str, list[str]] = {}
        for kind, known in TYPES.items():
            kinds.setdefault(lists["Type"].first_of(known) or NONE, []).append(kind)
        yield "Opportunity.Type", "; ".join(f"{value} for {', '.join(found)}" for value, found in kinds.items())
    if of == "Task" and "Status" in lists:
        yield "Task.Status", lists["Status"].default or lists["Status"].first_of(OPEN_TASK) or NONE
    if of in HOT and HOT[of][0] in lists:
        name, hot, warm = HOT[of]
        values = (lists[name].first_of(known) or NONE for known in (hot, warm))
        yield f"{of}.{name}", " for a high score, else ".join(values)
    if of != "Task" and "LeadSource" in lists:
        yield f"{of}.LeadSource", lists["LeadSource"].first_of(SOURCES) or NONE
