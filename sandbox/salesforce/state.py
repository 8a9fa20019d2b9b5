"""What the simulated org holds, and every write to it. One lock for all: nothing is half changed."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from sandbox.base import Context
from sandbox.salesforce import checks, people
from sandbox.salesforce.errors import Failed, refusal
from sandbox.salesforce.kinds import FIELDS, PREFIXES, STAGES, Field, fields_of, make_id
from sandbox.world import World

Row = dict[str, Any]
LEADS = "/services/data/v66.0/sobjects/Lead"


class State:
    """Rows by object and id. duplicates_alert: does the org's rule stop a second Lead with the same address."""

    def __init__(self, context: Context, world: World) -> None:
        self.context = context
        self.fields: dict[str, dict[str, Field]] = {kind: fields_of(kind) for kind in FIELDS}
        self.rows: dict[str, dict[str, Row]] = {kind: {} for kind in FIELDS}
        self.keys: dict[tuple[str, str, str], list[str]] = {}
        self.duplicates_alert = True
        self.locked: set[str] = set()
        self._numbers = itertools.count(1)
        self.me = make_id("User", 1)
        known: dict[str, str] = {}
        for kind, key, values in people.seeds(world):
            body = {n: known[v[1:]] if isinstance(v, str) and v[:1] == "@" else v for n, v in values.items()}
            known[key] = self._insert(kind, body)["Id"]

    # Reading -----------------------------------------------------------------

    def describe(self, kind: str) -> Mapping[str, Field]:
        """Raises Refusal for an object that is none."""
        found = next((f for name, f in self.fields.items() if name.lower() == kind.lower()), None)
        if found is None:
            raise refusal(400, "INVALID_TYPE", f"sObject type '{kind}' is not supported.")
        return found

    def get(self, kind: str, object_id: str) -> Row:
        """Raises Failed for one that is none or is deleted."""
        row = self._any(kind, object_id)
        if row is None:
            raise Failed("NOT_FOUND", "Provided external ID field does not exist or is not accessible", status=404)
        if row.get("IsDeleted"):
            raise Failed("ENTITY_IS_DELETED", "entity is deleted", status=404)
        return row

    def matching(self, kind: str, field: str, value: str) -> list[Row]:
        """Live rows with this external id. Raises Failed for a field that is no such."""
        if field != "Id" and not (field in self.fields[kind] and self.fields[kind][field].external):
            message = "Provided external ID field does not exist or is not accessible"
            raise Failed("NOT_FOUND", f"{message}: {field}", status=404)
        ids = [value] if field == "Id" else self.keys.get((kind, field, value.casefold()), [])
        rows = (self._any(kind, one) for one in ids)
        return [row for row in rows if row is not None and not row.get("IsDeleted")]

    def _any(self, kind: str, object_id: str) -> Row | None:
        rows = self.rows[kind]
        if len(object_id) == 15:
            return next((row for known, row in rows.items() if known[:15] == object_id), None)
        return rows.get(object_id)

    # Writing -----------------------------------------------------------------

    def create(self, kind: str, body: Mapping[str, Any], *, allow_duplicates: bool = False) -> Row:
        """Raises Failed."""
        with self.context.lock:
            checks.check(kind, self.fields[kind], body, new=True)
            self._check_references(kind, body)
            self._check_unique(kind, body, "")
            if kind == "Lead" and self.duplicates_alert and not allow_duplicates:
                self._check_duplicates(body)
            return self._insert(kind, body)

    def update(self, kind: str, object_id: str, body: Mapping[str, Any]) -> Row:
        """Raises Failed."""
        with self.context.lock:
            row = self.get(kind, object_id)
            if row.get("IsConverted"):
                raise Failed("CANNOT_UPDATE_CONVERTED_LEAD", "cannot reference converted lead")
            checks.check(kind, self.fields[kind], body, new=False)
            self._check_references(kind, body)
            self._check_unique(kind, body, row["Id"])
            self._index(kind, row, drop=True)
            row.update(body)
            self._touch(kind, row)
            return row

    def upsert(
        self, kind: str, field: str, value: str, body: Mapping[str, Any], *, allow_duplicates: bool = False
    ) -> tuple[Row, bool]:
        """The row, and whether it is new. Raises Failed, also (status 300) when several match."""
        with self.context.lock:
            found = self.matching(kind, field, value)
            if len(found) > 1:
                raise Failed("DUPLICATE_EXTERNAL_ID", "more than one record matches", (field,), 300)
            if found:
                return self.update(kind, found[0]["Id"], body), False
            return self.create(kind, {**body, field: value}, allow_duplicates=allow_duplicates), True

    def delete(self, kind: str, object_id: str) -> bool:
        """Into the bin: `queryAll` still shows it. Raises Failed."""
        with self.context.lock:
            row = self.get(kind, object_id)
            row["IsDeleted"] = True
            self._index(kind, row, drop=True)
            row["SystemModstamp"] = row["LastModifiedDate"] = self.now()
            return True

    # Inside ------------------------------------------------------------------

    def now(self) -> str:
        return self.context.now().astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "+0000"

    def _insert(self, kind: str, body: Mapping[str, Any]) -> Row:
        row = {name: field.default for name, field in self.fields[kind].items()}
        row |= {"Id": make_id(kind, next(self._numbers)), "CreatedDate": self.now(), "CreatedById": self.me}
        row |= {"OwnerId": self.me} if "OwnerId" in self.fields[kind] else {}
        row.update(body)
        self.rows[kind][row["Id"]] = row
        self._touch(kind, row)
        return row

    def _touch(self, kind: str, row: Row) -> None:
        """What follows from the other fields."""
        if kind in ("Lead", "Contact"):
            row["Name"] = " ".join(part for part in (row["FirstName"], row["LastName"]) if part)
        if kind == "Opportunity":
            probability, row["IsClosed"], row["IsWon"] = STAGES.get(row["StageName"], (0, False, False))
            row["Probability"] = float(probability)
        if kind == "Task":
            row["IsClosed"] = row["Status"] == "Completed"
        row |= {"LastModifiedById": self.me, "LastModifiedDate": self.now(), "SystemModstamp": self.now()}
        for name, field in self.fields[kind].items():
            if field.kind == "datetime" and row.get(name):
                told = datetime.fromisoformat(row[name]).astimezone(UTC)
                row[name] = told.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "+0000"
        self._index(kind, row)

    def _index(self, kind: str, row: Row, *, drop: bool = False) -> None:
        for name, field in self.fields[kind].items():
            if field.external and row.get(name):
                ids = self.keys.setdefault((kind, name, str(row[name]).casefold()), [])
                if drop and row["Id"] in ids:
                    ids.remove(row["Id"])
                elif not drop and row["Id"] not in ids:
                    ids.append(row["Id"])

    def _check_unique(self, kind: str, body: Mapping[str, Any], own: str) -> None:
        for name, value in body.items():
            field = self.fields[kind][name]
            if not (field.external and field.unique and value):
                continue
            others = [one for one in self.keys.get((kind, name, str(value).casefold()), []) if one != own]
            if others:
                message = f"duplicate value found: {name} duplicates value on record with id: {others[0]}"
                raise Failed("DUPLICATE_VALUE", message)

    def _check_references(self, kind: str, body: Mapping[str, Any]) -> None:
        for name, value in body.items():
            field = self.fields[kind][name]
            if not field.to or value is None:
                continue
            target = next((one for one in field.to if PREFIXES[one] == value[:3]), None)
            row = self._any(target, value) if target else None
            if row is None:
                raise Failed("INVALID_CROSS_REFERENCE_KEY", f"{name}: id value of incorrect type or unknown", (name,))
            if row.get("IsDeleted"):
                raise Failed("ENTITY_IS_DELETED", "entity is deleted", (name,))
            if name == "OwnerId" and not row["IsActive"]:
                raise Failed("INACTIVE_OWNER_OR_USER", "operation performed with inactive user", (name,))
            if row["Id"] in self.locked:
                raise Failed("UNABLE_TO_LOCK_ROW", f"unable to obtain exclusive access to this record: {row['Id']}")

    def _check_duplicates(self, body: Mapping[str, Any]) -> None:
        email = (body.get("Email") or "").casefold()
        found = [
            {"additionalInformation": [], "fieldDiffs": [], "matchConfidence": 100.0,
             "record": {"attributes": {"type": "Lead", "url": f"{LEADS}/{r['Id']}"}, "Id": r["Id"]}}
            for r in self.rows["Lead"].values()
            if email and (r["Email"] or "").casefold() == email and not r["IsDeleted"] and not r["IsConverted"]
        ]  # fmt: skip
        if found:
            results = [{"entityType": "Lead", "errors": [], "matchEngine": "ExactMatchEngine", "matchRecords": found,
                        "rule": "Sandbox_Lead_Email", "size": len(found), "success": True}]  # fmt: skip
            told = {"allowSave": True, "duplicateRule": "Sandbox_Lead_Email", "errorMessage": "Use one of these records?",
                    "matchResults": results}  # fmt: skip
            raise Failed("DUPLICATES_DETECTED", "Use one of these records?", duplicateResult=told)

    # Acts --------------------------------------------------------------------

    def add_field(self, kind: str, name: str, length: int = 255, *, external: bool = False) -> bool:
        """A text field of the admin's; an external one is unique."""
        self.put_field(kind, Field(name, "string", length, external=external, unique=external))
        return True

    def put_field(self, kind: str, field: Field) -> None:
        """Every record has it from now on, empty."""
        with self.context.lock:
            self.fields[kind][field.name] = field
            for row in self.rows[kind].values():
                row.setdefault(field.name, field.default)

    def drop_field(self, kind: str, name: str) -> None:
        """With its values."""
        with self.context.lock:
            del self.fields[kind][name]
            for row in self.rows[kind].values():
                row.pop(name, None)
            for key in [key for key in self.keys if key[:2] == (kind, name)]:
                del self.keys[key]

    def lock_row(self, object_id: str, *, free: bool = False) -> bool:
        """Somebody else holds this record, until it is freed."""
        (self.locked.discard if free else self.locked.add)(object_id)
        return True
