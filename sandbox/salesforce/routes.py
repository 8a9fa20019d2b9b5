"""Records and collections of the simulated Salesforce. Source: vendor sheet 4.3, read 2026-11."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flask import Flask, Response, jsonify, request

from sandbox.base import Ledger
from sandbox.salesforce.errors import Failed, not_found, refusal
from sandbox.salesforce.state import Row, State

COLLECTION = 200
ROOT = "/services/data/<version>"


def shown(version: str, kind: str, row: Mapping[str, Any], fields: Any = None) -> Row:  # noqa: ANN401 - names
    """A row with its attributes."""
    url = f"/services/data/{version}/sobjects/{kind}/{row['Id']}"
    return {"attributes": {"type": kind, "url": url}, **{n: row[n] for n in (fields or row)}}


def asked() -> Row:
    """The body, without attributes. Raises Refusal."""
    body = request.get_json(silent=True)
    if not isinstance(body, dict):
        raise refusal(
            400, "JSON_PARSER_ERROR", "The HTTP entity body is required, but this request has no entity body."
        )
    return {name: value for name, value in body.items() if name != "attributes"}


def lets_duplicates() -> bool:
    """Does the caller's header save what the duplicate rule warns of?"""
    return "allowsave=true" in request.headers.get("Sforce-Duplicate-Rule-Header", "").replace(" ", "").lower()


def assigns() -> bool:
    """Do assignment rules run on what the caller makes? They do unless told not to. Source: vendor sheet 4.3 (V:sf)."""
    return request.headers.get("Sforce-Auto-Assign", "TRUE").strip().upper() != "FALSE"


def _wanted() -> dict[str, bool]:
    return {"allow_duplicates": lets_duplicates(), "assign": assigns()}


def answer(row: Mapping[str, Any], created: bool) -> Row:
    return {"id": row["Id"], "success": True, "created": created, "errors": []}


def records(app: Flask, state: State, ledger: Ledger) -> None:
    """One record a call."""

    @app.get(f"{ROOT}/sobjects/<kind>/describe")
    def describe(version: str, kind: str) -> Response:
        fields = known(state, kind)
        with state.context.lock:
            listed = [f.described() for f in fields.values()]
        return jsonify(
            name=kind, label=kind, fields=listed, createable=True, updateable=True, queryable=True, custom=False
        )

    @app.post(f"{ROOT}/sobjects/<kind>", strict_slashes=False)
    @app.post(f"{ROOT}/sobjects/<kind>/")
    def create(version: str, kind: str) -> tuple[Response, int]:
        known(state, kind)
        row = state.create(kind, asked(), **_wanted())
        ledger.changed(row["Id"])
        return jsonify(id=row["Id"], success=True, errors=[]), 201

    @app.get(f"{ROOT}/sobjects/<kind>/<object_id>")
    def read(version: str, kind: str, object_id: str) -> Response:
        known(state, kind)
        names = [n for n in request.args.get("fields", "").split(",") if n]
        if unknown := [n for n in names if n not in state.fields[kind]]:
            raise refusal(400, "INVALID_FIELD", f"No such column '{unknown[0]}' on sobject of type {kind}")
        with state.context.lock:
            return jsonify(shown(version, kind, state.get(kind, object_id), names))

    @app.patch(f"{ROOT}/sobjects/<kind>/<object_id>")
    def patch(version: str, kind: str, object_id: str) -> tuple[str, int]:
        known(state, kind)
        ledger.changed(state.update(kind, object_id, asked(), allow_duplicates=lets_duplicates())["Id"])
        return "", 204

    @app.delete(f"{ROOT}/sobjects/<kind>/<object_id>")
    def delete(version: str, kind: str, object_id: str) -> tuple[str, int]:
        known(state, kind)
        state.delete(kind, object_id)
        ledger.changed(object_id)
        return "", 204


