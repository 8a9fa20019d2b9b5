"""The same day twice, at two desks: once clean, once with deliveries duplicated, reordered and late. Both end alike."""

from __future__ import annotations

import sqlalchemy as sa

from app import identity
from app.billing.backfill import backfill
from app.inbox import facts
from app.inbox.models import delivery_key
from app.triggers import service

RULES = """
rules:
- {id: past_due, title: Overdue, order: 1, when: ["*"], also_solved: true,
   all: [{fact: billing.status, is: past_due}], actions: [{add_tags: {tags: [db_status_past_due]}}]}
- {id: paid, title: Not overdue, order: 2, when: ["*"], also_solved: true,
   all: [{fact: billing.status, is_not: past_due}], actions: [{remove_tags: {tags: [db_status_past_due]}}]}
- {id: dispute, title: Dispute, order: 3, when: ["*"], also_solved: true,
   all: [{fact: billing.open_dispute, is: true}],
   actions: [{add_tags: {tags: [db_dispute_open]}}, {add_note: {body: "A dispute is open."}}]}
- {id: no_dispute, title: No dispute, order: 4, when: ["*"], also_solved: true,
   all: [{fact: billing.open_dispute, is: false}], actions: [{remove_tags: {tags: [db_dispute_open]}}]}
- {id: many_seats, title: Many seats, order: 5, when: ["*"], also_solved: true,
   all: [{fact: billing.seats, at_least: 40}], actions: [{add_tags: {tags: [db_seats_many]}}]}
- {id: few_seats, title: Few seats, order: 6, when: ["*"], also_solved: true,
   all: [{fact: billing.seats, at_most: 39}], actions: [{remove_tags: {tags: [db_seats_many]}}]}
- {id: urgent, title: Urgent, order: 7, when: ["*"], also_solved: true,
   all: [{fact: ticket.priority, is: urgent}], actions: [{add_tags: {tags: [db_urgent]}}]}
- {id: calm, title: Calm, order: 8, when: ["*"], also_solved: true,
   all: [{fact: ticket.priority, is_not: urgent}], actions: [{remove_tags: {tags: [db_urgent]}}]}
- {id: seen, title: Its state in a field, order: 9, when: ["*"], also_solved: true,
   all: [{fact: ticket.status, is_present: true}],
   actions: [{set_custom_field: {field_id: "360001", value: "{{ticket.status}} {{billing.status}}"}}]}
"""
MISHAPS = {"duplicate": 0.3, "reorder": 0.7, "lose": 0.0, "delay_s": 3.0}


def set_up(product):
    own = product.runtime
    with own.database.begin() as cx:
        service.import_yaml(cx, RULES, "test")
    settings = facts.ladder(own.settings)
    backfill(
        own.database, "bank", own.clients.billing("bank"), seats_used_key="seats_used", progress=lambda *_: None,
        index=lambda cx, cid, records: identity.index_payers(cx, cid, records, settings=settings),
    )  # fmt: skip


def a_day(product, seed, mishaps):
    """Ticket -> (tags, priority, status, our field, our notes), of every ticket that can still be written."""
    vendors = product.vendors
    set_up(product)
    for vendor in ("zendesk", "stripe"):
        vendors.post(f"control/{vendor}/mishaps", mishaps)
    vendors.post("control/day", {"seed": seed, "tickets": 60, "acts": 300, "seconds": 6})
    while vendors.get("control/day")["running"]:
        product.worker.drain_inbox()
        product.worker.drain_outbox()
    assert vendors.get("control/day")["error"] == ""
    product.settle(120)
    return {t["id"]: _end(vendors, t) for t in vendors.get("state/zendesk")["tickets"] if t["status"] != "closed"}


def _end(vendors, ticket):
    notes = [c for c in vendors.get(f"state/zendesk/{ticket['id']}")["comments"] if "deskbridge-ref:" in c["body"]]
    field = next(f["value"] for f in ticket["custom_fields"] if f["id"] == 360001)
    return ticket["tags"], ticket["priority"], ticket["status"], field, len(notes)


def copies(product):
    with product.runtime.database.begin() as cx:
        return cx.execute(sa.select(sa.func.sum(delivery_key.c.copies - 1))).scalar_one()


def test_a_day_of_mishaps_ends_as_the_clean_day_does(installation):
    with installation() as product:
        clean = a_day(product, 4, {})
    with installation() as product:
        rough = a_day(product, 4, MISHAPS)
        assert copies(product) > 20
    assert rough.keys() == clean.keys()
    assert {i: end[:4] for i, end in rough.items()} == {i: end[:4] for i, end in clean.items()}
    for ticket_id, (tags, *_, notes) in [*clean.items(), *rough.items()]:  # a note stays when its dispute is over
        assert notes == 1 if "db_dispute_open" in tags else notes <= 1, ticket_id
    own = [tag for tags, *_ in clean.values() for tag in tags if tag.startswith("db_")]
    assert len(set(own)) >= 3, "a day without tags of ours proves nothing"
