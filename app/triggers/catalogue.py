"""Every fact a rule can ask for, with its type and what it says. docs/rules.md lists the same; a test says so."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum


class Type(StrEnum):
    """Types of facts; each has its operators (app.triggers.operators)."""

    TEXT = "text"
    CHOICE = "choice"
    TAGS = "tag set"
    NUMBER = "number"
    MONEY = "money"
    DATE = "date"
    DURATION = "duration"
    YES_NO = "yes/no"
    ANY = "any"  # a custom field: what it holds is the helpdesk's admin's business


@dataclass(frozen=True, slots=True)
class Fact:
    """changes: events tell its value before and after, so `changed` can be asked. choices: empty for an open set."""

    name: str
    type: Type
    help: str
    changes: bool = False
    choices: tuple[str, ...] = ()


# name | type, `*` where events tell changes | what it says, [choices]
_TABLE = """
ticket.id | text | its number
ticket.status | choice* | [new open pending hold solved closed deleted]
ticket.priority | choice* | [low normal high urgent]
ticket.type | choice* | [question incident problem task]
ticket.subject | text* | its subject
ticket.description | text* | the first message
ticket.tags | tag set | all its tags, ours and others'
ticket.channel | choice | how it came in: email, web, chat, api ...
ticket.group_id | text* | id of the group at the helpdesk
ticket.assignee_id | text* | id of the assignee at the helpdesk
ticket.organization_id | text* | id of the organization at the helpdesk
ticket.brand_id | text* | id of the brand at the helpdesk
ticket.form_id | text* | id of the ticket form at the helpdesk
ticket.external_id | text* | the id other systems gave it
ticket.is_public | yes/no | the customer can see it
ticket.created_at | date | when it was made
ticket.age | duration | from when it was made to the event
requester.id | text | id of the requester at the helpdesk
requester.name | text | the name as written there
requester.email | text | the primary address
requester.email_domain | text | what is after the @
requester.external_id | text | the id other systems gave the requester
requester.locale | text | language and region, such as en-US
requester.role | choice | [end-user agent admin]
requester.match_strength | choice | how sure the payer is theirs [linked verified two_facts unverified company none]
requester.look_alike | yes/no | the address looks like a payer's, but is another
organization.id | text | id of the requester's organization at the helpdesk
organization.name | text | its name
organization.external_id | text | the id other systems gave it
organization.domains | tag set | its domains
billing.plan | text | name of the plan
billing.product | text | name of the product
billing.seats | number | seats paid for
billing.seats_used | number | seats in use, from the metadata key the admin names
billing.mrr | money | recurring revenue of a month
billing.ltv | money | paid minus refunded, ever
billing.status | choice | of the subscription [trialing active past_due unpaid paused canceled none]
billing.delinquent | yes/no | an invoice is overdue
billing.renews_on | date | the next renewal
billing.days_to_renewal | number | days from the event to the renewal
billing.cancel_at | date | when it ends, if it was cancelled
billing.trial_ends_on | date | when the trial ends
billing.failed_payments_30d | number | failed payments in the 30 days before the event
billing.last_payment_failure | text | code and message of the last failed payment
billing.card_expires_in_days | number | days from the event to the end of the card's last month
billing.open_dispute | yes/no | a dispute is open
billing.dispute_amount | money | what is disputed
billing.dispute_reason | text | the reason the bank gave
billing.dispute_due_by | date | until when evidence can be sent
billing.refunds_90d | number | refunds in the 90 days before the event
billing.refunds_90d_amount | money | what they come to
billing.refund_rate | number | refunds of the 90 days before the event, per payment
billing.balance | money | below zero is credit of theirs
billing.currency | choice | such as USD
billing.country | choice | such as DE
billing.tenure_days | number | days from the first payer record to the event
billing.payers | number | how many payers match
billing.company_mrr | money | all payers of the company, one amount a currency
event.kind | choice | what happened, such as ticket.created
event.actor | text | the helpdesk's id of who did it
event.comment | text | the text of the new comment
event.comment_public | yes/no | the customer can see the comment
event.comment_by_staff | yes/no | an agent wrote the comment
event.caught_up | yes/no | fetched later, as its delivery was lost: what changed is not known
event.tags_added | tag set | tags that were just added
event.tags_removed | tag set | tags that were just removed
"""


def _fact(line: str) -> Fact:
    name, kind, text = (part.strip() for part in line.split("|"))
    text, _, choices = text.partition("[")
    return Fact(name, Type(kind.rstrip("*")), text.strip(), kind.endswith("*"), tuple(choices.rstrip("]").split()))


FACTS: dict[str, Fact] = {fact.name: fact for fact in map(_fact, _TABLE.strip().splitlines())}
CUSTOM_FIELD = "ticket.custom_fields."
_CUSTOM = re.compile(r"ticket\.custom_fields\.[0-9]{1,20}")


def fact(name: str) -> Fact | None:
    """The fact of a name, any custom field included; None when there is none."""
    if _CUSTOM.fullmatch(name):
        return Fact(name, Type.ANY, "a custom field, by its id", changes=True)
    return FACTS.get(name)


def is_known(name: str) -> bool:
    """Is there a fact of this name?"""
    return fact(name) is not None
