"""Intercom by plain HTTP on our own session: its SDK costs a second and 54 MB at the first client, and this is little.

Source: Intercom's OpenAPI document 2.15, read 2026-11.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any, TypeVar

from integrations.intercom import answers, catching_up, people, translate, wire
from integrations.intercom.endpoints import LIMITS, endpoint_of
from integrations.intercom.settings import HOSTS, VERSION
from integrations.intercom.tags import Tags
from integrations.intercom.words import Item, requester, tag_list
from integrations.kernel.clock import utc_now
from integrations.kernel.errors import (
    ConfigError,
    NeedsReauthorisation,
    OutcomeUnknown,
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
from integrations.kernel.records import OrganizationRecord, PersonRecord, TicketChange, TicketRecord
from integrations.kernel.vendor import Account
from integrations.transport.http import Gate, vendor_session

MANY = 100
AT_ONCE = 8  # calls at a time for one batch: there is no call for many conversations

IDENTITY = (
    "Identity verification is off: anybody can claim to be any user of yours in the Messenger, and would be linked to "
    "that user's payments. Turn it on in Intercom, Settings > Security."
)

T = TypeVar("T")
R = TypeVar("R")
People = tuple[tuple[PersonRecord, ...], tuple[OrganizationRecord, ...]]


def connect(account: Account, gate: Gate) -> IntercomClient:
    """A client of one workspace. Raises ConfigError for a region that is none, or a snooze that is no time."""
    region = str(account.config.get("region") or "us")
    if region not in HOSTS:
        raise ConfigError(f"region: one of {', '.join(HOSTS)}, where the workspace lives")
    hours = str(account.config.get("snooze_hours") or "24")
    if not hours.isdigit() or not 0 < int(hours) <= 24 * 365:
        raise ConfigError("snooze_hours: whole hours, 1 to 8760")
    gate.limit("intercom", LIMITS)
    return IntercomClient(account, HOSTS[region], int(hours), gate)


class Token:
    """The app's access token. It never ends by itself, so there is nothing to renew."""

    def __init__(self, account: Account) -> None:
        self._header = f"Bearer {account.secret('access_token')}"

    def header(self) -> str:
        """The same for ever."""
        return self._header

    def renew(self, refused: str) -> None:
        """Raises NeedsReauthorisation."""
        raise NeedsReauthorisation("Intercom refuses the access token: copy it anew from the Developer Hub")


