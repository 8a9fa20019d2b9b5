"""Zendesk by zenpy, on our own session: deadlines, budgets, credentials and typed faults are the transport's.

zenpy has no bulk `update_many`, no side-loads on show_many and no idempotency header, so those go through its session.
Source: zenpy 2.0.57 and Zendesk's tickets reference, read 2026-11.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from zenpy import Zenpy

from integrations.kernel.errors import ConfigError, VendorContractChanged, VendorError, VendorRejected
from integrations.kernel.ports import JobState, TicketRead, WriteReceipt, WriteResult, WriteState
from integrations.kernel.records import TicketChange
from integrations.kernel.vendor import Account
from integrations.transport.http import Gate, vendor_session
from integrations.zendesk import answers, wire
from integrations.zendesk.auth import LegacyToken, OAuth
from integrations.zendesk.endpoints import LIMITS, endpoint_of
from integrations.zendesk.settings import SUBDOMAIN

MANY = 100


def connect(account: Account, gate: Gate) -> ZendeskClient:
    """A client of one account. Raises ConfigError when the subdomain cannot be one."""
    subdomain = str(account.config.get("subdomain", ""))
    if not SUBDOMAIN.fullmatch(subdomain):
        raise ConfigError("subdomain: letters, digits and dashes only, the part before .zendesk.com")
    if (limit := getattr(gate, "limit", None)) is not None:
        limit("zendesk", LIMITS)
    return ZendeskClient(account, subdomain, gate)


class ZendeskClient:
    """Implements the Helpdesk port."""

    def __init__(self, account: Account, subdomain: str, gate: Gate) -> None:
        host = f"{subdomain}.zendesk.com"
        authorise = LegacyToken(account) if account.config.get("legacy_email") else OAuth(account, host, gate)
        self._session = vendor_session(
            account, hosts=(host,), authorise=authorise, endpoint_of=endpoint_of, gate=gate, deadline_s=20.0, wait_s=2.0
        )
        self._session.authorized = True  # type: ignore[attr-defined]  # zenpy looks for it on a session it is given
        self._api = f"https://{host}/api/v2"
        self._zenpy = Zenpy(subdomain=subdomain, session=self._session, disable_cache=True)
        self._batch_tags = account.config.get("batch_tags") != "ignored"

    def show_tickets(self, ids: Sequence[str]) -> TicketRead:
        if len(ids) > MANY:
            raise ValueError(f"{len(ids)} tickets in one read; Zendesk takes {MANY}")
        query = {"ids": ",".join(ids), "include": "users,organizations"}
        return answers.ticket_read(self._call("GET", "/tickets/show_many.json", params=query), ids)

    def update_tickets(self, changes: Sequence[TicketChange], key: str) -> WriteReceipt:
        if len(changes) == 1 and (result := self._tags_only(changes[0])) is not None:
            return WriteReceipt(results=(result,))
        if not self._batch_tags and any(c.add_tags or c.remove_tags for c in changes):
            return self._by_equal_change(changes, key)
        body = {"tickets": [wire.ticket(change) for change in changes]}
        return self._job(self._call("PUT", "/tickets/update_many.json", json=body, key=key))

    def update_ticket(self, change: TicketChange, key: str) -> WriteResult:
        """By itself, in a batch of one: `PUT /tickets/{id}` replaces the tag list and is never used for tags."""
        receipt = self._alone(change, key)
        return receipt.results[0] if receipt.results else WriteResult(change.ticket_id, WriteState.REFUSED, "no answer")

    def jobs(self, job_ids: Sequence[str]) -> Mapping[str, JobState]:
        answer = self._call("GET", "/job_statuses/show_many.json", params={"ids": ",".join(job_ids)})
        return answers.jobs(answer, job_ids)

    def has_note(self, ticket_id: str, key: str) -> bool:
        path, params = f"/tickets/{ticket_id}/comments.json", {"page[size]": "100"}
        while True:
            answer = self._call("GET", path, params=params)
            comments = answer.get("comments", [])
            if any(wire.marker(key) in str(c.get("html_body") or c.get("body") or "") for c in comments):
                return True
            after = (answer.get("meta") or {}).get("after_cursor")
            if not after or not (answer.get("meta") or {}).get("has_more"):
                return False
            params = {"page[size]": "100", "page[after]": str(after)}

    def own_user_id(self) -> str:
        return str(self._zenpy.users.me().id)

    def check(self) -> list[str]:
        try:
            me = self._call("GET", "/users/me.json").get("user", {})
        except VendorError as error:
            return [f"{error.public} ({error})"]
        if me.get("role") not in ("admin", "agent"):
            return ["The credentials belong to nobody who may write tickets: give the OAuth client an agent or admin."]
        return []

    def _tags_only(self, change: TicketChange) -> WriteResult | None:
        """A lone change of tags in one direction needs one call and no job."""
        if change.fields or change.note or bool(change.add_tags) == bool(change.remove_tags):
            return None
        method = "PUT" if change.add_tags else "DELETE"
        try:
            body = {"tags": list(change.add_tags or change.remove_tags)}
            self._call(method, f"/tickets/{change.ticket_id}/tags.json", json=body)
        except VendorRejected as error:
            return answers.refusal(change.ticket_id, error)
        return WriteResult(change.ticket_id, WriteState.DONE)

    def _alone(self, change: TicketChange, key: str) -> WriteReceipt:
        """Fields and note by the ticket's own address (without tags), tags by the additive one."""
        try:
            if change.fields or change.note:
                body = {"ticket": wire.ticket(change, tags=False)}
                self._call("PUT", f"/tickets/{change.ticket_id}.json", json=body, key=key)
            for method, tags in (("PUT", change.add_tags), ("DELETE", change.remove_tags)):
                if tags:
                    self._call(method, f"/tickets/{change.ticket_id}/tags.json", json={"tags": list(tags)})
        except VendorRejected as error:
            return WriteReceipt(results=(answers.refusal(change.ticket_id, error),))
        return WriteReceipt(results=(WriteResult(change.ticket_id, WriteState.DONE),))

    def _by_equal_change(self, changes: Sequence[TicketChange], key: str) -> WriteReceipt:
        """Where batches ignore tags: tickets with the same change share a bulk call, whose job is not waited for here.

        A receipt carries one job, so only one group goes out as a job; the others are written one by one.
        """
        groups: dict[str, list[TicketChange]] = {}
        for change in changes:
            groups.setdefault(repr(wire.ticket(change, ticket_id=False)), []).append(change)
        if len(groups) == 1:
            params = {"ids": ",".join(c.ticket_id for c in changes)}
            body = {"ticket": wire.ticket(changes[0], ticket_id=False)}
            return self._job(self._call("PUT", "/tickets/update_many.json", params=params, json=body, key=key))
        return WriteReceipt(results=tuple(self.update_ticket(change, key) for change in changes))

    def _job(self, answer: Mapping[str, Any]) -> WriteReceipt:
        job_id = (answer.get("job_status") or {}).get("id")
        if not job_id:
            raise VendorContractChanged("update_many answered without a job")
        return WriteReceipt(job_id=str(job_id))

    def _call(
        self, method: str, path: str, *, params: Mapping[str, str] | None = None, json: object = None, key: str = ""
    ) -> Mapping[str, Any]:
        """One call through zenpy's session. Raises VendorRejected for 4xx, and the transport's errors."""
        headers = {"Idempotency-Key": key} if key else None
        response = self._session.request(method, f"{self._api}{path}", params=params, json=json, headers=headers)
        if response.status_code >= 400:
            raise answers.rejected(response)
        try:
            answer = response.json() if response.content else {}
        except ValueError as error:
            raise VendorContractChanged(f"{endpoint_of(method, path)} answered no JSON") from error
        if not isinstance(answer, dict):
            raise VendorContractChanged(f"{endpoint_of(method, path)} answered no object")
        return answer
