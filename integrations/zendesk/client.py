"""Zendesk by zenpy, on our own session: deadlines, budgets, credentials and typed faults are the transport's.

zenpy has no bulk `update_many`, no side-loads on show_many, no look at many jobs and no idempotency header, so those go
through its session. Source: zenpy 2.0.57 and Zendesk's tickets reference, read 2026-11.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

import requests
from zenpy import Zenpy
from zenpy.lib.exception import APIException, ZenpyException

from integrations.kernel.errors import (
    ConfigError,
    NeedsReauthorisation,
    VendorContractChanged,
    VendorError,
    VendorRejected,
)
from integrations.kernel.ports import (
    AgentPage,
    ChangedPage,
    JobState,
    PeopleRead,
    TicketRead,
    WriteReceipt,
    WriteResult,
    WriteState,
)
from integrations.kernel.records import Email, TicketChange
from integrations.kernel.vendor import Account
from integrations.transport.http import Gate, vendor_session
from integrations.zendesk import answers, bulk, lists, wire
from integrations.zendesk.auth import LegacyToken, OAuth
from integrations.zendesk.endpoints import LIMITS, endpoint_of
from integrations.zendesk.settings import API_TOKENS_END, SUBDOMAIN

MANY = 100
PROBE_TAG = "deskbridge_probe"
PROBE_LOOKS = 20

T = TypeVar("T")
log = logging.getLogger(__name__)


def connect(account: Account, gate: Gate) -> ZendeskClient:
    """A client of one account. Raises ConfigError when the subdomain or the base URL cannot be one."""
    subdomain = str(account.config.get("subdomain", ""))
    if not SUBDOMAIN.fullmatch(subdomain):
        raise ConfigError("subdomain: letters, digits and dashes only, the part before .zendesk.com")
    if account.config.get("legacy_email"):
        log.warning("zendesk_api_token_ends on %s connection_id=%s", API_TOKENS_END, account.connection_id)
    gate.limit("zendesk", LIMITS)
    return ZendeskClient(account, subdomain, gate)


class ZendeskClient:
    """Implements the Helpdesk port. One for all threads of a process."""

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
        self._own_user_id = str(account.config.get("own_user_id") or "")

    def show_tickets(self, ids: Sequence[str]) -> TicketRead:
        if len(ids) > MANY:
            raise ValueError(f"{len(ids)} tickets in one read; Zendesk takes {MANY}")
        if not ids:
            return TicketRead((), ())
        query = {"ids": ",".join(ids), "include": "users,organizations"}
        return answers.ticket_read(self._call("GET", "/tickets/show_many.json", params=query), ids)

    def update_tickets(self, changes: Sequence[TicketChange], key: str) -> WriteReceipt:
        changes = [change for change in changes if not change.is_empty]
        if len(changes) > MANY:
            raise ValueError(f"{len(changes)} tickets in one write; Zendesk takes {MANY}")
        if not changes:
            return WriteReceipt()
        if len(changes) == 1 and (result := self.tags_only(changes[0])) is not None:
            return WriteReceipt(results=(result,))
        if not self._batch_tags and any(c.add_tags or c.remove_tags for c in changes):
            return bulk.write(self, changes, key)
        return WriteReceipt(job_id=self._send_batch(changes, key))

    def update_ticket(self, change: TicketChange, key: str) -> WriteResult:
        """At once, without a job: tags by their additive address first, as repeating that does no harm; then, in one
        call, fields and note by the ticket's own, never with tags in it: it would replace the list.
        """
        try:
            if change.add_tags:
                self._by_zenpy(lambda: self._zenpy.tickets.add_tags(change.ticket_id, list(change.add_tags)))
            if change.remove_tags:
                self._by_zenpy(lambda: self._zenpy.tickets.delete_tags(change.ticket_id, list(change.remove_tags)))
            if change.fields or change.note:
                body = {"ticket": wire.ticket(change, tags=False, ticket_id=False)}
                self._call("PUT", f"/tickets/{change.ticket_id}.json", json=body, key=key)
        except VendorRejected as error:
            return answers.refusal(change.ticket_id, error)
        return WriteResult(change.ticket_id, WriteState.DONE)

    def jobs(self, job_ids: Sequence[str]) -> Mapping[str, JobState]:
        if not job_ids:
            return {}
        answer = self._call("GET", "/job_statuses/show_many.json", params={"ids": ",".join(job_ids)})
        return answers.jobs(answer, job_ids)

    def has_note(self, ticket_id: str, key: str) -> bool:
        """Newest first: what is looked for was written lately, if at all. Mostly one call."""
        wanted = wire.marker_pattern(key)
        params = {"page[size]": str(MANY), "sort": "-created_at"}
        while True:
            answer = self._call("GET", f"/tickets/{ticket_id}/comments.json", params=params)
            if answers.has_marker(answer.get("comments") or (), wanted):
                return True
            meta = answer.get("meta") or {}
            if not meta.get("has_more") or not meta.get("after_cursor"):
                return False
            params = {**params, "page[after]": str(meta["after_cursor"])}

    def show_people(self, ids: Sequence[str]) -> PeopleRead:
        if len(ids) > MANY:
            raise ValueError(f"{len(ids)} people in one read; Zendesk takes {MANY}")
        return lists.people(self._list, ids, self.identities)

    def changed(self, cursor: str, since: datetime) -> ChangedPage:
        return lists.changed(self._list, cursor, since)

    def agents(self, cursor: str = "") -> AgentPage:
        return lists.agents(self._list, cursor)

    def own_user_id(self) -> str:
        """Asked once. Zendesk answers credentials it does not know with a user without an id."""
        if not self._own_user_id:
            user_id = self._by_zenpy(self._zenpy.users.me).id
            if not user_id:
                raise NeedsReauthorisation("Zendesk does not know who we are: the credentials belong to nobody")
            self._own_user_id = str(user_id)
        return self._own_user_id

    def check(self) -> list[str]:
        try:
            me = self._by_zenpy(self._zenpy.users.me)
        except VendorError as error:
            return [f"{error.public} ({error})"]
        if getattr(me, "role", None) not in ("admin", "agent"):
            return ["The credentials belong to nobody who may write tickets: give the OAuth client an agent or admin."]
        return []

    def identities(self, user_id: str) -> tuple[Email, ...]:
        """Every address of a user and whether that very address is verified: what a money step goes by."""
        found = self._by_zenpy(lambda: [one.to_dict() for one in self._zenpy.users.identities(id=int(user_id))])
        return answers.emails(found)

    def batch_tags_honoured(self, ticket_id: str) -> bool:
        """For set-up: do batches of this account add tags? Tried on one ticket and taken back. Source: Zendesk's page
        says yes, an older copy of the same page says no, both read 2026-11.
        """
        job_id = self._send_batch([TicketChange(ticket_id, add_tags=(PROBE_TAG,))], "")
        for _ in range(PROBE_LOOKS):
            if self.jobs([job_id])[job_id].finished:
                break
            time.sleep(0.5)
        seen = [PROBE_TAG in t.values.get("tags", []) for t in self.show_tickets([ticket_id]).tickets]
        self.tags_only(TicketChange(ticket_id, remove_tags=(PROBE_TAG,)))
        return seen == [True]

    def tags_only(self, change: TicketChange) -> WriteResult | None:
        """A lone change of tags in one direction needs one call and no job; None when it is more than that."""
        if change.fields or change.note or bool(change.add_tags) == bool(change.remove_tags):
            return None
        return self.update_ticket(change, "")

    def send_bulk(self, ids: Sequence[str], change: TicketChange, key: str) -> str:
        """The same change for many tickets; answers the job."""
        body = {"ticket": wire.ticket(change, ticket_id=False)}
        params = {"ids": ",".join(ids)}
        return _job(self._call("PUT", "/tickets/update_many.json", params=params, json=body, key=key))

    def _send_batch(self, changes: Sequence[TicketChange], key: str) -> str:
        """A change of its own for each ticket; answers the job."""
        body = {"tickets": [wire.ticket(change) for change in changes]}
        return _job(self._call("PUT", "/tickets/update_many.json", json=body, key=key))

    def _list(self, method: str, path: str, query: Mapping[str, str]) -> Mapping[str, Any]:
        return self._call(method, path, params=query)

    def _by_zenpy(self, call: Callable[[], T]) -> T:
        """One call of zenpy's. Raises VendorRejected for 4xx, and the transport's errors."""
        try:
            return call()
        except (APIException, requests.HTTPError) as error:
            if error.response is None:
                raise VendorContractChanged(f"zenpy: {type(error).__name__}") from error
            raise answers.rejected(error.response) from error
        except (ZenpyException, requests.RequestException, KeyError, TypeError, AttributeError) as error:
            raise VendorContractChanged(f"zenpy could not read the answer: {type(error).__name__}") from error

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


def _job(answer: Mapping[str, Any]) -> str:
    status = answer.get("job_status")
    if not isinstance(status, Mapping) or not status.get("id"):
        raise VendorContractChanged("update_many answered without a job")
    return str(status["id"])
