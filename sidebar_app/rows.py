"""Records of the mirror as rows of the panel: text, amount, pill, links. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.billing.mrr import Sold, period_amount
from app.billing.profile import OPEN_DISPUTE
from app.ui import vendor_pages
from app.ui.words import Moment, Reader, plain
from integrations.kernel.money import Money, half_even
from integrations.kernel.vendor import Account
from sidebar_app import words
from sidebar_app.words import Pill

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a list. more: smaller, under the title. links: (address, words). left: is there money to give back?"""

    key: str
    title: str
    at: Moment
    amount: str
    pill: Pill
    more: str = ""
    links: tuple[tuple[str, str], ...] = ()
    left: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """One subscription. price: each item with what it costs a period. dates: (words, day)."""

    name: str
    pill: Pill
    prices: tuple[str, ...]
    dates: tuple[tuple[str, str], ...]
    method: str


@dataclass(frozen=True, slots=True)
class DisputeNote:
    """An open dispute or inquiry. link: at the vendor, or ""."""

    title: str
    amount: str
    reason: str
    state: str
    due: str
    link: str


def charge(record: Json, told: Reader, invoice: str, disputes: Mapping[str, str]) -> Row:
    """A try to take money. invoice: the number of the invoice it paid, or "". disputes: charge -> the dispute's status."""
    at = told.day(record["created"])
    title = plain(invoice) or "Payment"
    why = plain(record["failure_text"] or record["failure_code"]) if record["status"] == "failed" else ""
    more = " · ".join(part for part in (card(record), why) if part)
    left = record["status"] == "succeeded" and record["captured"]["minor"] > record["refunded"]["minor"]
    pill = _charge_pill(record, told, disputes)
    return Row(record["id"], title, at, told.money(record["amount"]), pill, more, left=left)


def _charge_pill(record: Json, told: Reader, disputes: Mapping[str, str]) -> Pill:
    """A charge that was disputed is marked so for ever at the vendor; what became of it is the dispute's to say."""
    back, captured = record["refunded"]["minor"], record["captured"]["minor"]
    if record["disputed"] or record["id"] in disputes:
        return words.ENDED_DISPUTE.get(disputes.get(record["id"], ""), Pill("Disputed", "bad"))
    if back and back >= captured:
        return Pill("Refunded", "quiet")
    if back:
        return Pill(f"Partly refunded {told.money(record['refunded'])}", "warn")
    return words.pill(record["status"])


def card(record: Json) -> str:
    """Brand and last four digits, nothing more of a card."""
    if not record.get("last4"):
        return ""
    return f"{words.sentence(plain(record.get('brand') or 'card'))} •••• {plain(record['last4'])}"


def invoice(record: Json, told: Reader) -> Row:
    """An invoice with its PDF and its page."""
    links = tuple(
        (address, text)
        for address, text in (
            (vendor_pages.https(record["pdf"]), "PDF"),
            (vendor_pages.https(record["url"]), "Page"),
        )
        if address
    )
    left = f"{told.money(record['remaining'])} open" if record["status"] == "open" else ""
    due = f"due {told.day(record['due']).text}" if record["status"] == "open" and record["due"] else ""
    more = " · ".join(part for part in (left, due) if part)
    title = plain(record["number"]) or "Draft"
    at = told.day(record["created"])
    return Row(record["id"], title, at, told.money(record["total"]), words.pill(record["status"]), more, links)


def refund(record: Json, told: Reader, charges: Mapping[str, str]) -> Row:
    """A refund with where it is on its way to the bank. charges: id -> its title."""
    pill = words.REFUND.get(record["status"], words.pill(record["status"]))
    reason = words.sentence(plain(record["reason"])) if record["reason"] else ""
    failed = words.sentence(plain(record["failure"])) if record["failure"] else ""
    more = " · ".join(part for part in (reason, failed) if part)
    title = charges.get(record["charge_id"], "Payment")
    return Row(record["id"], title, told.day(record["created"]), told.money(record["amount"]), pill, more)


def dispute(records: Iterable[Json], told: Reader, account: Account) -> DisputeNote | None:
    """The open one that is due first."""
    still_open = [d for d in records if d["status"] in OPEN_DISPUTE]
    if not still_open:
        return None
    one = min(still_open, key=lambda d: (d["due_by"] or "9999", d["id"]))
    inquiry = one["status"].startswith("warning_")
    more = f" ({len(still_open)} in all)" if len(still_open) > 1 else ""
    return DisputeNote(
        f"{'Inquiry' if inquiry else 'Dispute'} open{more}",
        told.money(one["amount"]),
        words.sentence(plain(one["reason"])),
        words.DISPUTE.get(one["status"], words.sentence(one["status"])),
        f"Evidence due {told.day(one['due_by']).text}" if one["due_by"] else "No answer is possible any more",
        vendor_pages.address(account, "dispute", one["id"]),
    )


def plan(record: Json, told: Reader, sold: Sold, methods: Sequence[Json]) -> Plan:
    """A subscription: what, how much, until when."""
    names = {plain(_name(item, sold)): None for item in record["items"]}
    status = (
        "paused" if record["paused"] and record["status"] in ("active", "past_due", "trialing") else record["status"]
    )
    method = next((method_text(m, told) for m in methods if m["id"] == record["method_id"]), "")
    return Plan(
        ", ".join(name for name in names if name) or "Subscription",
        words.pill(status),
        tuple(_price(item, told, sold) for item in record["items"]),
        tuple(_dates(record, status, told)),
        method,
    )


def _name(item: Json, sold: Sold) -> str:
    price, product = sold.get(("price", item["price_id"]), {}), sold.get(("product", item["product_id"]), {})
    return str(price.get("name") or item["plan"] or product.get("name") or "")


def _price(item: Json, told: Reader, sold: Sold) -> str:
    every = item["interval"] if item["interval_count"] == 1 else f"{item['interval_count']} {item['interval']}s"
    amount = None if item["metered"] else period_amount(item, sold)
    if amount is None:
        return f"by use, each {every}"
    seats = f" · {item['quantity']} seats" if item["quantity"] != 1 else ""
    return f"{told.money(Money(half_even(amount), item['currency']))} each {every}{seats}"


def _dates(record: Json, status: str, told: Reader) -> Iterable[tuple[str, str]]:
    if status in ("canceled", "incomplete", "incomplete_expired"):
        return
    end = min((i["period_end"] for i in record["items"] if i["period_end"]), default=None)
    if record["trial_end"] and status == "trialing":
        yield "Trial ends", told.day(record["trial_end"]).text
    if record["cancel_at"]:
        yield "Ends", told.day(record["cancel_at"]).text
    elif end and record["cancel_at_period_end"]:
        yield "Ends", told.day(end).text
    elif end and status != "paused":
        yield "Renews", told.day(end).text


def method_text(record: Json, told: Reader) -> str:
    """A way to pay: brand, last four, expiry."""
    if not record["last4"]:
        return words.sentence(plain(record["type"]))
    month, year = record["exp_month"], record["exp_year"]
    if not (month and year):
        return card(record)
    today = told.now.date()
    gone = (year, month) < (today.year, today.month)
    return f"{card(record)} {'expired' if gone else 'expires'} {month:02d}/{year % 100:02d}"
