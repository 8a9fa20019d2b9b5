"""The two-facts upgrade: what an agent typed against what the mirror knows. Found, it becomes a link on rung 3."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation

import sqlalchemy as sa

from app import identity
from app.billing import newest
from app.identity import Requester
from app.identity.policy import PayerKey
from integrations.kernel.clock import parse_iso
from integrations.kernel.errors import StateError
from integrations.kernel.money import exponent

CHARGES = 500  # the newest of each candidate that are compared
LONGEST = 64


class FactsDiffer(StateError):
    code, status = "sidebar.facts_differ", 422
    public = "No payment fits what you typed. Check it with the customer; each try is counted."


class FactsMissing(StateError):
    code, status = "sidebar.facts_missing", 422
    public = "Give the invoice number, or the card's last four digits with the amount and the date."


@dataclass(frozen=True, slots=True)
class Facts:
    """What was typed. day: None without a date that can be read."""

    invoice: str = ""
    last4: str = ""
    amount: str = ""
    day: date | None = None

    @property
    def has_card(self) -> bool:
        return len(self.last4) == 4 and self.last4.isdigit() and bool(self.amount) and self.day is not None


def typed(form: Mapping[str, str]) -> Facts:
    """From the form; nothing is believed of it. Raises FactsMissing."""
    told = {name: form.get(name, "").strip()[:LONGEST] for name in ("invoice", "last4", "amount", "day")}
    try:
        day = date.fromisoformat(told["day"]) if told["day"] else None
    except ValueError:
        day = None
    facts = Facts(told["invoice"].replace("\x00", ""), told["last4"], told["amount"], day)
    if not (facts.invoice or facts.has_card):
        raise FactsMissing
    return facts


def amounts(text: str) -> set[Decimal]:
    """What a typed amount can mean: `1.240,00` and `1,240.00` alike; a lone `1.240` is both."""
    bare = "".join(c for c in text if c in "0123456789.,")
    found = set()
    for point, group in ((".", ","), (",", ".")):
        if bare.count(point) > 1:
            continue
        try:
            found.add(Decimal(bare.replace(group, "").replace(point, ".")))
        except InvalidOperation:
            continue
    return found


def find(cx: sa.Connection, facts: Facts, candidates: Sequence[PayerKey], connections: Sequence[str]) -> set[PayerKey]:
    """Payers who fit. An invoice number is looked for everywhere, a card's payment among the candidates only."""
    if facts.invoice:
        return newest.invoices_by_number(cx, facts.invoice, connections)
    return {payer for payer in candidates if _has_paid(cx, payer, facts)}


def _has_paid(cx: sa.Connection, payer: PayerKey, facts: Facts) -> bool:
    charges: Iterable[Mapping[str, object]] = newest.of_payer(cx, payer, ["charge"], CHARGES).get("charge", ())
    return any(_fits(charge, facts) for charge in charges)


def _fits(charge: Mapping[str, object], facts: Facts) -> bool:
    """The day may differ by one: the customer's bank and zone are not ours."""
    amount = charge["amount"]
    if charge.get("last4") != facts.last4 or not isinstance(amount, Mapping) or facts.day is None:
        return False
    exact = Decimal(amount["minor"]).scaleb(-exponent(amount["currency"]))
    paid_on = parse_iso(str(charge["created"])).date()
    return exact in amounts(facts.amount) and abs(paid_on - facts.day) <= timedelta(days=1)


def upgrade(
    cx: sa.Connection, requester: Requester, facts: Facts, candidates: Sequence[PayerKey], connections: Sequence[str],
    by: str,
) -> PayerKey:  # fmt: skip
    """Link the requester with the payer the facts name. Raises FactsDiffer: they name nobody, or more than one."""
    found = find(cx, facts, candidates, connections)
    if len(found) != 1:
        raise FactsDiffer
    payer = found.pop()
    identity.link(cx, requester, payer, by, rung=3, note="invoice number" if facts.invoice else "last4, amount, date")
    return payer
