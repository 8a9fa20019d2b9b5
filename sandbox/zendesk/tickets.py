"""Routes of tickets, tags, comments, jobs and people's identities."""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping
from typing import Any

from flask import Flask, Response, jsonify, request

from sandbox.base import Ledger, Refusal
from sandbox.zendesk.state import FIELDS, HOST, OWN_USER, State

MANY = 100
JOB_S = 0.3
JOBS_AT_ONCE = 30
STATUSES = frozenset({"new", "open", "pending", "hold", "solved", "closed"})
PRIORITIES = frozenset({None, "low", "normal", "high", "urgent"})
KNOWN = frozenset({
    "id", "status", "priority", "type", "subject", "group_id", "assignee_id", "external_id", "custom_fields", "comment",
    "tags", "additional_tags", "remove_tags", "safe_update", "updated_stamp", "requester_id",
})  # fmt: skip


def not_found() -> Refusal:
    return Refusal(404, {"error": "RecordNotFound", "description": "Not found"})


def invalid(field: str, why: str) -> Refusal:
    details = {field: [{"description": why, "error": "InvalidValue"}]}
    return Refusal(422, {"error": "RecordInvalid", "description": "Record validation errors", "details": details})


def routes(app: Flask, state: State, ledger: Ledger) -> None:
    """Put them on the app, with and without `.json`."""
    api = _Api(state, ledger)

    def add(rule: str, method: str, view: Any) -> None:  # noqa: ANN401 - a view function
        for suffix in ("", ".json"):
            name = f"{method}{rule}{suffix}"
            app.add_url_rule(f"/api/v2{rule}{suffix}", name, view, methods=[method], provide_automatic_options=False)

    add("/tickets/show_many", "GET", api.show_many)
    add("/tickets/update_many", "PUT", api.update_many)
    add("/job_statuses/show_many", "GET", api.jobs)
    add("/tickets/<int:ticket_id>", "GET", api.show)
    add("/tickets/<int:ticket_id>", "PUT", api.update)
    add("/tickets/<int:ticket_id>/tags", "PUT", api.tags)
    add("/tickets/<int:ticket_id>/tags", "DELETE", api.tags)
    add("/tickets/<int:ticket_id>/comments", "GET", api.comments)
    add("/users/<int:user_id>/identities", "GET", api.identities)


