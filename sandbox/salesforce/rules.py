"""What a write must keep to that other records decide: references, locks, unique keys, duplicate rules, the org's own flows.

Source: vendor sheet 4.3, read 2026-11; the codes and when each comes are (R).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sandbox.salesforce.errors import Failed
from sandbox.salesforce.kinds import PREFIXES

if TYPE_CHECKING:
    from sandbox.salesforce.state import Row, State

LEADS = "/services/data/v66.0/sobjects/Lead"
RULE = "Sandbox_Lead_Email"
PARENTS = ("AccountId", "WhatId", "WhoId", "ParentId")  # a write locks the record itself and these


def check(state: State, kind: str, body: Mapping[str, Any], own: Row, *, allow_duplicates: bool) -> None:
    """own: the record as it is; empty of a new one. Raises Failed."""
    _references(state, kind, body)
    _locks(state, {**own, **body})
    _unique(state, kind, body, own.get("Id", ""))
    if kind == "Lead" and state.duplicates_alert and not allow_duplicates and "Email" in body:
        _duplicates(state, body, own)
    _flows(state, kind)


def _references(state: State, kind: str, body: Mapping[str, Any]) -> None:
    for name, value in body.items():
        field = state.fields[kind][name]
        if not field.to or value is None:
            continue
        target = next((one for one in field.to if PREFIXES[one] == value[:3]), None)
        row = state.any_row(target, value) if target else None
        if row is None:
            raise Failed("INVALID_CROSS_REFERENCE_KEY", f"{name}: id value of incorrect type or unknown", (name,))
        if row.get("IsDeleted"):
            raise Failed("ENTITY_IS_DELETED", "entity is deleted", (name,))
        if name == "OwnerId" and not row["IsActive"]:
            raise Failed("INACTIVE_OWNER_OR_USER", "operation performed with inactive user", (name,))


def _locks(state: State, row: Mapping[str, Any]) -> None:
    held = next((row[name] for name in ("Id", *PARENTS) if row.get(name) in state.locked), None)
    if held:
        raise Failed("UNABLE_TO_LOCK_ROW", f"unable to obtain exclusive access to this record: {held}")


def _unique(state: State, kind: str, body: Mapping[str, Any], own: str) -> None:
    for name, value in body.items():
        if not (state.fields[kind][name].unique and value):
            continue
        others = [one for one in state.keys.get((kind, name, str(value).casefold()), []) if one != own]
        if others:
            message = f"duplicate value found: {name} duplicates value on record with id: {others[0]}"
            raise Failed("DUPLICATE_VALUE", message)


def _duplicates(state: State, body: Mapping[str, Any], own: Row) -> None:
    """A second Lead with the address of one that is open. An address that did not change is not looked at again (?)."""
    email = str(body["Email"] or "").casefold()
    if not email or email == str(own.get("Email") or "").casefold():
        return
    rows = (state.rows["Lead"][one] for one in state.keys.get(("Lead", "Email", email), []))
    found = [
        {"additionalInformation": [], "fieldDiffs": [], "matchConfidence": 100.0,
         "record": {"attributes": {"type": "Lead", "url": f"{LEADS}/{r['Id']}"}, "Id": r["Id"]}}
        for r in rows if not r["IsConverted"]
    ]  # fmt: skip
    if found:
        results = [{"entityType": "Lead", "errors": [], "matchEngine": "ExactMatchEngine", "matchRecords": found,
                    "rule": RULE, "size": len(found), "success": True}]  # fmt: skip
        told = {"allowSave": True, "duplicateRule": RULE, "duplicateRuleEntityType": "Lead",
                "errorMessage": "Use one of these records?", "matchResults": results}  # fmt: skip
        raise Failed("DUPLICATES_DETECTED", "Use one of these records?", duplicateResult=told)


def _flows(state: State, kind: str) -> None:
    """A validation rule or a flow of the admin's that says no, as often as an act told it to."""
    told = state.objections.get(kind)
    if told:
        code, message = told.pop()
        raise Failed(code, message)
