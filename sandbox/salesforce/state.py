"""What the simulated org holds, and every write to it. One lock for all: nothing is half changed."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from sandbox.base import Context
from sandbox.salesforce import checks, people, rules
from sandbox.salesforce.errors import Failed, refusal
from sandbox.salesforce.kinds import FIELDS, STAGES, Field, fields_of, full_id, make_id
from sandbox.world import World

Row = dict[str, Any]


class State:
    """Rows by object and id. duplicates_alert: does the org's rule stop a second Lead with the same address.

    keys: (object, field, folded value) -> ids of live rows, for external ids and the addresses of leads. objections: by
    object, what the admin's own rules and flows will say no to. lead_owner: whom the active assignment rule gives leads.
    """

    def __init__(self, context: Context, world: World) -> None:
        self.context = context
        self.fields: dict[str, dict[str, Field]] = {kind: fields_of(kind) for kind in FIELDS}
        self.rows: dict[str, dict[str, Row]] = {kind: {} for kind in FIELDS}
        self.keys: dict[tuple[str, str, str], list[str]] = {}
        self.duplicates_alert = True
        self.locked: set[str] = set()
        self.objections: dict[str, list[tuple[str, str]]] = {}
        self.lead_owner = ""
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
        row = self.any_row(kind, object_id)
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
        rows = (self.any_row(kind, one) for one in ids)
        return [row for row in rows if row is not None and not row.get("IsDeleted")]

    def any_row(self, kind: str, object_id: str) -> Row | None:
        """By an id of 15 or 18 characters; deleted ones too."""
        return self.rows[kind].get(full_id(object_id) if len(object_id) == 15 else object_id)

    # Writing -----------------------------------------------------------------

    def create(
        self, kind: str, body: Mapping[str, Any], *, allow_duplicates: bool = False, assign: bool = False
    ) -> Row:
        """assign: does the org's assignment rule choose the owner of a lead that names none. Raises Failed."""
        with self.context.lock:
            checks.check(kind, self.fields[kind], body, new=True)
            rules.check(self, kind, body, {}, allow_duplicates=allow_duplicates)
            if assign and kind == "Lead" and self.lead_owner and not body.get("OwnerId"):
                body = {**body, "OwnerId": self.lead_owner}
            return self._insert(kind, body)

    def update(self, kind: str, object_id: str, body: Mapping[str, Any], *, allow_duplicates: bool = False) -> Row:
        """Raises Failed."""
        with self.context.lock:
            row = self.get(kind, object_id)
            if row.get("IsConverted"):
                raise Failed("CANNOT_UPDATE_CONVERTED_LEAD", "cannot reference converted lead")
            checks.check(kind, self.fields[kind], body, new=False)
            rules.check(self, kind, body, row, allow_duplicates=allow_duplicates)
            self._index(kind, row, drop=True)
            row.update(body)
            self._touch(kind, row)
            return row

    def upsert(
        self, kind: str, field: str, value: str, body: Mapping[str, Any], *, allow_duplicates: bool = False,
        assign: bool = False,
    ) -> tuple[Row, bool]:  # fmt: skip
        """The row, and whether it is new. Raises Failed, also (status 300) when several match."""
        with self.context.lock:
            found = self.matching(kind, field, value)
            if len(found) > 1:
                raise Failed("DUPLICATE_EXTERNAL_ID", "more than one record matches", (field,), 300)
            if found:
                return self.update(kind, found[0]["Id"], body, allow_duplicates=allow_duplicates), False
            new = {**body, field: value}
            return self.create(kind, new, allow_duplicates=allow_duplicates, assign=assign), True

    def delete(self, kind: str, object_id: str) -> bool:
        """Into the bin: `queryAll` still shows it. Raises Failed."""
        with self.context.lock:
            row = self.get(kind, object_id)
            rules.check(self, kind, {}, row, allow_duplicates=True)
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
            if (field.external or field.unique or (kind == "Lead" and name == "Email")) and row.get(name):
                ids = self.keys.setdefault((kind, name, str(row[name]).casefold()), [])
                if drop and row["Id"] in ids:
                    ids.remove(row["Id"])
                elif not drop and row["Id"] not in ids:
                    ids.append(row["Id"])

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
            self.fields[kind].pop(name, None)
            for row in self.rows[kind].values():
                row.pop(name, None)
            for key in [key for key in self.keys if key[:2] == (kind, name)]:
                del self.keys[key]

    def lock_row(self, object_id: str, *, free: bool = False) -> bool:
        """Somebody else holds this record, until it is freed. By an id of 15 or 18 characters."""
        (self.locked.discard if free else self.locked.add)(full_id(object_id[:15]))
        return True

    def object_to(self, kind: str, code: str, message: str = "", times: int = 1) -> bool:
        """The next writes to this object are refused, as a validation rule or a failing flow of the admin's would."""
        with self.context.lock:
            self.objections.setdefault(kind, []).extend([(code, message or f"{kind}: refused by the org")] * times)
        return True

    def assign_leads(self, owner_id: str) -> str:
        """The org's assignment rule gives new leads to this user from now on; "" makes it inactive. Answers its id."""
        with self.context.lock:
            self.lead_owner = owner_id
            known = self.rows["AssignmentRule"]
            row = next(iter(known.values()), None) or self._insert("AssignmentRule", {"SobjectType": "Lead"})
            row |= {"Name": "Standard", "Active": bool(owner_id)}
            return str(row["Id"])
