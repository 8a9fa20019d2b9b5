"""Custom fields by the Tooling API, and who may see them.

(R): no document was read; that fields of tasks are Activity's, and that a new field is hidden until a permission set shows
it, too.
"""

from __future__ import annotations

import itertools
import re
from typing import Any

from flask import Flask, Response, jsonify, request

from sandbox.salesforce import soql
from sandbox.salesforce.errors import Failed, refusal
from sandbox.salesforce.kinds import Field, full_id
from sandbox.salesforce.routes import ROOT, asked
from sandbox.salesforce.state import State

TYPES = {"Text": "string", "Picklist": "picklist", "LongTextArea": "textarea", "Number": "double", "Checkbox": "boolean",
         "Date": "date", "DateTime": "datetime", "Url": "url"}  # fmt: skip
HOMES = {"Activity": ("Task",)}  # whose fields those of this object are
COLUMNS = {name: Field(name) for name in ("Id", "DeveloperName", "TableEnumOrId", "EntityDefinition.QualifiedApiName")}
_NAME = re.compile(r"(\w+)\.([A-Za-z]\w*__c)")


class Setup:
    """may_customize: does the run-as user have the permission. made: id -> (home, field). shows: are new fields seen at
    once, as where the admin's permission set is kept up to date; those that are not wait in `hidden`, by object.
    """

    def __init__(self, state: State) -> None:
        self._state = state
        self.may_customize = self.shows = True
        self.made: dict[str, tuple[str, str]] = {}
        self.hidden: dict[tuple[str, str], Field] = {}
        self.numbers = itertools.count(1)

    def permit(self, may: bool = True) -> bool:
        """An admin gives or takes the permission "Customize Application"."""
        self.may_customize = may
        return may

    def show_fields(self, shows: bool = True) -> bool:
        """The permission set shows all fields there are, and new ones at once; or new ones not."""
        with self._state.context.lock:
            self.shows = shows
            while shows and self.hidden:
                (kind, _), field = self.hidden.popitem()
                self._state.put_field(kind, field)
        return shows

    def make(self, home: str, name: str, meta: dict[str, Any]) -> str:
        """The new field's id. Raises Failed."""
        kinds = HOMES.get(home, (home,))
        with self._state.context.lock:
            if any(name in self._state.fields[kind] or (kind, name) in self.hidden for kind in kinds):
                raise Failed("DUPLICATE_DEVELOPER_NAME", f"There is already a field named {name} on {home}.")
            for kind in kinds:
                if self.shows:
                    self._state.put_field(kind, field_of(name, meta))
                else:
                    self.hidden[kind, name] = field_of(name, meta)
            field_id = full_id(f"00NSb{next(self.numbers):010d}")
            self.made[field_id] = (home, name)
        return field_id

    def drop(self, field_id: str) -> None:
        """With its values. Raises Failed."""
        with self._state.context.lock:
            home, name = self._found(field_id)
            for kind in HOMES.get(home, (home,)):
                self.hidden.pop((kind, name), None)
                self._state.drop_field(kind, name)

    def _found(self, field_id: str) -> tuple[str, str]:
        known = {one["Id"]: (one["TableEnumOrId"], f"{one['DeveloperName']}__c") for one in self.rows()}
        if field_id not in known:
            raise Failed("NOT_FOUND", "The requested resource does not exist", status=404)
        return known[field_id]

    def rows(self) -> list[dict[str, Any]]:
        """All custom fields as the Tooling API tells of them; those made by hand get their ids now."""
        with self._state.context.lock:
            homes = {kind: home for home, kinds in HOMES.items() for kind in kinds}
            seen = {
                (homes.get(k, k), n) for k, fields in self._state.fields.items() for n in fields if n.endswith("__c")
            }
            seen |= {(homes.get(kind, kind), name) for kind, name in self.hidden}
            for one in sorted(seen - set(self.made.values())):
                self.made[full_id(f"00NSb{next(self.numbers):010d}")] = one
            return [
                {"Id": i, "DeveloperName": name.removesuffix("__c"), "TableEnumOrId": home,
                 "EntityDefinition.QualifiedApiName": home}
                for i, (home, name) in self.made.items() if (home, name) in seen
            ]  # fmt: skip


def field_of(name: str, meta: dict[str, Any]) -> Field:
    """Raises Failed for a kind that is none."""
    kind = TYPES.get(str(meta.get("type")))
    if kind is None or not meta.get("label"):
        raise Failed("FIELD_INTEGRITY_EXCEPTION", "a label and a known type are required")
    if kind == "string" and not meta.get("length"):
        raise Failed("FIELD_INTEGRITY_EXCEPTION", "Must specify 'length' for a CustomField of type Text")
    values = (meta.get("valueSet") or {}).get("valueSetDefinition", {}).get("value", [])
    return Field(
        name, kind, int(meta.get("length") or 255), bool(meta.get("required")), values=tuple(v["fullName"] for v in values),
        restricted=bool((meta.get("valueSet") or {}).get("restricted")), external=bool(meta.get("externalId")),
        unique=bool(meta.get("unique")),
    )  # fmt: skip


def routes(app: Flask, state: State, setup: Setup) -> None:
    """Make and remove a custom field."""

    def permitted() -> None:
        if not setup.may_customize:
            message = "insufficient access rights on cross-reference id"
            raise refusal(403, "INSUFFICIENT_ACCESS_OR_READONLY", message)

    @app.post(f"{ROOT}/tooling/sobjects/CustomField", strict_slashes=False)
    @app.post(f"{ROOT}/tooling/sobjects/CustomField/")
    def make_field(version: str) -> tuple[Response, int]:
        permitted()
        body = asked()
        match = _NAME.fullmatch(str(body.get("FullName")))
        known = match is not None and (match[1] in HOMES or (match[1] in state.fields and match[1] != "Task"))
        if match is None or not known or not isinstance(body.get("Metadata"), dict):
            raise Failed("FIELD_INTEGRITY_EXCEPTION", "FullName is Object.Field__c, Metadata an object")
        field_id = setup.make(match[1], match[2], body["Metadata"])
        return jsonify(id=field_id, success=True, errors=[]), 201

    @app.delete(f"{ROOT}/tooling/sobjects/CustomField/<field_id>")
    def drop_field(version: str, field_id: str) -> tuple[str, int]:
        permitted()
        setup.drop(field_id)
        return "", 204

    @app.get(f"{ROOT}/tooling/query", strict_slashes=False)
    @app.get(f"{ROOT}/tooling/query/")
    def query_fields(version: str) -> Response:
        query = soql.Parser(request.args.get("q", ""), _describe).query()
        rows = [row for row in setup.rows() if query.test(row)][: query.limit]
        url = f"/services/data/{version}/tooling/sobjects/CustomField"
        told = [
            {"attributes": {"type": "CustomField", "url": f"{url}/{r['Id']}"}, **{n: r[n] for n in query.fields}}
            for r in rows
        ]
        return jsonify(size=len(told), totalSize=len(told), done=True, records=told, entityTypeName="CustomField")


def _describe(kind: str) -> dict[str, Field]:
    if kind.lower() != "customfield":
        raise refusal(400, "INVALID_TYPE", f"sObject type '{kind}' is not supported.")
    return COLUMNS
