"""Custom fields by the Tooling API, and who may see them. (R): the shape is from readers' knowledge, no document was read."""

from __future__ import annotations

import itertools
import re
from typing import Any

from flask import Flask, Response, jsonify

from sandbox.salesforce.errors import Failed, refusal
from sandbox.salesforce.kinds import Field
from sandbox.salesforce.routes import ROOT, asked
from sandbox.salesforce.state import State

TYPES = {"Text": "string", "Picklist": "picklist", "LongTextArea": "textarea", "Number": "double", "Checkbox": "boolean",
         "Date": "date", "DateTime": "datetime", "Url": "url"}  # fmt: skip
_NAME = re.compile(r"(\w+)\.([A-Za-z]\w*__c)")


class Setup:
    """may_customize: does the run-as user have the permission. made: id -> (object, field)."""

    def __init__(self) -> None:
        self.may_customize = True
        self.made: dict[str, tuple[str, str]] = {}
        self.numbers = itertools.count(1)

    def permit(self, may: bool = True) -> bool:
        """An admin gives or takes the permission "Customize Application"."""
        self.may_customize = may
        return may


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
        if match is None or match[1] not in state.fields or not isinstance(body.get("Metadata"), dict):
            raise Failed("FIELD_INTEGRITY_EXCEPTION", "FullName is Object.Field__c, Metadata an object")
        kind, name = match.groups()
        with state.context.lock:
            if name in state.fields[kind]:
                raise Failed("DUPLICATE_DEVELOPER_NAME", f"There is already a field named {name} on {kind}.")
            state.put_field(kind, field_of(name, body["Metadata"]))
            field_id = f"00NSb{next(setup.numbers):010d}AAA"
            setup.made[field_id] = (kind, name)
        return jsonify(id=field_id, success=True, errors=[]), 201

    @app.delete(f"{ROOT}/tooling/sobjects/CustomField/<field_id>")
    def drop_field(version: str, field_id: str) -> tuple[str, int]:
        permitted()
        if field_id not in setup.made:
            raise Failed("NOT_FOUND", "The requested resource does not exist", status=404)
        state.drop_field(*setup.made.pop(field_id))
        return "", 204
