"""What a CRM tells and takes, in our words. Amounts are Money, times aware UTC; no vendor's field name shows here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from integrations.kernel.money import Money

READING_SHARE = 0.8  # of our calls of a day: beyond it nothing is only read


class Shape(StrEnum):
    """Which kind of record a lead becomes: somebody unknown, a deal of a customer, or a task for the owner."""

    LEAD = "lead"
    DEAL = "deal"
    TASK = "task"


@dataclass(frozen=True, slots=True)
class AccountRecord:
    """A company in the CRM. domains: folded, of its website. external_id: our key field, or the admin's."""

    id: str
    as_of: datetime
    name: str = ""
    owner_id: str = ""
    parent_id: str = ""
    external_id: str = ""
    domains: tuple[str, ...] = ()
    territory: str = ""
    gone: bool = False


@dataclass(frozen=True, slots=True)
class ContactRecord:
    """A person at a company in the CRM; only what matching needs. domain: folded, of the address; "" without one."""

    id: str
    as_of: datetime
    account_id: str = ""
    domain: str = ""
    gone: bool = False


@dataclass(frozen=True, slots=True)
class CrmUser:
    """Somebody who may own records."""

    id: str
    name: str = ""
    active: bool = True


@dataclass(frozen=True, slots=True)
class DirectorySource:
    """What a directory is read from. org: whose companies they are. fields: the fields an admin named that are read of them;
    with others, what was read before says too little."""

    org: str
    fields: str = ""


@dataclass(frozen=True, slots=True)
class DirectoryPage:
    """One page of accounts, contacts and users that changed. cursor: pass it to go on, also days later."""

    cursor: str
    at_end: bool
    accounts: tuple[AccountRecord, ...] = ()
    contacts: tuple[ContactRecord, ...] = ()
    users: tuple[CrmUser, ...] = ()


@dataclass(frozen=True, slots=True)
class Draft:
    """One record to be in the CRM. key: hex, ours, unique for ever; a repeat with the same key changes the same record.

    object_id: the record, where it is known; then that one is changed, whatever its key says.
    kind: renewal, expansion, risk ... (words of app.leads); the vendor folder turns it into the org's own picklists.
    subject, description: texts ready to be shown. owner_id: "" leaves it to the CRM's own assignment rules.
    company, last_name, email: of a LEAD. amount, close_on, account_id: of a DEAL. due_on, account_id: of a TASK.
    values: canonical extra fields -> text (score, next step, ticket link, payer), mapped where the org has a field.
    only: change these names of the draft and no other (a hold, an owner's own edits are left alone); empty: all.
    """

    key: str
    shape: Shape
    kind: str
    subject: str
    description: str
    object_id: str = ""
    account_id: str = ""
    contact_id: str = ""
    owner_id: str = ""
    company: str = ""
    first_name: str = ""
    last_name: str = ""
    email: str = ""
    amount: Money | None = None
    close_on: date | None = None
    due_on: date | None = None
    hot: bool = False
    values: Mapping[str, str] = field(default_factory=dict)
    only: tuple[str, ...] = ()


class PushState(StrEnum):
    """CREATED, UPDATED: done. LINKED: another record says the same already, `object_id` is that one. CONVERTED: the
    record became others (see `Converted`) and takes no change. AGAIN: nothing was changed, a later try may succeed.
    REFUSED: never, with the sentence an admin needs."""

    CREATED = "created"
    UPDATED = "updated"
    LINKED = "linked"
    CONVERTED = "converted"
    AGAIN = "again"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Standing:
    """A record as the CRM has it now: what a verdict is read from, and what a read before resending finds.

    status: the org's own word. verdict, reason: of the fields we offered, or "". stage: of a deal.
    account_id, deal_id: what a converted LEAD became. merged_into: the record a LEAD that is gone was merged into.
    description: only of what was found by its key.
    """

    shape: Shape
    object_id: str
    as_of: datetime
    key: str = ""
    status: str = ""
    verdict: str = ""
    reason: str = ""
    converted: bool = False
    account_id: str = ""
    contact_id: str = ""
    deal_id: str = ""
    stage: str = ""
    closed: bool = False
    won: bool = False
    amount: Money | None = None
    owner_id: str = ""
    gone: bool = False
    merged_into: str = ""
    description: str = ""


@dataclass(frozen=True, slots=True)
class PushResult:
    """What became of one draft. code: the vendor's error code. detail: a sentence for people, no personal data.

    was: of a LINKED one, what the record said before it stood for the draft, with the key it has now: "" where it could not
    be given one, and no list of our records will name it. None where it was not seen.
    """

    key: str
    state: PushState
    object_id: str = ""
    code: str = ""
    detail: str = ""
    was: Standing | None = None


@dataclass(frozen=True, slots=True)
class StandingPage:
    """One page of our records that changed. cursor: as in DirectoryPage."""

    standings: tuple[Standing, ...]
    cursor: str
    at_end: bool


@dataclass(frozen=True, slots=True)
class Bulk:
    """A job of many drafts. results: by key, only when finished; a key missing there is unknown."""

    job_id: str
    finished: bool
    results: tuple[PushResult, ...] = ()


@dataclass(frozen=True, slots=True)
class Usage:
    """Calls of the CRM's day. used, allowed: everybody's, as it told; None when it did not.

    ours: those we made, of `share` that we may make; None without a share. wait_s: until we may make the next; 0 is now.
    """

    used: int | None = None
    allowed: int | None = None
    ours: int | None = None
    share: int | None = None
    wait_s: float = 0.0

    @property
    def is_tight(self) -> bool:
        """Is what is left kept for sending? Whoever only reads waits then."""
        return self.wait_s > 0 or (self.share is not None and (self.ours or 0) >= READING_SHARE * self.share)


class SetupState(StrEnum):
    """THERE: nothing to do. MADE, REMOVED: done now. BY_HAND: we may not; the step's text says what to click."""

    THERE = "there"
    MADE = "made"
    REMOVED = "removed"
    BY_HAND = "by_hand"


@dataclass(frozen=True, slots=True)
class SetupStep:
    """One field of ours at the CRM. name: as the CRM calls it. text: for an admin."""

    name: str
    state: SetupState
    text: str = ""
