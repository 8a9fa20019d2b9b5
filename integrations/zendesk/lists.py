"""Lists of Zendesk: what changed since, who works there, and people with all their addresses. One page a call.

Source: Zendesk, "Incremental exports", "Users", "Group memberships", read 2026-11. The export compares a time of its own
(`generated_timestamp`), is for admins only, and starts at least a minute ago.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from integrations.kernel.clock import parse_iso, utc_now
from integrations.kernel.errors import VendorContractChanged, VendorRejected
from integrations.kernel.ports import AgentPage, ChangedPage, PeopleRead
from integrations.kernel.records import AgentRecord, Email, PersonRecord
from integrations.zendesk import answers

Call = Callable[[str, str, Mapping[str, str]], Mapping[str, Any]]  # (method, path, query) -> answer

PAGE = 1000  # tickets of an export page, Zendesk's most
STARTS_AGO = timedelta(seconds=90)  # an export from less than a minute ago is refused
STAFF = "agent", "admin"
_RESTRICTIONS = {None: "all", "organization": "organization", "groups": "groups", "assigned": "assigned"}


def changed(call: Call, cursor: str, since: datetime) -> ChangedPage:
    """One page of the tickets export; deleted tickets are in it by their status."""
    query = {"per_page": str(PAGE), "include": "users,organizations"}
    start = min(since, utc_now() - STARTS_AGO)
    query |= {"cursor": cursor} if cursor else {"start_time": str(int(start.timestamp()))}
    answer = call("GET", "/incremental/tickets/cursor.json", query)
    after = answer.get("after_cursor")
    if not isinstance(answer.get("tickets"), list) or not (after or cursor):
        raise VendorContractChanged("the tickets export answered in an unknown shape")
    read = answers.ticket_read(answer, ())
    gone = tuple(t.id for t in read.tickets if t.values.get("status") == "deleted")
    there = tuple(t for t in read.tickets if t.id not in set(gone))
    end = answer.get("end_of_stream") is not False
    return ChangedPage(there, str(after or cursor), end, read.people, read.organizations, gone)


def agents(call: Call, cursor: str) -> AgentPage:
    """One page of the staff, one role after the other, with the groups each is in. cursor: `role` or `role:after`."""
    role, _, after = (cursor or STAFF[0]).partition(":")
    query = {"role": role, "page[size]": "100", **({"page[after]": after} if after else {})}
    answer = call("GET", "/users.json", query)
    users = answer.get("users")
    if not isinstance(users, list):
        raise VendorContractChanged("the list of users answered in an unknown shape")
    groups = _groups(call) if users else {}
    try:
        found = tuple(agent(user, groups.get(str(user["id"]), ())) for user in users)
    except (KeyError, TypeError, ValueError) as error:
        raise VendorContractChanged("a user in an unknown shape") from error
    following = _next(answer)
    if following:
        return AgentPage(found, f"{role}:{following}")
    others = STAFF[STAFF.index(role) + 1 :]
    return AgentPage(found, others[0] if others else "")


def agent(user: Mapping[str, Any], groups: Sequence[str]) -> AgentRecord:
    """A member of staff with the groups they are in. Raises KeyError, TypeError, ValueError for another shape."""
    custom = user.get("custom_role_id")
    return AgentRecord(
        id=str(user["id"]),
        as_of=parse_iso(user["updated_at"]),
        name=str(user.get("name") or ""),
        email=user.get("email") or None,
        role=str(user.get("role") or "").lower(),
        custom_role=str(custom) if custom else None,
        restriction=_restriction(user),
        groups=tuple(groups),
        organization_id=str(user["organization_id"]) if user.get("organization_id") else None,
        active=user.get("active") is not False and user.get("suspended") is not True,
    )


def _restriction(user: Mapping[str, Any]) -> str:
    """Which tickets they may read. "none" where it is not known: a custom role restricts by means that are not told here.

    Whether Zendesk fills in `ticket_restriction` for custom roles is not verified; without it, an agent of one counts as
    unrestricted only where Zendesk says so.
    """
    told = user.get("ticket_restriction")
    if told is None and user.get("custom_role_id") and user.get("restricted_agent") is not False:
        return "none"
    return _RESTRICTIONS.get(told, "none")


def _groups(call: Call) -> dict[str, list[str]]:
    """Groups by user, all pages."""
    found: dict[str, list[str]] = defaultdict(list)
    cursor = ""
    while True:
        query = {"page[size]": "100", **({"page[after]": cursor} if cursor else {})}
        answer = call("GET", "/group_memberships.json", query)
        for one in answer.get("group_memberships") or ():
            found[str(one.get("user_id"))].append(str(one.get("group_id")))
        cursor = _next(answer)
        if not cursor:
            return {user: sorted(groups) for user, groups in found.items()}


def people(call: Call, ids: Sequence[str], identities: Callable[[str], tuple[Email, ...]]) -> PeopleRead:
    """Users by id, each with its identities; Zendesk leaves out those it no longer has."""
    if not ids:
        return PeopleRead(())
    answer = call("GET", "/users/show_many.json", {"ids": ",".join(ids)})
    users = answer.get("users")
    if not isinstance(users, list):
        raise VendorContractChanged("users/show_many answered in an unknown shape")
    found = []
    for user in users:
        record = answers.person(user)
        if record.active:
            found.append(_whole(record, identities))
    there = {record.id for record in found}
    return PeopleRead(tuple(found), tuple(one for one in ids if one not in there))


def _whole(record: PersonRecord, identities: Callable[[str], tuple[Email, ...]]) -> PersonRecord:
    """With every address, and whether each is verified; one deleted in between is left as it was told."""
    try:
        emails = identities(record.id)
    except VendorRejected:
        return record
    return PersonRecord(
        record.id, record.as_of, record.name, record.role, emails, record.external_id, record.organization_id,
        record.locale, record.time_zone, record.active, record.fields, all_emails=True,
    )  # fmt: skip


def _next(answer: Mapping[str, Any]) -> str:
    meta = answer.get("meta") or {}
    return str(meta.get("after_cursor") or "") if meta.get("has_more") else ""
