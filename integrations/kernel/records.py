"""State as vendors tell it, in our words: tickets and people. Billing records are in kernel.billing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypedDict


class TicketValues(TypedDict, total=False):
    """Known values of a ticket; an absent name is "not told", None is "no value". Enums are lower case.

    status: new open pending hold solved closed deleted. priority: low normal high urgent. type: question incident
    problem task. tags: sorted, lower case. custom_fields: field id -> text, number, boolean, list or None.
    """

    subject: str | None
    description: str | None
    status: str | None
    priority: str | None
    type: str | None
    tags: list[str]
    requester_id: str | None
    submitter_id: str | None
    assignee_id: str | None
    group_id: str | None
    organization_id: str | None
    brand_id: str | None
    form_id: str | None
    external_id: str | None
    channel: str | None
    is_public: bool
    custom_fields: dict[str, Any]
    created_at: str
    updated_at: str


@dataclass(frozen=True, slots=True)
class TicketRecord:
    """A ticket as of the vendor's time. complete: every value is known (read by API), not only an event's."""

    id: str
    as_of: datetime
    values: TicketValues
    complete: bool = False


@dataclass(frozen=True, slots=True)
class Email:
    """One address of a person, as written at the vendor."""

    address: str
    verified: bool
    primary: bool = False


@dataclass(frozen=True, slots=True)
class PersonRecord:
    """A requester or a member of staff. role: end-user, agent, admin (the vendor's word, lower case).

    all_emails: `emails` are all there are; else others that are known stay.
    """

    id: str
    as_of: datetime
    name: str = ""
    role: str = "end-user"
    emails: tuple[Email, ...] = ()
    external_id: str | None = None
    organization_id: str | None = None
    locale: str | None = None
    time_zone: str | None = None
    active: bool = True
    fields: Mapping[str, Any] = field(default_factory=dict)
    all_emails: bool = False


@dataclass(frozen=True, slots=True)
class OrganizationRecord:
    """A company as the helpdesk knows it. domains: lower case."""

    id: str
    as_of: datetime
    name: str = ""
    domains: tuple[str, ...] = ()
    external_id: str | None = None
    fields: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AgentRecord:
    """A member of the helpdesk's staff, for authorisation. `None` where the vendor did not say.

    role: the vendor's word, lower case (agent, admin, light_agent ...). custom_role: the vendor's id of it.
    restriction: which tickets they may see: all, organization, groups, assigned, none.
    """

    id: str
    as_of: datetime
    name: str = ""
    email: str | None = None
    role: str = ""
    custom_role: str | None = None
    restriction: str | None = None
    groups: tuple[str, ...] = ()
    organization_id: str | None = None
    active: bool = True


@dataclass(frozen=True, slots=True)
class Note:
    """An internal note to write. key: sent as a hidden marker; the same note is never written twice on a ticket."""

    key: str
    body: str


@dataclass(frozen=True, slots=True)
class TicketChange:
    """What is to change on one ticket, additive: other tags stay. fields: names of TicketValues."""

    ticket_id: str
    add_tags: tuple[str, ...] = ()
    remove_tags: tuple[str, ...] = ()
    fields: Mapping[str, Any] = field(default_factory=dict)
    note: Note | None = None

    @property
    def is_empty(self) -> bool:
        return not (self.add_tags or self.remove_tags or self.fields or self.note)