class IntercomClient:
    """Implements the Helpdesk port. One for all threads of a process."""

    def __init__(self, account: Account, host: str, snooze_h: int, gate: Gate) -> None:
        self._session = vendor_session(
            account, hosts=(host,), authorise=Token(account), endpoint_of=endpoint_of, gate=gate, wait_s=2.0
        )
        self._session.headers.update({"Intercom-Version": VERSION, "Accept": "application/json"})
        self._base = f"https://{host}"
        self._snooze_h = snooze_h
        self._tags = Tags(self._ask)
        self._own_user_id = str(account.config.get("own_user_id") or "")

    def show_tickets(self, ids: Sequence[str]) -> TicketRead:
        """One call a conversation: search would be one for all, but is minutes behind and shows no new one. A contact is
        read only where the conversation does not show its requester's address.
        """
        if len(ids) > MANY:
            raise ValueError(f"{len(ids)} conversations in one read; this takes {MANY}")
        found = dict(zip(ids, _each(self._conversation, ids), strict=True))
        there = [item for item in found.values() if item is not None]
        tickets = tuple(_ticket(item) for item in there)
        return TicketRead(tickets, *self._people(there), gone=tuple(i for i, item in found.items() if item is None))

    def update_tickets(self, changes: Sequence[TicketChange], key: str) -> WriteReceipt:
        """Each by itself: there is no batch. What was sent before something went wrong has its result, the rest has none;
        only when nothing was done does the error itself come through.
        """
        changes = [change for change in changes if not change.is_empty]
        if len(changes) > MANY:
            raise ValueError(f"{len(changes)} conversations in one write; this takes {MANY}")
        ends = _each(lambda change: self._attempt(change, key), changes)
        results = tuple(end for end in ends if isinstance(end, WriteResult))
        errors = [end for end in ends if isinstance(end, VendorError)]
        if errors and not results:
            raise next((error for error in errors if isinstance(error, OutcomeUnknown)), errors[0])
        return WriteReceipt(results=results)

    def update_ticket(self, change: TicketChange, key: str) -> WriteResult:
        """Tags first, as repeating them does no harm, one call each; the note, which repeats badly, last."""
        attributes = False
        try:
            calls = wire.calls(change, self.own_user_id(), utc_now(), self._snooze_h)
            for name in change.add_tags:
                self._add_tag(change.ticket_id, name)
            for name in change.remove_tags:
                self._remove_tag(change.ticket_id, name)
            for call in calls:
                attributes = "custom_attributes" in call.body
                self._ask(call.method, call.path, json=call.body)
        except wire.NotPossible as reason:
            return WriteResult(change.ticket_id, WriteState.REFUSED, str(reason))
        except VendorRejected as error:
            return answers.refusal(change.ticket_id, error, attributes=attributes)
        return WriteResult(change.ticket_id, WriteState.DONE)

    def jobs(self, job_ids: Sequence[str]) -> Mapping[str, JobState]:
        """Intercom has none: every write ends with its answer."""
        return {job_id: JobState(job_id, finished=True) for job_id in job_ids}

    def has_note(self, ticket_id: str, key: str) -> bool:
        """One call; Intercom shows the last 500 parts of a conversation."""
        item = self._conversation(ticket_id)
        return item is not None and answers.has_marker(item, wire.marker_pattern(key))

    def show_people(self, ids: Sequence[str]) -> PeopleRead:
        """One call a contact."""
        found = dict(zip(ids, _each(lambda one: self._or_none(f"/contacts/{one}"), ids), strict=True))
        try:
            read = tuple(people.contact(data) for data in found.values() if data is not None)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise VendorContractChanged("a contact in an unknown shape") from error
        return PeopleRead(read, tuple(one for one, data in found.items() if data is None))

    def changed(self, cursor: str, since: datetime) -> ChangedPage:
        """One page of the search by days; what changed before the cursor is left out. Deleted ones are never shown."""
        place = catching_up.place(cursor, since)
        answer = self._ask("POST", "/conversations/search", json=place.query())
        try:
            items = sorted(answer["conversations"], key=lambda item: int(item["updated_at"]))
            following = ((answer.get("pages") or {}).get("next") or {}).get("starting_after") or ""
            after = place.beyond(max((int(item["updated_at"]) for item in items), default=0), str(following))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise VendorContractChanged("conversations/search answered in an unknown shape") from error
        new = [item for item in items if int(item["updated_at"]) >= place.since]
        return ChangedPage(tuple(_ticket(item) for item in new), after.text(), not after.after, *self._people(new))

    def agents(self, cursor: str = "") -> AgentPage:
        """All at once. Their groups are the teams, by id."""
        now, answer = utc_now(), self._ask("GET", "/admins")
        try:
            return AgentPage(tuple(people.admin(one, now) for one in answer["admins"]), "")
        except (KeyError, TypeError, AttributeError) as error:
            raise VendorContractChanged("admins answered in an unknown shape") from error

    def own_user_id(self) -> str:
        """The admin of the setting, or the owner of the token; asked once."""
        if not self._own_user_id:
            admin_id = self._ask("GET", "/me").get("id")
            if not admin_id:
                raise NeedsReauthorisation("Intercom does not know who we are: the token belongs to nobody")
            self._own_user_id = str(admin_id)
        return self._own_user_id

    def check(self) -> list[str]:
        try:
            me = self._ask("GET", "/me")
            self._ask("GET", "/tags")
        except VendorError as error:
            return [f"{error.public} ({error})"]
        app = me.get("app")
        if not isinstance(app, Mapping) or app.get("identity_verification") is not True:
            return [IDENTITY]
        return []

    def _conversation(self, ticket_id: str) -> Item | None:
        """The conversation with its last parts; None when it is gone."""
        return self._or_none(f"/conversations/{ticket_id}")

    def _people(self, items: Sequence[Item]) -> People:
        """Requesters and companies: as the conversations show them, else by one call a contact."""
        seen = {person.id: person for item in items if (person := people.seen_in(item))}
        unseen = sorted(
            {who for item in items if people.seen_in(item) is None and (who := requester(item))} - set(seen)
        )
        contacts = [found for found in _each(lambda one: self._or_none(f"/contacts/{one}"), unseen) if found]
        try:
            read = [people.contact(one) for one in contacts]
            companies = {company.id: company for item in items if (company := people.company_in(item))}
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise VendorContractChanged("a contact or a company in an unknown shape") from error
        return (*seen.values(), *read), tuple(companies.values())

    def _attempt(self, change: TicketChange, key: str) -> WriteResult | VendorError:
        try:
            return self.update_ticket(change, key)
        except VendorError as error:
            return error

    def _add_tag(self, ticket_id: str, name: str) -> None:
        """One call; more when the tag's id is not known, or no longer right."""
        known = self._tags.id_to_add(name)
        try:
            self._tag(ticket_id, known)
        except VendorRejected as error:
            if error.http_status != 404:
                raise
            self._tags.forget(
                name
            )  # somebody may have deleted the tag; with a new id only the conversation can be missing
            again = self._tags.id_to_add(name)
            if again == known:
                raise
            self._tag(ticket_id, again)

    def _tag(self, ticket_id: str, tag_id: str) -> None:
        self._ask("POST", f"/conversations/{ticket_id}/tags", json={"id": tag_id, "admin_id": self.own_user_id()})

    def _remove_tag(self, ticket_id: str, name: str) -> None:
        """One call; none for a tag that does not exist."""
        tag_id = self._tags.id_to_remove(name)
        if tag_id is None:
            return
        try:
            self._untag(ticket_id, tag_id)
        except VendorRejected as error:
            item = self._conversation(ticket_id) if error.http_status == 404 else None
            if item is None:
                raise
            self._tags.forget(name)  # not on the conversation, or made anew under another id
            for tag in tag_list(item):
                if str(tag.get("name")).lower() == name.lower():
                    self._untag(ticket_id, str(tag["id"]))

    def _untag(self, ticket_id: str, tag_id: str) -> None:
        self._ask("DELETE", f"/conversations/{ticket_id}/tags/{tag_id}", json={"admin_id": self.own_user_id()})

    def _or_none(self, path: str) -> Mapping[str, Any] | None:
        try:
            return self._ask("GET", path)
        except VendorRejected as error:
            if error.http_status == 404:
                return None
            raise

    def _ask(self, method: str, path: str, *, json: object = None) -> Mapping[str, Any]:
        """One call. Raises VendorRejected for 4xx, and the transport's errors."""
        response = self._session.request(method, f"{self._base}{path}", json=json)
        return answers.body_of(response, endpoint_of(method, path))


def _ticket(item: Item) -> TicketRecord:
    """A conversation of an answer: with its requester, who is read beside it, it is all there is to know."""
    try:
        found = translate.ticket(item)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise VendorContractChanged("a conversation in an unknown shape") from error
    return TicketRecord(found.id, found.as_of, found.values, complete=True)


def _each(work: Callable[[T], R], items: Sequence[T]) -> list[R]:
    """In order, several at a time."""
    if len(items) <= 1:
        return [work(item) for item in items]
    with ThreadPoolExecutor(min(AT_ONCE, len(items)), thread_name_prefix="intercom") as pool:
        return list(pool.map(work, items))
