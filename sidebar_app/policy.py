"""Who may see what, from the staff's mirror. Pure; what is not known is refused."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from app.agents import Agent
from integrations.kernel.errors import NotAllowed

STAFF_LIFE: Final = timedelta(minutes=15)  # trust 2.6: older is not known any more
LINKERS: Final = frozenset({"agent", "admin"})  # a link says who pays: light agents look only
ROLES: Final = LINKERS | {"light_agent"}
KINDS: Final = {"ticket_sidebar": "tickets", "new_ticket_sidebar": "people", "user_sidebar": "people"}


class NotStaff(NotAllowed):
    code = "sidebar.not_staff"
    public = "Zendesk does not list you as an agent here, so nothing is shown. Ask an admin."


class StaffUnknown(NotAllowed):
    code = "sidebar.staff_unknown"
    public = (
        "Who works here was not read from Zendesk lately, so nothing is shown. Try again in a minute; if it stays, "
        "ask an admin whether the worker runs."
    )


class NotReadable(NotAllowed):
    code = "sidebar.not_readable"
    public = (
        "By your groups, your organization and what is assigned to you in Zendesk, you may not read this ticket, so its "
        "billing is not shown either. Whether you follow it, are in CC, or may read it by a custom role is not known here."
    )


def check_agent(agent: Agent | None, now: datetime) -> Agent:
    """The agent, when we know of late that they work here. Raises NotStaff, StaffUnknown."""
    if agent is None:
        raise NotStaff
    if now - agent.read_at > STAFF_LIFE:
        raise StaffUnknown
    if not agent.active or agent.role not in ROLES:
        raise NotStaff
    return agent


def may_read(agent: Agent, ticket: Mapping[str, Any]) -> bool:
    """Does Zendesk let this agent read this ticket? ticket: values as the mirror holds them.

    Followers and CC are not in the mirror, as what they give is not documented; nor is what a custom role gives. Who may
    read a ticket by these alone is refused here.
    """
    if agent.role == "admin" or agent.restriction == "all":
        return True
    if agent.restriction in ("assigned", "groups", "organization") and ticket.get("assignee_id") == agent.id:
        return True
    if agent.restriction == "groups":
        return ticket.get("group_id") is not None and ticket["group_id"] in agent.groups
    if agent.restriction == "organization":
        return agent.organization_id is not None and ticket.get("organization_id") == agent.organization_id
    return False


def may_link(agent: Agent) -> bool:
    """May this agent say who pays for whom?"""
    return agent.role in LINKERS
