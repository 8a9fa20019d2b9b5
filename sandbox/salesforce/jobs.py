"""Ingest jobs of Bulk API 2.0: CSV in, worked off by a thread of their own, three files of results out.

Source: vendor sheet 4.3, read 2026-11; names of states, columns and errors are (R).
"""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from sandbox.base import Ledger
from sandbox.salesforce import sheets
from sandbox.salesforce.errors import Failed, refusal
from sandbox.salesforce.kinds import full_id
from sandbox.salesforce.sheets import Unreadable
from sandbox.salesforce.state import Row, State

QUEUE_S, BATCH_S = 1.0, 0.2  # before the first batch, and of each; divided by the context's time factor
BATCH = 200
OPERATIONS = ("insert", "update", "upsert")
ENDED = ("JobComplete", "Failed", "Aborted")


@dataclass(slots=True)
class Job:
    """One job. why: what ended it early. done, failed, left: lines of its three files, headers apart."""

    id: str
    kind: str
    operation: str
    created: str
    key: str = ""
    rule: str = ""
    delimiter: str = "COMMA"
    ending: str = "LF"
    state: str = "Open"
    why: str = ""
    body: bytes | None = None
    columns: list[str] = field(default_factory=list)
    done: list[list[str]] = field(default_factory=list)
    failed: list[list[str]] = field(default_factory=list)
    left: list[list[str]] = field(default_factory=list)

    def shown(self, *, whole: bool = True) -> dict[str, Any]:
        """As an answer tells of it; whole: with its counts."""
        told: dict[str, Any] = {
            "id": self.id, "operation": self.operation, "object": self.kind, "createdDate": self.created,
            "systemModstamp": self.created, "state": self.state, "concurrencyMode": "Parallel", "contentType": "CSV",
            "apiVersion": 66.0, "lineEnding": self.ending, "columnDelimiter": self.delimiter,
        }  # fmt: skip
        if self.key:
            told["externalIdFieldName"] = self.key
        if self.rule:
            told["assignmentRuleId"] = self.rule
        if self.state == "Open":
            told["contentUrl"] = f"services/data/v66.0/jobs/ingest/{self.id}/batches"
        if whole:
            told |= {"jobType": "V2Ingest", "numberRecordsProcessed": len(self.done) + len(self.failed),
                     "numberRecordsFailed": len(self.failed), "retries": 0}  # fmt: skip
        if self.why:
            told["errorMessage"] = self.why
        return told


