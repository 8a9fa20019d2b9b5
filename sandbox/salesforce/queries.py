"""Queries of the simulated Salesforce. Source: vendor sheet 4.4, read 2026-11."""

from __future__ import annotations

import secrets

from flask import Flask, Response, jsonify, request

from sandbox.salesforce import soql
from sandbox.salesforce.errors import refusal
from sandbox.salesforce.routes import ROOT, shown
from sandbox.salesforce.state import Row, State

PAGE = 2000


def routes(app: Flask, state: State) -> None:
    """SOQL by pages of 2,000."""
    waiting: dict[str, list[Row]] = {}

    def page(version: str, rows: list[Row], at: int, total: int, key: str) -> Response:
        told: Row = {"totalSize": total, "done": at + PAGE >= total, "records": rows[at : at + PAGE]}
        if not told["done"]:
            waiting[key] = rows
            told["nextRecordsUrl"] = f"/services/data/{version}/query/{key}-{at + PAGE}"
        return jsonify(told)

    def ask(version: str, *, deleted: bool) -> Response:
        query = soql.Parser(request.args.get("q", ""), state.describe).query()
        with state.context.lock:
            kind = next(one for one in state.rows if one.lower() == query.kind.lower())
            found = [r for r in state.rows[kind].values() if (deleted or not r.get("IsDeleted")) and query.test(r)]
            for name, descending in reversed(query.order):
                found.sort(key=lambda r, n=name: (r[n] is not None, r[n] or 0), reverse=descending)  # type: ignore[misc]
            found = found[: query.limit]
            if query.fields == ("count()",):
                return jsonify(totalSize=len(found), done=True, records=[])
            rows = [shown(version, kind, r, query.fields) for r in found]
        return page(version, rows, 0, len(rows), f"01g{secrets.token_hex(6)}")

    @app.get(f"{ROOT}/query", strict_slashes=False)
    @app.get(f"{ROOT}/query/")
    def query(version: str) -> Response:
        return ask(version, deleted=False)

    @app.get(f"{ROOT}/queryAll", strict_slashes=False)
    @app.get(f"{ROOT}/queryAll/")
    def query_all(version: str) -> Response:
        return ask(version, deleted=True)

    @app.get(f"{ROOT}/query/<key>-<int:at>")
    def more(version: str, key: str, at: int) -> Response:
        if key not in waiting:
            raise refusal(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
        return page(version, waiting[key], at, len(waiting[key]), key)
