"""`/reps/` of the simulated Salesforce: what lies before the reps, and plain forms for what they do with it.

An app of its own beside the API: people's clicks are no API calls, so they use up nothing of the day and stay out of the
ledger.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from flask import Flask, abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as Answer

from sandbox.base import strict
from sandbox.salesforce.errors import Failed
from sandbox.salesforce.kinds import STAGES, Field
from sandbox.salesforce.reps import REASON, VERDICT, Acts
from sandbox.salesforce.state import Row

LISTED = 100  # of each object, newest first
KINDS = {"Lead": "Leads", "Opportunity": "Opportunities", "Task": "Tasks"}
DONE = {"accept": "accepted", "reject": "rejected", "convert": "converted", "stage": "moved to another stage", "win": "won",
        "lose": "lost", "complete": "completed"}  # fmt: skip


def build(state: Acts) -> Flask:
    """The pages' app."""
    app = Flask("sandbox.salesforce.reps", template_folder=str(Path(__file__).parent / "templates"), static_folder=None)

    def page(wrong: str = "") -> str:
        wanted = request.values.get("with", "").strip()
        done, object_id = request.args.get("done", ""), request.args.get("id", "")
        with state.context.lock:
            told = f"{_title(state, object_id)} was {DONE[done]}." if done in DONE and object_id else ""
            sections = [_section(state, kind, wanted.casefold()) for kind in KINDS]
        return render_template(
            "reps.html", sections=sections, wanted=wanted, told=told, wrong=wrong, scheme=_scheme(),
            desk=f"http://127.0.0.1:{state.context.ports_from}/sandbox/",
        )  # fmt: skip

    @app.get("/")
    def board() -> str:
        return page()

    @app.post("/<kind>/<object_id>/<do>")
    def act(kind: str, object_id: str, do: str) -> Answer | tuple[str, int]:
        if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
            abort(403)
        act = _acts(state, kind).get(do)
        if act is None:
            abort(404)
        try:
            act(object_id, request.form)
        except Failed as failed:
            return page(f"The org says no: {failed.code}: {failed.message}"), 409
        except ValueError:
            return page("An amount is a number such as 1200 or 1200.50."), 400
        kept = {"scheme": _scheme(), "with": request.form.get("with", "")}
        return redirect(url_for("board", done=do, id=object_id, _anchor=object_id, **kept), 303)

    strict(app, "style-src 'unsafe-inline'; img-src data:; form-action 'self'; base-uri 'none'")
    return app


Form = Mapping[str, str]


def _acts(state: Acts, kind: str) -> dict[str, Callable[[str, Form], object]]:
    """What can be done with an object: name -> act."""
    both: dict[str, Callable[[str, Form], object]] = {
        "accept": lambda i, form: state.accept(kind, i),
        "reject": lambda i, form: state.reject(kind, i, form.get("reason", "").strip()),
    }
    more: dict[str, dict[str, Callable[[str, Form], object]]] = {
        "Lead": {"convert": lambda i, form: state.convert(i)},
        "Opportunity": {
            "stage": lambda i, form: state.stage(i, form.get("stage", "")),
            "win": lambda i, form: state.win(i, float(form["amount"]) if form.get("amount") else None),
            "lose": lambda i, form: state.lose(i, form.get("reason", "").strip()),
        },
        "Task": {"complete": lambda i, form: state.complete(i)},
    }
    return both | more[kind] if kind in more else {}


def _scheme() -> str:
    return "dark" if request.values.get("scheme") == "dark" else "light"


def _section(state: Acts, kind: str, wanted: str) -> dict[str, Any]:
    """One object's records; wanted: a folded text that a record, its owner or its account contains."""
    rows = [_card(state, kind, row) for row in reversed(state.rows[kind].values()) if not row["IsDeleted"]]
    found = [one for one in rows if wanted in " ".join(str(value) for value in one.values()).casefold()]
    reason = state.fields[kind].get(REASON) or Field("reason")
    return {"kind": kind, "title": KINDS[kind], "rows": found[:LISTED], "total": len(rows), "stages": list(STAGES),
            "reasons": reason.values, "reason_length": reason.length or 255}  # fmt: skip


def _card(state: Acts, kind: str, row: Row) -> dict[str, Any]:
    """What a page shows of a record."""
    owner = state.rows["User"].get(row["OwnerId"], {})
    facts = {
        "Status": row.get("Status") or row.get("StageName"), "Owner": owner.get("Name"),
        "Account": _title(state, row.get("AccountId") or row.get("WhatId") or ""), "Company": row.get("Company"),
        "About": _title(state, row.get("WhoId") or ""), "E-mail": row.get("Email"), "Rating": row.get("Rating"),
        "Amount": _amount(row), "Close date": row.get("CloseDate"), "Due": row.get("ActivityDate"),
        "Verdict": row.get(VERDICT), "Reason": row.get(REASON),
        "Became": _title(state, row.get("ConvertedOpportunityId") or ""),
    }  # fmt: skip
    return {
        "id": row["Id"], "title": _title(state, row["Id"]), "description": row["Description"] or "",
        "facts": {name: value for name, value in facts.items() if value not in (None, "")},
        "amount": _amount(row), "stage": row.get("StageName"), "became": row.get("ConvertedOpportunityId"),
        "open": not (row.get("IsConverted") or row.get("IsClosed")),
    }  # fmt: skip


def _amount(row: Row) -> str:
    """In whole units, as the org keeps it; "" for none."""
    return "" if row.get("Amount") is None else f"{row['Amount']:.2f}"


def _title(state: Acts, object_id: str) -> str:
    """A record's name; "" for none."""
    row = next((rows[object_id] for rows in state.rows.values() if object_id in rows), {})
    return str(row.get("Name") or row.get("Subject") or row.get("Id", ""))
