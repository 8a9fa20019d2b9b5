"""A request of Intercom's inbox: verified over its raw bytes, read, and turned into a visit by the mirror of the staff."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from app import access, agents
from app.access import Actor, Login, Staff
from app.agents import Agent
from app.customers import store as customers
from app.runtime import Runtime
from app.sessions import Session, Subject
from app.tickets import store as tickets
from app.ui.words import reader
from integrations.kernel.errors import AuthError, BadSignature, ConfigError, MalformedPayload, NotAllowed, VendorError
from integrations.kernel.vendor import Account
from integrations.transport import jsonscan
from integrations.transport.signatures import header, matches
from sidebar_app import policy
from sidebar_app.identity import Visit

SIGNATURE: Final = "x-body-signature"
MOST_BYTES: Final = 256 << 10  # two parts of at most 64 kB each come back, and the conversation
_DIGEST = re.compile(r"[0-9a-f]{64}")
_ID = re.compile(r"[0-9]{1,19}")
_CONTACT = re.compile(r"[0-9A-Za-z_-]{0,64}")
_COMPONENT = re.compile(r"[A-Za-z0-9_./-]{1,120}")


class WrongWorkspace(AuthError):
    code, public = "canvas.workspace", "This is not the workspace of this connection. Check `flask intercom connect`."


class NoSeat(NotAllowed):
    code = "canvas.no_seat"
    public = "Intercom does not list you with a seat in the inbox, so nothing is shown. Ask an admin."


class StaffNotRead(NotAllowed):
    code = "canvas.staff_unknown"
    public = "Who works here was not read from Intercom lately, so nothing is shown. Try again in a minute."


class RoleUnknown(NotAllowed):
    code = "canvas.role_unknown"
    public = "Intercom did not say in time who you are, so no refund is possible now. Try once more in a moment."


class ConversationGone(NotAllowed):
    code, public = "canvas.gone", "This conversation was deleted or merged, so no billing is shown for it."


class OtherContact(NotAllowed):
    code = "canvas.other_contact"
    public = "Billing is shown for the first contact of this conversation only. Open that contact's card."


@dataclass(frozen=True, slots=True)
class Asked:
    """A verified request. component: what was clicked, "" when the app was opened. stored: ours, back from Intercom.

    contact_id: beside whom it is shown; of a conversation with several, each has a card. "" where Intercom names nobody.
    """

    account: Account
    admin_id: str
    conversation_id: str
    contact_id: str
    locale: str
    component: str
    typed: Mapping[str, str]
    stored: Mapping[str, Any]

    @property
    def page(self) -> tuple[str, str, str]:
        return self.account.connection_id, self.conversation_id, self.admin_id


def read(account: Account, headers: Mapping[str, str], body: bytes) -> Asked:
    """What Intercom asks.

    Args:
        headers: lower-cased names.
        body: the exact bytes received; never re-encoded JSON.

    Raises:
        BadSignature, WrongWorkspace: Intercom, or this workspace, did not send it. MalformedPayload.

    Source: vendor sheet 2.2: `X-Body-Signature`, 64 hex digits, HMAC-SHA256 of the body under the app's client secret.
    """
    found = _DIGEST.fullmatch(header(headers, SIGNATURE))
    secrets = account.secrets.get("webhook_secret", ())
    if found is None or not matches(secrets, body, [bytes.fromhex(found[0])]):
        raise BadSignature
    data = jsonscan.parse(body)
    workspace = str(account.config.get("workspace_id") or "")
    if not workspace or data.get("workspace_id") != workspace:
        raise WrongWorkspace
    context = _table(data.get("context"))
    told = {str(i) for i in (_table(data.get("conversation")).get("id"), context.get("conversation_id")) if i}
    admin_id = str(_table(data.get("admin")).get("id") or "")
    component = str(data.get("component_id") or "")
    if len(told) != 1 or not all(_ID.fullmatch(one) for one in (*told, admin_id)):
        raise MalformedPayload("one conversation and one admin")
    if component and not _COMPONENT.fullmatch(component):
        raise MalformedPayload("component_id")
    typed = {str(k): v for k, v in _table(data.get("input_values")).items() if isinstance(v, str)}
    stored = _table(_table(data.get("current_canvas")).get("stored_data"))
    contact_id = str(_table(data.get("contact")).get("id") or "")
    if not _CONTACT.fullmatch(contact_id):
        raise MalformedPayload("contact")
    return Asked(account, admin_id, told.pop(), contact_id, str(context.get("locale") or ""), component, typed, stored)


def _table(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def visit(cx: sa.Connection, asked: Asked, now: datetime) -> Visit:
    """The admin, the conversation and its requester, by the mirror.

    Raises:
        NoSeat, StaffNotRead, ConversationGone. OtherContact: it is shown beside somebody else than the requester.
    """
    agent = _agent(cx, asked, now)
    desk, subject = asked.account.connection_id, Subject("tickets", asked.conversation_id)
    found = tickets.read(cx, desk, [subject.id]).get(subject.id)
    if found is not None and found.gone:
        raise ConversationGone
    ticket = found if found is not None and found.complete else None
    # Nobody is signed in: every request is signed by itself. The id is what an unknown conversation is asked for by.
    session = Session(
        f"canvas-{agent.id}-{int(now.timestamp()) // 60}", "canvas", desk, agent.id, "inbox", str(subject), now, now
    )
    requester = str(ticket.requester_id or "") if ticket else ""
    _beside(cx, desk, asked.contact_id, requester)
    writable = ticket is not None and policy.may_link(agent)
    return Visit(session, agent, subject, ticket, requester, writable, reader(asked.locale, "", now))


def _beside(cx: sa.Connection, desk: str, contact_id: str, requester: str) -> None:
    """Raises OtherContact; an id that was merged into the requester's is the requester."""
    if contact_id in ("", requester) or not requester:
        return
    people = customers.people(cx, desk, [contact_id, requester])
    contact, known = people.get(contact_id), people.get(requester)
    kept = {contact_id, contact.merged_into if contact else None} & {requester, known.merged_into if known else None}
    if kept - {None}:
        return
    if known is None or not known.name:
        raise OtherContact
    raise OtherContact(
        f"Billing is shown for {known.name} only, the first contact of this conversation. Open their card."
    )


def _agent(cx: sa.Connection, asked: Asked, now: datetime) -> Agent:
    agent = agents.find(cx, asked.account.connection_id, [asked.admin_id]).get(asked.admin_id)
    try:
        return policy.check_agent(agent, now)
    except policy.StaffUnknown as error:
        raise StaffNotRead from error
    except policy.NotStaff as error:
        raise NoSeat from error


def looked_up(runtime: Runtime, asked: Asked, now: datetime) -> Actor:
    """Who this is to us, as Intercom says now. Not for inside a transaction.

    Raises:
        NoSeat: not any more. RoleUnknown: Intercom did not say within 1.5 s.
    """
    try:
        found = runtime.clients.staff(asked.account.connection_id).look_up(asked.admin_id)
    except (VendorError, ConfigError) as error:
        raise RoleUnknown(cause=type(error).__name__) from error
    if found is None or not found.active or found.role not in policy.ROLES:
        raise NoSeat
    staff = Staff(found.role, found.custom_role, found.groups, found.active, now)
    with runtime.database.begin() as cx:
        return access.actor(cx, Login(asked.account.connection_id, asked.admin_id), staff, now)
