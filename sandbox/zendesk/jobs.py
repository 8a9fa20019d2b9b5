"""update_many and the jobs it starts: queued, working, then done item by item, some time after the answer.

Source: vendor sheet 1.6 (both forms; 30 jobs at once), recorded jobs of a real account.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from functools import partial
from typing import Any

from flask import request

from sandbox.base import Later, Refusal
from sandbox.zendesk import checks, params
from sandbox.zendesk.errors import bad_request, not_found, refusal
from sandbox.zendesk.gate import acting
from sandbox.zendesk.routing import Api
from sandbox.zendesk.shapes import HOST, Row
from sandbox.zendesk.tickets import Tickets

AT_ONCE = 30
KEPT = 5000
OPEN = frozenset({"queued", "working"})
TAGS = ("additional_tags", "remove_tags")


def routes(api: Api, tickets: Tickets) -> Jobs:
    """Put them on the app; answers the jobs."""
    jobs = Jobs(tickets)
    api.route("PUT", "/tickets/update_many", jobs.update_many)
    api.route("GET", "/job_statuses/show_many", jobs.show_many)
    api.route("GET", "/job_statuses/<job_id>", jobs.show)
    return jobs


class Jobs:
    """Jobs by id. One thread carries all of them out, each half its time after it was asked for."""

    def __init__(self, tickets: Tickets) -> None:
        self._tickets = tickets
        self._state = tickets.state
        self._jobs: dict[str, Row] = {}
        self._later = Later(self._state.context, "zendesk-jobs")

    def update_many(self) -> Row:
        params.known("ids")
        if "ids" in request.args:
            change = params.wrapped("ticket")
            items = [{**change, "id": i} for i in params.numbers()]
        else:
            items = self._batch()
        if self._state.context.limits and sum(j["status"] in OPEN for j in self._jobs.values()) >= AT_ONCE:
            raise refusal(429, "TooManyJobs", f"{AT_ONCE} jobs are queued or running already", {"Retry-After": "5"})
        return {"job_status": self._shown(self._start(items, acting()))}

    def _batch(self) -> list[Row]:
        asked = params.body()
        items = asked.get("tickets")
        if set(asked) != {"tickets"} or not isinstance(items, list) or not items:
            raise bad_request("tickets is required: a list of tickets with their ids", "MissingParameter")
        if len(items) > params.MANY:
            raise bad_request(f"tickets: at most {params.MANY}", "TooManyValues")
        if not all(isinstance(item, dict) and type(item.get("id")) is int for item in items):
            raise bad_request("tickets: each needs its id")
        if self._state.switches.batch_ignores_tags:
            return [{name: value for name, value in item.items() if name not in TAGS} for item in items]
        return items

    def _start(self, items: list[Row], actor_id: int) -> Row:
        job_id = f"V3-{uuid.uuid4().hex}"
        job = self._jobs[job_id] = {
            "id": job_id, "job_type": "Bulk Update Ticket", "url": f"{HOST}/api/v2/job_statuses/{job_id}.json",
            "total": len(items), "progress": None, "status": "queued", "message": None, "results": None,
            "_items": items, "_actor": actor_id,
        }  # fmt: skip
        while len(self._jobs) > KEPT:
            del self._jobs[next(iter(self._jobs))]
        self._after(job_id, 0.5)
        return job

    def _after(self, job_id: str, part: float) -> None:
        """Go on with a job after a part of its time."""
        pause = self._state.switches.job_s * part / self._state.context.time_factor
        self._later.after(pause, partial(self._go_on, job_id))

    def _go_on(self, job_id: str) -> None:
        with self._state.context.lock:
            if (job := self._jobs.get(job_id)) is not None:
                self._step(job)

    def _step(self, job: Row) -> None:
        """Queued: take it up. Working: do every item and end."""
        if job["status"] == "queued":
            job |= {"status": "working", "progress": 0, "message": "Updating ticket #0"}
            self._after(job["id"], 0.5)
            return
        if job["status"] != "working":
            return
        if self._state.switches.jobs_end != "completed":
            job |= {"status": self._state.switches.jobs_end, "message": "The job did not finish", "_items": []}
            return
        job["results"] = [self._item(item, job["_actor"]) for item in job["_items"]]
        done = self._state.moment()
        job |= {"status": "completed", "progress": job["total"], "_items": [],
                "message": f"Completed at {done:%Y-%m-%d %H:%M:%S} +0000"}  # fmt: skip

    def _item(self, item: Mapping[str, Any], actor_id: int) -> Row:
        """What became of one ticket; the shape of a failed one is R."""
        ticket_id = item["id"]
        try:
            self._tickets.write(ticket_id, item, actor_id, checks.MANY)
        except Refusal as refused:
            failed = {"id": ticket_id, "action": "update", "success": False, "status": "Failed"}
            return {**failed, "error": ERRORS.get(refused.status, "TicketUpdateFailed"), "details": _why(refused.body)}
        return {"id": ticket_id, "action": "update", "success": True, "status": "Updated"}

    @staticmethod
    def _shown(job: Row) -> Row:
        return {name: value for name, value in job.items() if not name.startswith("_")}

    def show(self, job_id: str) -> Row:
        params.known()
        if job_id not in self._jobs:
            raise not_found()
        return {"job_status": self._shown(self._jobs[job_id])}

    def show_many(self) -> Row:
        params.known("ids")
        return {"job_statuses": [self._shown(self._jobs[i]) for i in params.ids() if i in self._jobs]}


ERRORS = {404: "TicketNotFound", 409: "UpdateConflict", 422: "RecordInvalid"}


def _why(body: Mapping[str, Any]) -> str:
    """A refusal as one sentence."""
    details = body.get("details", {})
    told = [one["description"] for found in details.values() for one in found]
    return "; ".join(told) or str(body.get("description", ""))
