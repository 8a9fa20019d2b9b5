"""Protocols a vendor folder implements. Errors are those of kernel.errors; nothing of an SDK shows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from integrations.kernel.billing import Charge, Dispute, Refund
from integrations.kernel.crm import (
    Bulk,
    DirectoryPage,
    DirectorySource,
    Draft,
    PushResult,
    SetupStep,
    Shape,
    Standing,
    StandingPage,
    Usage,
)
from integrations.kernel.events import Envelope, Event
from integrations.kernel.money import Money
from integrations.kernel.records import AgentRecord, OrganizationRecord, PersonRecord, TicketChange, TicketRecord

Json = Any  # a parsed JSON value; its shape is the vendor's until translate has read it


class WebhookModule(Protocol):
    """`integrations/<slug>/webhook.py`, as a module."""

    def verify(self, headers: Mapping[str, str], body: bytes, secrets: Sequence[str], now: datetime) -> None:
        """Refuse what the vendor did not sign. `headers`: lower-cased names. Raises BadSignature, StaleSignature."""

    def envelope(self, headers: Mapping[str, str], body: bytes, document: Json) -> Envelope:
        """Address a verified delivery. Raises MalformedPayload when it is not one of the vendor's shapes."""

    def parse(self, document: Json, connection_id: str, event_key: str, received_at: datetime) -> Sequence[Event]:
        """Canonical events of a stored delivery; empty for a kind we do not know. Raises MalformedPayload."""


@dataclass(frozen=True, slots=True)
class TicketRead:
    """Answer of one read of many tickets. gone: asked for and not there (deleted, or not visible to us)."""

    tickets: tuple[TicketRecord, ...]
    people: tuple[PersonRecord, ...]
    organizations: tuple[OrganizationRecord, ...] = ()
    gone: tuple[str, ...] = ()


class WriteState(StrEnum):
    """DONE: applied. ACCEPTED: a job was started, follow `job_id`. CONFLICT: changed under us, read and try again.
    REFUSED: never (closed ticket, unknown field). GONE: the ticket is no longer there."""

    DONE = "done"
    ACCEPTED = "accepted"
    CONFLICT = "conflict"
    REFUSED = "refused"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class WriteResult:
    """What became of one ticket's change. detail: the vendor's reason, for people; no personal data."""

    ticket_id: str
    state: WriteState
    detail: str = ""


@dataclass(frozen=True, slots=True)
class WriteReceipt:
    """Answer of one write of many tickets: a job to follow (`results` empty), or the results at once."""

    job_id: str = ""
    results: tuple[WriteResult, ...] = ()


@dataclass(frozen=True, slots=True)
class JobState:
    """finished: nothing more will happen. results: by ticket, only when finished; a ticket missing there is unknown."""

    job_id: str
    finished: bool
    results: tuple[WriteResult, ...] = ()


@dataclass(frozen=True, slots=True)
class ChangedPage:
    """One page of the tickets that changed, oldest change first; a ticket may come again on a later page.

    cursor: pass it to go on from here, also days later; saved in the transaction that applied the page.
    at_end: nothing more has changed by now. gone: tickets that were deleted.
    """

    tickets: tuple[TicketRecord, ...]
    cursor: str
    at_end: bool
    people: tuple[PersonRecord, ...] = ()
    organizations: tuple[OrganizationRecord, ...] = ()
    gone: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PeopleRead:
    """Answer of one read of people, with all their addresses. gone: asked for and not there (deleted or merged)."""

    people: tuple[PersonRecord, ...]
    gone: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AgentPage:
    """One page of the staff. cursor: pass it to get the next; empty at the end."""

    agents: tuple[AgentRecord, ...]
    cursor: str


class StaffLookup(Protocol):
    """What a helpdesk says of one member of staff now; loads no SDK, so a web process may ask."""

    def look_up(self, user_id: str) -> AgentRecord | None:
        """Role and groups as they are; None for who is not there. Raises the errors of kernel.errors."""


class Helpdesk(Protocol):
    """Reads and writes tickets. One call of ours is as few calls at the vendor as it allows."""

    def show_tickets(self, ids: Sequence[str]) -> TicketRead:
        """Up to 100 tickets with their requesters (and organisations)."""

    def update_tickets(self, changes: Sequence[TicketChange], key: str) -> WriteReceipt:
        """Up to 100 different changes, one a ticket, additive. `key`: the same for a repeat of the same write."""

    def update_ticket(self, change: TicketChange, key: str) -> WriteResult:
        """One change by itself: what a batch could not do, or a change that stands alone."""

    def jobs(self, job_ids: Sequence[str]) -> Mapping[str, JobState]:
        """Up to 100 jobs in one call; a job the vendor no longer knows is finished with no results."""

    def has_note(self, ticket_id: str, key: str) -> bool:
        """Is there a note with this key's marker on the ticket?"""

    def show_people(self, ids: Sequence[str]) -> PeopleRead:
        """Up to 100 people as they are now. For events that do not carry the person."""

    def changed(self, cursor: str, since: datetime) -> ChangedPage:
        """One page of what changed after `cursor`; with none yet, since a moment. For catching up on lost deliveries."""

    def agents(self, cursor: str = "") -> AgentPage:
        """One page of everybody who may work on tickets."""

    def own_user_id(self) -> str:
        """The vendor's id of the user we act as: events of this actor run no rules."""

    def check(self) -> list[str]:
        """Test the connection; an empty list is healthy, else sentences that say what to do."""


@dataclass(frozen=True, slots=True)
class BillingPage:
    """One page of a list at the billing vendor, translated. cursor: pass it to get the next; empty at the end."""

    records: tuple[Any, ...]
    cursor: str
    as_of: datetime


