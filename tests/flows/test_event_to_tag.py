"""From a signed webhook to a tag at the desk, over real HTTP, with the vendors misbehaving as vendors do."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from app import billing, identity
from app.billing.backfill import backfill
from app.inbox import facts
from app.inbox.models import delivery_key
from app.outbox import Plan, enqueue
from app.outbox.models import outbox
from app.outbox.wanted import Wanted
from app.triggers import service
from app.triggers.explain import explain_ticket, render_text

RULES = """
rules:
- {id: past_due, title: Overdue, order: 1, when: ["*"], also_solved: true,
   all: [{fact: billing.status, is: past_due}], actions: [{add_tags: {tags: [db_status_past_due]}}]}
- {id: paid, title: Not overdue, order: 2, when: ["*"], also_solved: true,
   all: [{fact: billing.status, is_not: past_due}], actions: [{remove_tags: {tags: [db_status_past_due]}}]}
- {id: dispute, title: Dispute, order: 3, when: ["*"], also_solved: true,
   all: [{fact: billing.open_dispute, is: true}],
   actions: [{add_tags: {tags: [db_dispute_open]}}, {add_note: {body: "Dispute over {{billing.dispute_amount}}."}}]}
"""


def load(product, rules=RULES):
    own = product.runtime
    with own.database.begin() as cx:
        service.import_yaml(cx, rules, "test")
    settings = facts.ladder(own.settings)
    backfill(
        own.database, "bank", own.clients.billing("bank"), seats_used_key="seats_used", progress=lambda *_: None,
        index=lambda cx, cid, records: identity.index_payers(cx, cid, records, settings=settings),
    )  # fmt: skip


def somebody(vendors, **wanted):
    """(person at the desk, their Stripe customer): the address is the same, the subscription fits."""
    people = {u["email"].lower(): u["id"] for u in vendors.get("state/people")["people"] if u["verified"]}
    for customer in vendors.customer_of(**wanted):
        if customer["email"].lower() in people:
            return people[customer["email"].lower()], customer["id"]
    raise AssertionError("the world holds nobody like that")


def states(product):
    with product.runtime.database.begin() as cx:
        query = sa.select(delivery_key.c.state, sa.func.count()).group_by(delivery_key.c.state)
        return dict(cx.execute(query).all())


def test_a_ticket_of_somebody_past_due_is_tagged_and_the_reason_is_told(product, vendors):
    load(product)
    person, _ = somebody(vendors, status="past_due")
    ticket = vendors.act("zendesk", "create_ticket", person, "Why was I charged?", "Please explain.")["id"]
    product.settle()
    assert "db_status_past_due" in vendors.ticket(ticket)["tags"]
    with product.runtime.database.begin() as cx:
        text = render_text(explain_ticket(cx, "desk", str(ticket), derive=billing.relative_facts, limit=5))
    assert "FIRED past_due" in text
    assert 'billing.status is "past_due"; it was "past_due"' in text


def test_a_fact_that_changes_later_changes_the_tag_of_the_open_ticket(product, vendors):
    load(product)
    person, customer = somebody(vendors, status="active", pause_collection=None)
    ticket = vendors.act("zendesk", "create_ticket", person, "Hello", "A question.")["id"]
    product.settle()
    assert "db_status_past_due" not in vendors.ticket(ticket)["tags"]
    vendors.act("stripe", "fail_payment", customer)
    product.settle()
    assert "db_status_past_due" in vendors.ticket(ticket)["tags"]
    vendors.act("stripe", "pay_open_invoices", customer)
    product.settle()
    assert "db_status_past_due" not in vendors.ticket(ticket)["tags"]


def test_a_note_is_written_once_however_often_the_ticket_changes(product, vendors):
    load(product)
    person, customer = somebody(vendors, status="active", pause_collection=None)
    charge = next(
        c
        for c in vendors.get("state/stripe/charges")["objects"]
        if c["customer"] == customer and c["status"] == "succeeded"
    )
    vendors.act("stripe", "open_dispute", charge["id"])
    ticket = vendors.act("zendesk", "create_ticket", person, "Hello", "A question.")["id"]
    product.settle()
    for n in range(4):
        vendors.act("zendesk", "comment", ticket, person, f"And {n}?")
        product.settle()
    notes = [c for c in vendors.get(f"state/zendesk/{ticket}")["comments"] if not c["public"]]
    assert len(notes) == 1
    assert "Dispute over" in notes[0]["body"]
    assert "db_dispute_open" in vendors.ticket(ticket)["tags"]


def test_our_own_write_runs_no_rule_and_an_unchanged_ticket_gets_no_write(product, vendors):
    load(product)
    person, _ = somebody(vendors, status="past_due")
    ticket = vendors.act("zendesk", "create_ticket", person, "Hello", "A question.")["id"]
    product.settle()
    assert states(product).get("own", 0) >= 1
    vendors.post("control/zendesk/reset")
    vendors.act("zendesk", "comment", ticket, person, "Any news?")
    product.settle()
    calls = vendors.get("ledger/zendesk")["operations"]
    assert not [name for name in calls if name.startswith(("PUT", "DELETE", "POST"))]


def test_foreign_tags_survive_even_one_added_in_the_moment_of_our_write(product, vendors):
    load(product)
    person, _ = somebody(vendors, status="past_due")
    vendors.post("control/zendesk/intrude", {"tags": ["vip"]})
    ticket = vendors.act("zendesk", "create_ticket", person, "Hello", "A question.")["id"]
    vendors.act("zendesk", "change", ticket, 500, {"additional_tags": ["beta"]})
    product.settle()
    assert set(vendors.ticket(ticket)["tags"]) == {"beta", "vip", "db_status_past_due"}


def test_an_add_in_flight_and_then_a_remove_wanted_ends_removed(product, vendors):
    load(product, "rules: []")
    person, _ = somebody(vendors, status="active")
    ticket = vendors.act("zendesk", "create_ticket", person, "Hello", "A question.")["id"]
    other = vendors.act("zendesk", "create_ticket", person, "Hello", "Another.")["id"]
    product.settle()
    own, vendor = product.runtime, product.worker._relay
    plans = [Plan(str(t), Wanted(tags={"db_x": True}), {"tags": []}) for t in (ticket, other)]
    with own.database.begin() as cx:
        assert enqueue(cx, "desk", plans, gather_s=0) == {str(ticket), str(other)}
    vendor._send_due()  # accepted by a job: on its way, the mirror does not know it yet
    with own.database.begin() as cx:
        assert set(cx.execute(sa.select(outbox.c.state)).scalars()) == {"accepted"}
        enqueue(cx, "desk", [Plan(str(ticket), Wanted(tags={"db_x": False}), {"tags": []})], gather_s=0)
    product.settle()
    assert "db_x" not in vendors.ticket(ticket)["tags"]
    assert "db_x" in vendors.ticket(other)["tags"]


@pytest.mark.parametrize("kind", ["cut_after", "cut_before", "status"])
def test_a_write_whose_answer_is_lost_is_applied_once(product, vendors, kind):
    load(product)
    person, customer = somebody(vendors, status="active", pause_collection=None)
    charge = next(
        c
        for c in vendors.get("state/stripe/charges")["objects"]
        if c["customer"] == customer and c["status"] == "succeeded"
    )
    vendors.act("stripe", "open_dispute", charge["id"])
    rule = {"method": "PUT", "path": "tickets", "kind": kind, "times": 1, "status": 500}
    vendors.post("control/zendesk/faults", [rule])
    ticket = vendors.act("zendesk", "create_ticket", person, "Hello", "A question.")["id"]
    product.settle(60)
    found = vendors.get(f"state/zendesk/{ticket}")
    assert "db_dispute_open" in found["ticket"]["tags"]
    assert len([c for c in found["comments"] if not c["public"]]) == 1


def test_a_closed_ticket_is_a_dead_letter_with_the_reason_and_others_are_written(product, vendors):
    load(product, "rules: []")
    person, _ = somebody(vendors, status="active")
    good, shut = (vendors.act("zendesk", "create_ticket", person, "Hello", "A question.")["id"] for _ in range(2))
    product.settle()
    vendors.act("zendesk", "change", shut, 500, {"status": "closed"})
    plans = [Plan(str(t), Wanted(tags={"db_x": True}), {"tags": []}) for t in (good, shut)]
    with product.runtime.database.begin() as cx:
        enqueue(cx, "desk", plans, gather_s=0)
    product.worker.drain_outbox()
    with product.runtime.database.begin() as cx:
        rows = {row.ticket_id: row for row in cx.execute(sa.select(outbox))}
    assert rows[str(good)].state == "done"
    assert rows[str(shut)].state == "dead"
    assert "closed" in rows[str(shut)].reason


def test_a_poison_event_is_set_aside_at_once_and_blocks_nobody(product, vendors):
    load(product)
    person, _ = somebody(vendors, status="past_due")
    with product.runtime.database.begin() as cx:
        from app.inbox.store import add_internal

        add_internal(
            cx,
            [
                (
                    "desk",
                    "poison",
                    "zen:event-type:ticket.created",
                    "ticket:1",
                    b'{"type": "x", "subject": 1, "zendesk_event_version": "2022-11-06"}',
                )
            ],
        )
        add_internal(cx, [("desk", "poison2", "zen:event-type:ticket.created", "ticket:2", b"{not json")])
    ticket = vendors.act("zendesk", "create_ticket", person, "Hello", "A question.")["id"]
    product.settle()
    assert "db_status_past_due" in vendors.ticket(ticket)["tags"]
    found = states(product)
    assert found["quarantined"] == 1
    assert found["ignored"] >= 1