class _Api:
    def __init__(self, state: State, ledger: Ledger) -> None:
        self.state = state
        self.ledger = ledger

    def _ticket(self, ticket_id: int) -> dict[str, Any]:
        if ticket_id not in self.state.tickets:
            raise not_found()
        return self.state.tickets[ticket_id]

    def _ids(self) -> list[int]:
        raw = request.args.get("ids", "")
        if not raw:
            raise Refusal(400, {"error": "MissingIds", "description": "ids is required"})
        ids = [int(i) for i in raw.split(",") if i.isdigit()]
        if len(ids) > MANY:
            raise Refusal(400, {"error": "TooManyValues", "description": f"Too many ids, {MANY} at the most"})
        return ids

    def show(self, ticket_id: int) -> Response:
        return jsonify(ticket=self._ticket(ticket_id))

    def show_many(self) -> Response:
        with self.state.context.lock:
            found = [dict(self.state.tickets[i]) for i in self._ids() if i in self.state.tickets]
            answer: dict[str, Any] = {"tickets": found, "next_page": None, "previous_page": None, "count": len(found)}
            wanted = request.args.get("include", "").split(",")
            if "users" in wanted:
                people = {t[n] for t in found for n in ("requester_id", "submitter_id", "assignee_id") if t[n]}
                answer["users"] = [self.state.users[i] for i in sorted(people)]
            if "organizations" in wanted:
                companies = {t["organization_id"] for t in found if t["organization_id"]}
                answer["organizations"] = [self.state.organizations[i] for i in sorted(companies)]
        return jsonify(answer)

    def update(self, ticket_id: int) -> Response:
        wanted = (request.get_json(silent=True) or {}).get("ticket")
        if not isinstance(wanted, dict):
            raise Refusal(400, {"error": "Unprocessable", "description": "ticket is required"})
        ticket = self._ticket(ticket_id)
        self._check(ticket, wanted)
        self._write(ticket_id, wanted)
        return jsonify(ticket=self._ticket(ticket_id), audit={"id": self.state.next_id(), "ticket_id": ticket_id})

    def tags(self, ticket_id: int) -> Response | tuple[str, int]:
        ticket = self._ticket(ticket_id)
        wanted = request.get_json(silent=True) or {}
        tags = wanted.get("tags")
        if not isinstance(tags, list):
            raise Refusal(400, {"error": "InvalidTags", "description": "tags must be a list"})
        self._check(ticket, {k: v for k, v in wanted.items() if k in ("safe_update", "updated_stamp")})
        self._write(ticket_id, {"additional_tags" if request.method == "PUT" else "remove_tags": tags})
        return jsonify(tags=self._ticket(ticket_id)["tags"]) if request.method == "PUT" else ("", 204)

    def _check(self, ticket: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
        if ticket["status"] == "closed":
            raise invalid("status", "closed prevents ticket update")
        if unknown := set(wanted) - KNOWN:
            raise invalid(sorted(unknown)[0], "is not a ticket attribute")
        if "status" in wanted and wanted["status"] not in STATUSES:
            raise invalid("status", "is not a status")
        if "priority" in wanted and wanted["priority"] not in PRIORITIES:
            raise invalid("priority", "is not a priority")
        for f in wanted.get("custom_fields", ()):
            if int(f["id"]) not in FIELDS:
                raise invalid("custom_fields", f"{f['id']} is not a field of this account")
        if str(wanted.get("safe_update")) in ("true", "True") and wanted.get("updated_stamp") != ticket["updated_at"]:
            raise Refusal(409, {"error": "UpdateConflict", "description": "Safe Update prevented the update"})

    def _write(self, ticket_id: int, wanted: Mapping[str, Any]) -> None:
        self.state.intrude(ticket_id)
        if self.state.change(ticket_id, OWN_USER, wanted):
            self.ledger.changed(str(ticket_id))

    def update_many(self) -> Response:
        body = request.get_json(silent=True) or {}
        if request.args.get("ids"):
            items = [{**body.get("ticket", {}), "id": i} for i in self._ids()]
        else:
            items = body.get("tickets") or []
        if not items or len(items) > MANY:
            raise Refusal(400, {"error": "TooManyValues", "description": f"1 to {MANY} tickets"})
        now = time.monotonic()
        running = [j for j in self.state.jobs.values() if j["_done_at"] > now]
        if len(running) >= JOBS_AT_ONCE:
            raise Refusal(429, {"error": "TooManyJobs", "description": "Job limit reached"}, {"Retry-After": "5"})
        results = [self._item(item) for item in items]
        job_id = uuid.uuid4().hex
        self.state.jobs[job_id] = {
            "id": job_id, "job_type": "Bulk Update Ticket", "url": f"{HOST}/api/v2/job_statuses/{job_id}.json",
            "total": len(items), "_results": results, "_done_at": now + JOB_S / self.state.context.time_factor,
        }  # fmt: skip
        return jsonify(job_status=self._job(job_id))

    def _item(self, item: Mapping[str, Any]) -> dict[str, Any]:
        ticket_id = int(item.get("id", 0))
        try:
            self._check(self._ticket(ticket_id), item)
            self._write(ticket_id, item)
        except Refusal as refusal:
            name = "TicketNotFound" if refusal.status == 404 else refusal.body.get("error", "RecordInvalid")
            why = str(refusal.body)[:120]
            failed = {"id": ticket_id, "action": "update", "success": False, "status": "Failed"}
            return {**failed, "error": name, "details": why}
        return {"id": ticket_id, "action": "update", "success": True, "status": "Updated"}

    def _job(self, job_id: str) -> dict[str, Any]:
        job = self.state.jobs[job_id]
        done = job["_done_at"] <= time.monotonic()
        shown = {name: value for name, value in job.items() if not name.startswith("_")}
        return {
            **shown, "progress": job["total"] if done else 0, "status": "completed" if done else "working",
            "message": "Completed" if done else None, "results": job["_results"] if done else [],
        }  # fmt: skip

    def jobs(self) -> Response:
        ids = [i for i in request.args.get("ids", "").split(",") if i]
        if not ids or len(ids) > MANY:
            raise Refusal(400, {"error": "MissingIds", "description": "1 to 100 ids"})
        return jsonify(job_statuses=[self._job(i) for i in ids if i in self.state.jobs])

    def comments(self, ticket_id: int) -> Response:
        self._ticket(ticket_id)
        found = self.state.comments[ticket_id]
        return jsonify(comments=found, meta={"has_more": False, "after_cursor": None, "before_cursor": None})

    def identities(self, user_id: int) -> Response:
        if user_id not in self.state.identities:
            raise not_found()
        return jsonify(identities=self.state.identities[user_id], count=len(self.state.identities[user_id]))