class Billing(Protocol):
    """Reads the billing vendor. Kinds are those of kernel.billing.KINDS."""

    def page(self, kind: str, cursor: str = "", limit: int = 100) -> BillingPage:
        """One page of all objects of a kind, newest first."""

    def fetch(self, kind: str, object_id: str) -> Any:  # noqa: ANN401 - a record of kernel.billing
        """One object as it is now, or None when it is gone."""

    def events_since(self, since: datetime, until: datetime) -> Iterator[Json]:
        """Vendor event documents created in [since, until], as a webhook would have carried them, oldest first."""

    def check(self) -> list[str]:
        """Test the connection; an empty list is healthy, else sentences that say what to do."""


class AmountsModule(Protocol):
    """`integrations/<slug>/amounts.py` of a payment vendor, as a module."""

    def refusal(self, amount: Money) -> str:
        """Why this amount cannot be given back exactly; empty when it can."""


@dataclass(frozen=True, slots=True)
class ChargeNow:
    """A charge read a moment ago, with all its disputes and refunds. blocked: a dispute forbids paying anything back."""

    charge: Charge
    disputes: tuple[Dispute, ...]
    refunds: tuple[Refund, ...]
    blocked: bool


@dataclass(frozen=True, slots=True)
class RefundOrder:
    """One refund to make. key: idempotency key. reason: "", duplicate, fraudulent, requested_by_customer. metadata: ids."""

    charge_id: str
    amount: Money
    reason: str
    key: str
    metadata: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class CreditOrder:
    """A credit note over lines of a paid invoice, linked to a refund that was made: (line, amount) sum to `amount`."""

    invoice_id: str
    lines: tuple[tuple[str, Money], ...]
    refund_id: str
    amount: Money
    key: str
    metadata: Mapping[str, str]


class Refunds(Protocol):
    """Gives money back. Only its two writes change anything; a write is never repeated below this port.

    Writes raise VendorRejected (a clear no), RateLimited (wait, same key), NeedsReauthorisation (nothing happened),
    VendorUnavailable (nothing was sent), and anything else where it may have happened.
    """

    def look(self, charge_id: str) -> ChargeNow:
        """The charge as it is now. Raises VendorRejected when there is none."""

    def refunds_of(self, charge_id: str) -> Sequence[Refund]:
        """Every refund of a charge, also failed ones."""

    def refund(self, order: RefundOrder) -> Refund:
        """Make one refund."""

    def refunds_since(self, since: datetime) -> Iterator[Refund]:
        """Every refund of the account made since then."""

    def credit_note_of(self, invoice_id: str, intent_id: str) -> str:
        """The id of the credit note made for an intent of ours; empty when there is none."""

    def credit(self, order: CreditOrder) -> str:
        """Make one credit note, without an e-mail to the customer; answers its id."""


class Crm(Protocol):
    """Takes leads and tells what became of them. One call of ours is as few calls at the vendor as it allows.

    Writes raise RateLimited, NeedsReauthorisation and VendorUnavailable where nothing happened, OutcomeUnknown where
    it may have; what is wrong with one draft is its result, never an error.
    """

    def push(self, drafts: Sequence[Draft]) -> Sequence[PushResult]:
        """Up to 200 drafts of one shape: made or changed by their keys. One result a draft, in order; where it takes more
        than one call and a later one fails as a whole, those that it was about have none: look for them."""

    def bulk(self, drafts: Sequence[Draft]) -> str:
        """Start a job for thousands of drafts of one shape; answers its id."""

    def bulk_state(self, job_id: str, shape: Shape) -> Bulk:
        """Where a job is. One call while it runs."""

    def bulk_abort(self, job_id: str) -> None:
        """Stop a job that runs or waits; what it did stays, and one that has ended stays as it is."""

    def find(self, shape: Shape, keys: Sequence[str]) -> Mapping[str, Standing]:
        """Which of these keys exist there, by key: asked before a write is repeated whose end is unknown."""

    def show(self, shape: Shape, object_ids: Sequence[str], *, gone: bool = False) -> Mapping[str, Standing]:
        """Records by their id; one that is missing was deleted or hidden. gone: deleted ones too, while they are kept."""

    def source(self, *, anew: bool = False) -> DirectorySource:
        """What `directory` reads from. anew: as the vendor has it now; else as a page would, at no call of its own."""

    def directory(self, cursor: str = "") -> DirectoryPage:
        """One page of companies, contacts and users that changed after `cursor`; with none yet, of all."""

    def standings(self, cursor: str, since: datetime) -> StandingPage:
        """One page of our records that changed, with an overlap, deleted ones too; without a cursor, since a moment."""

    def usage(self) -> Usage:
        """Of the vendor's day, as its last answer told it, and our share of it; costs no call."""

    def check(self) -> list[str]:
        """Test the connection; an empty list is healthy, else sentences that say what to do."""


class CrmSetup(Protocol):
    """Our fields in a CRM, for an admin's command."""

    def make(self, *, verdicts: bool) -> Sequence[SetupStep]:
        """Make what is missing. verdicts: also the fields in which reps answer."""

    def present(self) -> Sequence[str]:
        """Fields of ours that are there."""

    def words(self) -> Sequence[str]:
        """What of the org's own lists is used for our records, a sentence each."""

    def records(self) -> Mapping[str, int]:
        """How many records carry our key, by the CRM's name of their kind."""

    def remove(self) -> Sequence[SetupStep]:
        """Take our fields away, with what is in them; what an admin named is left to the admin."""


class CrmWithSetup(Crm, Protocol):
    """A CRM whose fields we make ourselves."""

    def setup(self) -> CrmSetup:
        """The setup of this org."""