class Jobs:
    """All jobs of the org. Acts: `pause` keeps them from going on, `fail` ends the next one early."""

    def __init__(self, state: State, ledger: Ledger) -> None:
        self._state, self._ledger = state, ledger
        self._numbers = itertools.count(1)
        self._runs = threading.Event()
        self._runs.set()
        self._fail: list[tuple[int, str]] = []
        self.known: dict[str, Job] = {}

    def pause(self, paused: bool = True) -> bool:
        """Jobs stay where they are until they are let go on."""
        (self._runs.clear if paused else self._runs.set)()
        return paused

    def fail(self, after: int = 0, why: str = "InternalServerError : the org could not go on") -> bool:
        """The next job ends as Failed after so many records (whole batches)."""
        self._fail.append((after, why))
        return True

    def make(self, order: Row) -> Job:
        """An open job. Raises Refusal."""
        kind, operation = str(order.get("object")), str(order.get("operation"))
        if kind not in self._state.fields:
            raise refusal(400, "INVALIDENTITY", f"Unsupported entity: {kind}")
        if operation not in OPERATIONS or order.get("contentType", "CSV") != "CSV":
            raise refusal(400, "API_ERROR", "the sandbox knows insert, update and upsert of CSV")
        key = str(order.get("externalIdFieldName") or "")
        if operation == "upsert" and not (known := self._state.fields[kind].get(key)):
            raise refusal(400, "INVALIDJOB", f"InvalidJob : Field name not found : {key}")
        if operation == "upsert" and not (known.external or key == "Id"):  # type: ignore[union-attr]
            raise refusal(400, "INVALIDJOB", f"InvalidJob : {key} is no external id of {kind}")
        rule = str(order.get("assignmentRuleId") or "")
        if rule and not self._state.rows["AssignmentRule"].get(rule, {}).get("Active"):
            raise refusal(400, "INVALIDJOB", f"InvalidJob : no active assignment rule {rule}")
        delimiter, ending = str(order.get("columnDelimiter") or "COMMA"), str(order.get("lineEnding") or "LF")
        if delimiter not in sheets.DELIMITERS or ending not in sheets.ENDINGS:
            raise refusal(400, "INVALIDJOB", "InvalidJob : columnDelimiter or lineEnding is none")
        with self._state.context.lock:
            job_id = full_id(f"750Sb{next(self._numbers):010d}")
            made = Job(job_id, kind, operation, self._state.now(), key, rule, delimiter, ending)
            self.known[job_id] = made
        return made

    def upload(self, job: Job, body: bytes) -> None:
        """The one file of a job. Raises Refusal."""
        with self._state.context.lock:
            if job.state != "Open" or job.body is not None:
                raise refusal(400, "CLIENTINPUTERROR", "Found multiple contents for job, or it is not open")
            job.body = body

    def close(self, job: Job) -> None:
        """All is there: work it off. Raises Refusal."""
        with self._state.context.lock:
            if job.state != "Open" or job.body is None:
                raise refusal(400, "INVALIDJOBSTATE", f"a job that is {job.state} cannot be UploadComplete")
            job.state = "UploadComplete"
        threading.Thread(target=self._work, args=(job,), daemon=True, name=f"job-{job.id}").start()

    def abort(self, job: Job) -> None:
        """What is done stays. Raises Refusal."""
        with self._state.context.lock:
            if job.state in ENDED:
                raise refusal(400, "INVALIDJOBSTATE", f"a job that is {job.state} cannot be aborted")
            job.state = "Aborted"

    def _work(self, job: Job) -> None:
        self._wait(QUEUE_S)
        with self._state.context.lock:
            if job.state == "UploadComplete":
                job.state = "InProgress"
        self._runs.wait()
        try:
            job.columns, job.left = sheets.read(job.body or b"", job.delimiter, job.ending)
            names = sheets.header(job.columns, self._state.fields[job.kind], job.key)
        except Unreadable as error:
            self._end(job, "Failed", str(error))
            return
        after, why = self._fail.pop(0) if self._fail else (len(job.left), "")
        for batch in _batches(job.left[:after]):
            self._wait(BATCH_S)
            if job.state != "InProgress":
                return
            self._batch(job, names, batch)
        self._end(job, "Failed" if why else "JobComplete", why)

    def _wait(self, seconds: float) -> None:
        time.sleep(seconds / self._state.context.time_factor)
        self._runs.wait()

    def _end(self, job: Job, state: str, why: str) -> None:
        with self._state.context.lock:
            if job.state not in ENDED:
                job.state, job.why = state, why

    def _batch(self, job: Job, names: list[str], batch: list[list[str]]) -> None:
        """One transaction's worth; a record that two lines name is refused the second time."""
        seen: set[str] = set()
        at = names.index(job.key) if job.key in names else names.index("Id") if "Id" in names else -1
        with self._state.context.lock:
            for line in batch:
                name = line[at].casefold() if at >= 0 else ""
                try:
                    if name and name in seen:
                        raise Failed("DUPLICATE_VALUE", "Duplicate external id specified")
                    row, created = self._one(job, sheets.record(names, line, self._state.fields[job.kind]))
                    self._ledger.changed(row["Id"])
                    job.done.append([row["Id"], str(created).lower(), *line])
                except Failed as error:
                    told = f"{error.code}:{error.message}:{','.join(error.fields)} --"
                    job.failed.append([line[names.index("Id")] if "Id" in names else "", told, *line])
                seen.add(name)
            del job.left[: len(batch)]

    def _one(self, job: Job, record: Row) -> tuple[Row, bool]:
        if job.operation == "insert":
            return self._state.create(job.kind, record, assign=bool(job.rule)), True
        name = "Id" if job.operation == "update" else job.key
        value = str(record.pop(name, None) or "")
        if not value:
            raise Failed("MISSING_ARGUMENT", f"{name} not specified")
        if job.operation == "update":
            return self._state.update(job.kind, value, record), False
        return self._state.upsert(job.kind, name, value, record, assign=bool(job.rule))


def _batches(lines: list[list[str]]) -> Iterator[list[list[str]]]:
    return (lines[start : start + BATCH] for start in range(0, len(lines), BATCH))
