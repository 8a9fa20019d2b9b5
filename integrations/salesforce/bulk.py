"""Thousands of drafts by jobs of Bulk API 2.0: what is known by its key, what by its id, and Leads whose owner the org
chooses are jobs of their own. The id we answer names all of them.

Source: vendor sheet 4.3, read 2026-11; `assignmentRuleId` of a job and the object AssignmentRule are (R).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Final, Protocol

from integrations.kernel.crm import Bulk, Draft, PushResult
from integrations.kernel.errors import OutcomeUnknown, VendorContractChanged, VendorError, VendorRejected
from integrations.salesforce import tables
from integrations.salesforce.org import Sheet
from integrations.salesforce.pushing import Ask, Group, groups
from integrations.salesforce.words import Choices, fields

ENDED: Final = frozenset({"JobComplete", "Failed", "Aborted"})
PATH: Final = "jobs/ingest"
RESULTS: Final = ("successfulResults", "failedResults", "unprocessedRecords")
BETWEEN: Final = "+"  # of the ids of several jobs


class Transfer(Protocol):
    """CSV up, with an answer of no interest, or down."""

    def __call__(self, method: str, path: str, body: bytes = b"") -> str: ...


class Jobs:
    """sheet: an object's fields, or NeedsSetup. rule: the id of the org's active assignment rule for Leads, or ""."""

    def __init__(
        self,
        ask: Ask,
        transfer: Transfer,
        sheet: Callable[..., Sheet],
        rule: Callable[[], str],
        key: str,
        choices: Choices,
    ) -> None:
        self._ask, self._transfer, self._sheet, self._rule = ask, transfer, sheet, rule
        self._key, self._choices = key, choices

    def start(self, drafts: Sequence[Draft]) -> str:
        """Three calls a job.

        Raises:
            OutcomeUnknown: also when a later job could not be started, as an earlier one runs already.
        """
        if len({one.shape for one in drafts}) != 1:
            raise ValueError("a job takes drafts of one shape")
        started: list[str] = []
        for group in groups(drafts):
            sheet = self._sheet(drafts[0].shape, by_id=group.by_id)
            for body in tables.jobs([self._record(one, sheet, group) for one in _sorted(group)]):
                try:
                    started.append(self._one(group, sheet, body))
                except VendorError as error:
                    if started:
                        self._leave(BETWEEN.join(started))
                        raise OutcomeUnknown("some of the jobs were started, and one was not") from error
                    raise
        return BETWEEN.join(started)

    def _one(self, group: Group, sheet: Sheet, body: bytes) -> str:
        order: dict[str, Any] = {
            "object": sheet.object, "contentType": "CSV", "lineEnding": "LF", "columnDelimiter": "COMMA",
            "operation": "update" if group.by_id else "upsert",
        }  # fmt: skip
        if not group.by_id:
            order["externalIdFieldName"] = self._key
        if group.assign and (rule := self._rule()):
            order["assignmentRuleId"] = rule
        made = self._ask("POST", PATH, json=order)
        if not isinstance(made, Mapping) or not made.get("id"):
            raise VendorContractChanged("a job was made without an id")
        job_id = str(made["id"])
        try:
            self._transfer("PUT", f"{PATH}/{job_id}/batches", body)
            self._ask("PATCH", f"{PATH}/{job_id}", json={"state": "UploadComplete"})
        except VendorError:
            self._leave(job_id)
            raise
        return job_id

    def abort(self, job_id: str) -> None:
        """One call a job; one that has ended refuses it, which is no error. Raises what another was answered, when all were
        asked."""
        failed: VendorError | None = None
        for one in job_id.split(BETWEEN):
            try:
                self._ask("PATCH", f"{PATH}/{one}", json={"state": "Aborted"})
            except VendorRejected:
                continue
            except VendorError as error:
                failed = error
        if failed is not None:
            raise failed

    def _leave(self, job_id: str) -> None:
        """Nobody will ask for it: were it to run in hours, it would write what is old by then. Best effort."""
        with suppress(VendorError):
            self.abort(job_id)

    def _record(self, draft: Draft, sheet: Sheet, group: Group) -> dict[str, Any]:
        """Results name a record by its cells only, so one that is known by its id gets our key too."""
        known = {"Id": draft.object_id} if group.by_id else {}
        return {self._key: draft.key, **known, **fields(draft, sheet, self._choices)}

    def state(self, job_id: str) -> Bulk:
        """One call for the first job that still runs; when all have ended, three more each."""
        ends: dict[str, str] = {}
        for one in job_id.split(BETWEEN):
            told = self._ask("GET", f"{PATH}/{one}")
            if not isinstance(told, Mapping) or "state" not in told:
                raise VendorContractChanged("a job answered without its state")
            if told["state"] not in ENDED:
                return Bulk(job_id, finished=False)
            ends[one] = str(told.get("errorMessage") or "")
        found = (result for one, why in ends.items() for result in self._results(one, why))
        return Bulk(job_id, finished=True, results=tuple(found))

    def _results(self, job_id: str, why: str) -> list[PushResult]:
        files = [self._transfer("GET", f"{PATH}/{job_id}/{kind}") for kind in RESULTS]
        return tables.results(files[0], files[1], files[2], self._key, why)


def _sorted(group: Group) -> list[Draft]:
    """Records of one account together: Salesforce locks the account for each batch of a job."""
    return sorted(group.drafts, key=lambda one: (one.account_id, one.key))
