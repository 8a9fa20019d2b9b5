"""Zendesk's answers in our words. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import requests

from integrations.kernel.clock import parse_iso
from integrations.kernel.errors import NeedsReauthorisation, VendorContractChanged, VendorError, VendorRejected
from integrations.kernel.ports import JobState, TicketRead, WriteResult, WriteState
from integrations.kernel.records import Email, OrganizationRecord, PersonRecord, TicketRecord
from integrations.zendesk.words import values_of

FINISHED = frozenset({"completed", "failed", "killed"})


def ticket_read(answer: Mapping[str, Any], asked: Sequence[str]) -> TicketRead:
    """Tickets, their requesters and companies; what was asked for and did not come is gone."""
    try:
        tickets = tuple(
            TicketRecord(str(t["id"]), parse_iso(t["updated_at"]), values_of(t), complete=True)
            for t in answer["tickets"]
        )
        people = tuple(person(u) for u in answer.get("users", ()))
        companies = tuple(organization(o) for o in answer.get("organizations", ()))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise VendorContractChanged("show_many answered in an unknown shape") from error
    there = {t.id for t in tickets}
    return TicketRead(tickets, people, companies, tuple(i for i in asked if i not in there))


def person(user: Mapping[str, Any]) -> PersonRecord:
    """A user. Zendesk's `verified` is about any of its identities; it is taken for the primary address (R): enough for
    tags and for showing. A money step reads the identities themselves.
    """
    email = user.get("email")
    return PersonRecord(
        id=str(user["id"]),
        as_of=parse_iso(user["updated_at"]),
        name=str(user.get("name") or ""),
        role=str(user.get("role") or "end-user"),
        emails=(Email(str(email), verified=user.get("verified") is True, primary=True),) if email else (),
        external_id=str(user["external_id"]) if user.get("external_id") else None,
        organization_id=str(user["organization_id"]) if user.get("organization_id") else None,
        locale=user.get("locale"),
        time_zone=user.get("iana_time_zone") or user.get("time_zone"),
        active=user.get("active") is not False,
        fields=user.get("user_fields") or {},
    )


def organization(data: Mapping[str, Any]) -> OrganizationRecord:
    """A company."""
    return OrganizationRecord(
        id=str(data["id"]),
        as_of=parse_iso(data["updated_at"]),
        name=str(data.get("name") or ""),
        domains=tuple(str(d).lower() for d in data.get("domain_names") or ()),
        external_id=str(data["external_id"]) if data.get("external_id") else None,
        fields=data.get("organization_fields") or {},
    )


def emails(identities: Sequence[Mapping[str, Any]]) -> tuple[Email, ...]:
    """The addresses of a user with what is known of each; other identities are left out."""
    return tuple(
        Email(str(one["value"]), verified=one.get("verified") is True, primary=one.get("primary") is True)
        for one in identities
        if one.get("type") == "email" and one.get("value")
    )


def has_marker(comments: Sequence[Mapping[str, Any]], wanted: re.Pattern[str]) -> bool:
    """Is one of these comments an internal note that carries the marker?"""
    return any(
        c.get("public") is False and wanted.search(str(c.get("html_body") or c.get("body") or "")) for c in comments
    )


def jobs(answer: Mapping[str, Any], asked: Sequence[str]) -> dict[str, JobState]:
    """States by job; one that Zendesk no longer knows is finished without results."""
    try:
        states = {str(job["id"]): _job(job) for job in answer.get("job_statuses") or ()}
    except (KeyError, TypeError, AttributeError) as error:
        raise VendorContractChanged("job_statuses answered in an unknown shape") from error
    return {job_id: states.get(job_id, JobState(job_id, finished=True)) for job_id in asked}


def _job(job: Mapping[str, Any]) -> JobState:
    finished = str(job.get("status")) in FINISHED
    results = tuple(_result(r) for r in job.get("results") or () if isinstance(r, Mapping)) if finished else ()
    return JobState(str(job["id"]), finished, results)


def _result(result: Mapping[str, Any]) -> WriteResult:
    """One item of a job: done, or why not. Source: job_statuses reference, read 2026-11 (R for the error names)."""
    ticket_id = str(result.get("id", ""))
    if result.get("success") is True or str(result.get("status", "")).lower() == "updated":
        return WriteResult(ticket_id, WriteState.DONE)
    error, detail = str(result.get("error") or ""), str(result.get("details") or result.get("error") or "refused")
    state = {
        "TicketNotFound": WriteState.GONE, "RecordNotFound": WriteState.GONE,
        "UpdateConflict": WriteState.CONFLICT, "TicketConflict": WriteState.CONFLICT,
    }.get(error, WriteState.REFUSED)  # fmt: skip
    return WriteResult(ticket_id, state, detail[:300])


def rejected(response: requests.Response) -> VendorError:
    """A 4xx as an error of ours, with Zendesk's own code and no text of the ticket."""
    try:
        body = response.json()
    except ValueError:
        body = {}
    error = body.get("error") if isinstance(body, dict) else None
    code = str(error.get("title") if isinstance(error, dict) else error or "")[:80]
    detail = _reason(body)
    if response.status_code == 403:
        return NeedsReauthorisation(f"403 {code}: a scope or a role is missing")
    return VendorRejected(
        f"{response.status_code} {code} {detail}".strip(), http_status=response.status_code, vendor_code=code
    )


def _reason(body: Any) -> str:  # noqa: ANN401 - JSON
    """Zendesk's sentence: that of the field where it names one."""
    if not isinstance(body, dict):
        return ""
    details = body.get("details")
    fields = details.items() if isinstance(details, dict) else ()
    told = [
        f"{name}: {e.get('description')}"
        for name, found in fields
        for e in (found if isinstance(found, list) else ())
        if isinstance(e, dict)
    ]
    return ("; ".join(told) or str(body.get("description") or ""))[:200]


def refusal(ticket_id: str, error: VendorRejected) -> WriteResult:
    """What a refused write of one ticket means."""
    state = {404: WriteState.GONE, 409: WriteState.CONFLICT}.get(error.http_status, WriteState.REFUSED)
    return WriteResult(ticket_id, state, str(error)[:300])