def by_key(app: Flask, state: State, ledger: Ledger) -> None:
    """One record by its external id."""

    @app.get(f"{ROOT}/sobjects/<kind>/<field>/<path:value>")
    def read_by_key(version: str, kind: str, field: str, value: str) -> tuple[Response, int]:
        known(state, kind)
        with state.context.lock:
            found = state.matching(kind, field, value)
            if not found:
                raise not_found()
            if len(found) > 1:
                return jsonify([shown(version, kind, row, ["Id"])["attributes"]["url"] for row in found]), 300
            return jsonify(shown(version, kind, found[0])), 200

    @app.patch(f"{ROOT}/sobjects/<kind>/<field>/<path:value>")
    def upsert(version: str, kind: str, field: str, value: str) -> tuple[Response, int]:
        known(state, kind)
        body = asked()
        if field in body:
            raise refusal(400, "INVALID_FIELD", f"The {field} field should not be specified in the sobject data.")
        with state.context.lock:
            if len(found := state.matching(kind, field, value)) > 1:
                return jsonify([shown(version, kind, row, ["Id"])["attributes"]["url"] for row in found]), 300
            row, created = state.upsert(kind, field, value, body, **_wanted())
        ledger.changed(row["Id"])
        return jsonify(answer(row, created)), 201 if created else 200


def collections(app: Flask, state: State, ledger: Ledger) -> None:
    """Up to 200 records a call, each with a result of its own, in order."""

    @app.post(f"{ROOT}/composite/sobjects")
    def create_many(version: str) -> Response:
        def one(kind: str, body: Row) -> Row:
            row = state.create(kind, body, **_wanted())
            ledger.changed(row["Id"])
            return {"id": row["Id"], "success": True, "errors": []}

        return jsonify([_item(state, one, record) for record in _records()])

    @app.patch(f"{ROOT}/composite/sobjects", strict_slashes=False)
    @app.patch(f"{ROOT}/composite/sobjects/")
    def update_many(version: str) -> Response:
        def one(kind: str, body: Row) -> Row:
            object_id = str(body.pop("id", None) or body.pop("Id", None) or "")
            if not object_id:
                raise Failed("MISSING_ARGUMENT", "Id not specified in an update call")
            row = state.update(kind, object_id, body, allow_duplicates=lets_duplicates())
            ledger.changed(row["Id"])
            return {"id": row["Id"], "success": True, "errors": []}

        records = _records()
        twice = _twice([str(r.get("id") or r.get("Id") or "") for r in records])
        return jsonify([_item(state, one, record, n in twice) for n, record in enumerate(records)])

    @app.patch(f"{ROOT}/composite/sobjects/<kind>/<field>")
    def upsert_many(version: str, kind: str, field: str) -> Response:
        known(state, kind)

        def one(of: str, body: Row) -> Row:
            if of != kind:
                raise Failed("INVALID_TYPE", f"records must be of type {kind}")
            if not body.get(field):
                raise Failed("MISSING_ARGUMENT", f"{field} not specified")
            value = str(body.pop(field))
            row, created = state.upsert(kind, field, value, body, **_wanted())
            ledger.changed(row["Id"])
            return answer(row, created)

        records = _records()
        twice = _twice([str(r.get(field) or "") for r in records])
        return jsonify([_item(state, one, record, n in twice) for n, record in enumerate(records)])


def _records() -> list[Row]:
    body = asked()
    found = body.get("records")
    if not isinstance(found, list) or len(found) > COLLECTION or not all(isinstance(one, dict) for one in found):
        raise refusal(400, "INVALID_INPUT", f"records is a list of at most {COLLECTION}")
    if body.get("allOrNone"):
        raise refusal(400, "INVALID_INPUT", "the sandbox knows allOrNone false only")
    return found


def _twice(names: list[str]) -> set[int]:
    """Places of records that one call names once more: each is named once (R)."""
    folded = [name.casefold() for name in names]
    return {n for n, name in enumerate(folded) if name and name in folded[:n]}


def _item(state: State, does: Callable[[str, Row], Row], record: Row, again: bool = False) -> Row:
    """One record's result. again: an earlier record of the call is the same."""
    body = {name: value for name, value in record.items() if name != "attributes"}
    kind = (record.get("attributes") or {}).get("type", "")
    try:
        if kind not in state.fields:
            raise Failed("INVALID_TYPE", f"sObject type '{kind}' is not supported.")
        if again:
            raise Failed("DUPLICATE_VALUE", "Duplicate id specified in one call")
        return does(kind, body)
    except Failed as failed:
        return {"success": False, "errors": [failed.item()]}


def known(state: State, kind: str) -> Mapping[str, Any]:
    """The fields of an object. Raises Refusal."""
    if kind not in state.fields:
        raise not_found()
    return state.fields[kind]
