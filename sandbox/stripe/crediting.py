"""POST /v1/credit_notes on a paid invoice: lines, and refunds that were made already.

Source: vendor sheet 3.5. Only what links a refund is taken; `refund_amount`, which would make one, is not simulated.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.stripe import objects as make
from sandbox.stripe import params
from sandbox.stripe.errors import Denied, Invalid
from sandbox.stripe.objects import Object
from sandbox.stripe.state import State

TAKES = ("invoice", "lines", "refunds", "email_type", "memo", "reason", "metadata", "expand")
LINE = ("type", "invoice_line_item", "amount")
LINK = ("refund", "amount_refunded")


def create(state: State, asked: Mapping[str, Any]) -> Object:
    """One credit note. Raises Invalid for its parameters, Denied when the sums do not agree."""
    params.known(asked, TAKES)
    params.choice(asked, "email_type", ("credit_note", "none"))
    invoice = state.get("invoices", params.text(asked, "invoice") or "")
    lines = [_line(invoice, row) for row in _rows(asked, "lines", LINE)]
    links = [_link(state, row) for row in _rows(asked, "refunds", LINK)]
    total = sum(amount for _, amount in lines)
    if invoice["status"] != "paid":
        raise Denied("invoice_not_editable", "Only a paid invoice is credited here.")
    if total > invoice["total"] - invoice["post_payment_credit_notes_amount"]:
        raise Denied("amount_too_large", "The credit note is larger than what is left of the invoice.", param="lines")
    if sum(link["amount_refunded"] for link in links) != total:
        raise Denied("", "The sum of refunds must equal the credit note's post payment amount.", param="refunds")
    note_id = state.new_id("cn")
    rows = [make.credit_note_line(state.new_id("cnli"), line, amount) for line, amount in lines]
    found = make.credit_note(note_id, invoice, total, state.now(), "post_payment", rows)
    found |= {"refunds": links, "metadata": params.table(asked, "metadata")}
    with state.changing(invoice, "invoice.updated"):
        invoice["post_payment_credit_notes_amount"] += total
    state.put("credit_notes", found)
    state.emit("credit_note.created", found)
    return found


def _rows(asked: Mapping[str, Any], name: str, takes: tuple[str, ...]) -> list[dict[str, Any]]:
    rows = asked.get(name) or []
    if not isinstance(rows, list) or not rows or not all(isinstance(row, dict) for row in rows):
        raise Invalid("parameter_missing", f"Missing required param: {name}.", 400, name)
    for row in rows:
        params.known(row, takes)
    return rows


def _line(invoice: Object, row: Mapping[str, Any]) -> tuple[Object, int]:
    params.choice(row, "type", ("invoice_line_item",))
    line = next((one for one in invoice["lines"]["data"] if one["id"] == row.get("invoice_line_item")), None)
    amount = params.whole(row, "amount", 1)
    if line is None or amount is None or amount > line["amount"]:
        raise Invalid("parameter_invalid", "No such line, or its amount is larger than the line.", 400, "lines")
    return line, amount


def _link(state: State, row: Mapping[str, Any]) -> Object:
    refund = state.get("refunds", params.text(row, "refund") or "")
    amount = params.whole(row, "amount_refunded", 1)
    if amount is None or amount > refund["amount"]:
        raise Invalid("parameter_invalid", "More is linked than was refunded.", 400, "refunds")
    return {"amount_refunded": amount, "refund": refund["id"], "type": "refund"}
