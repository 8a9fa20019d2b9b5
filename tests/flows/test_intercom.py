"""From a signed Intercom delivery to a tag on the conversation, through the real door, inbox and outbox."""

from __future__ import annotations

import time

import pytest
import sqlalchemy as sa

from app import identity
from app.billing.backfill import backfill
from app.history.models import judgement
from app.inbox import facts
from app.inbox.models import delivery_key
from app.outbox.models import outbox
from app.tickets import store as tickets
from app.triggers import service
from integrations import registry

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
TAG, UNTAG = "POST /conversations/<conversation_id>/tags", "DELETE /conversations/<conversation_id>/tags/<tag_id>"
NOTE, READ = "POST /conversations/<conversation_id>/reply", "GET /conversations/<conversation_id>"
SET_UP = {"GET /me", "GET /tags", "POST /tags"}  # once a process, or once a new tag


class Intercom:
    """The simulated workspace, connected to the product."""

    def __init__(self, product, vendors):
        self.product, self.vendors = product, vendors

    def connect(self):
        """As an admin does: the address into the Developer Hub, the client secret into the connection."""
        secret = self.act("subscribe", f"{self.product.url}/webhooks/intercom/inbox")
        self.product.runtime.connections.add(
            registry.by_slug("intercom"), "Inbox", {"region": "us", "limits": "off"},
            {"access_token": ["sandbox-intercom-token-not-safe"], "webhook_secret": [secret]},
            connection_id="inbox", base_url=f"http://127.0.0.1:{self.vendors.first + 30}",
        )  # fmt: skip

    def act(self, do, *args, **kwargs):
        return self.vendors.act("intercom", do, *args, **kwargs)

    def tags(self, conversation):
        return {tag["name"] for tag in self.act("show", conversation)["tags"]["tags"]}

    def notes(self, conversation):
        parts = self.act("show", conversation)["conversation_parts"]["conversation_parts"]
        return [part["body"] for part in parts if part["part_type"] == "note"]

    def next_second(self):
        """Intercom tells times in whole seconds: what is told twice within one is read once more, rightly."""
        time.sleep(1.05 - time.time() % 1)

    def calls(self):
        """Calls by operation since they were forgotten, without what is asked once."""
        operations = self.vendors.get("ledger/intercom")["operations"]
        return {name: n for name, n in operations.items() if name not in SET_UP}

    def forget_calls(self):
        self.vendors.post("control/intercom/reset")

    def settle(self, seconds=30):
        """Until nothing is on its way, at Intercom too."""
        until = time.monotonic() + seconds
        while True:
            while self.vendors.get("ledger/intercom")["pending"]:
                assert time.monotonic() < until, "deliveries do not arrive"
                time.sleep(0.02)
            self.product.settle(seconds)
            if not self.vendors.get("ledger/intercom")["pending"]:
                return

    def somebody(self, **wanted):
        """(contact, payer): the address is the same, the subscription fits."""
        for customer in self.vendors.customer_of(**wanted):
            contact = self.act("find_contact", customer["email"])
            if contact:
                return contact["id"], customer["id"]
        raise AssertionError("the world holds nobody like that")


@pytest.fixture
def intercom(product, vendors):
    own, made = product.runtime, Intercom(product, vendors)
    made.connect()
    with own.database.begin() as cx:
        service.import_yaml(cx, RULES, "test")
    settings = facts.ladder(own.settings)
    backfill(
        own.database, "bank", own.clients.billing("bank"), seats_used_key="seats_used", progress=lambda *_: None,
        index=lambda cx, cid, records: identity.index_payers(cx, cid, records, settings=settings),
    )  # fmt: skip
    return made


def disputed(intercom):
    """A contact whose charge is disputed."""
    contact, customer = intercom.somebody(status="active", pause_collection=None)
    charges = intercom.vendors.get("state/stripe/charges")["objects"]
    charge = next(c for c in charges if c["customer"] == customer and c["status"] == "succeeded")
    intercom.vendors.act("stripe", "open_dispute", charge["id"])
    return contact


def warm(intercom):
    """As in a process that has written before: our admin and the tags are known."""
    contact = disputed(intercom)
    intercom.act("create_conversation", contact, "The first")
    past_due, _ = intercom.somebody(status="past_due")
    intercom.act("create_conversation", past_due, "The second")
    intercom.settle()
    intercom.forget_calls()
    return contact, past_due


def test_a_conversation_of_somebody_past_due_is_tagged_by_one_call(intercom, product):
    _, past_due = warm(intercom)
    made = intercom.act("create_conversation", past_due, "Why was I charged?")["id"]
    intercom.next_second()
    intercom.settle()
    assert intercom.tags(made) == {"db_status_past_due"}
    assert intercom.calls() == {TAG: 1}, "no read: the delivery carried everything"
    with product.runtime.database.begin() as cx:
        held = tickets.read(cx, "inbox", [made])[made]
        fired = cx.execute(sa.select(judgement.c.fired).where(judgement.c.ticket_id == made)).scalars().all()
    assert held.complete
    assert held.values["description"] == "Why was I charged?"
    assert any("past_due" in str(one) for one in fired)


def test_each_tag_and_each_note_is_one_call_and_nothing_else(intercom):
    contact, _ = warm(intercom)
    made = intercom.act("create_conversation", contact, "My bank asks")["id"]
    intercom.next_second()
    intercom.settle()
    assert intercom.tags(made) == {"db_dispute_open"}
    assert len(intercom.notes(made)) == 1
    assert "Dispute over" in intercom.notes(made)[0]
    assert intercom.calls() == {TAG: 1, NOTE: 1}


def test_what_changes_nothing_costs_nothing_and_our_own_events_run_no_rules(intercom, product):
    contact, _ = warm(intercom)
    made = intercom.act("create_conversation", contact, "My bank asks")["id"]
    intercom.next_second()
    intercom.settle()
    intercom.forget_calls()
    for n in range(3):
        intercom.act("reply", made, f"And {n}?")
        intercom.act("note", made, "501", "Looking")
        intercom.next_second()
        intercom.settle()
    assert intercom.calls() == {}
    assert len(intercom.notes(made)) == 1 + 3
    with product.runtime.database.begin() as cx:
        of = sa.select(delivery_key.c.kind).where(
            delivery_key.c.connection_id == "inbox", delivery_key.c.state == "own"
        )
        assert {"conversation_part.tag.created", "conversation.admin.noted"} <= set(cx.execute(of).scalars())


def test_a_fact_that_changes_later_changes_the_tag_and_foreign_tags_stay(intercom, vendors):
    warm(intercom)
    contact, customer = intercom.somebody(status="active", pause_collection=None)
    made = intercom.act("create_conversation", contact, "A question")["id"]
    intercom.act("tag", made, "501", "VIP")
    intercom.settle()
    vendors.act("stripe", "fail_payment", customer)
    intercom.settle()
    assert intercom.tags(made) >= {"db_status_past_due", "VIP"}
    intercom.forget_calls()
    vendors.act("stripe", "pay_open_invoices", customer)
    intercom.settle()
    assert "db_status_past_due" not in intercom.tags(made)
    assert "VIP" in intercom.tags(made)
    assert intercom.calls() == {UNTAG: 2}, "one for each of their two conversations"


def test_of_a_conversation_that_an_admin_began_only_the_unknown_contact_is_read_once(intercom):
    contact = disputed(intercom)
    intercom.act("create_conversation", contact, "The first")
    past_due, _ = intercom.somebody(status="past_due")
    intercom.settle()
    made = intercom.act("start_conversation", "501", past_due, "Your invoice is open")["id"]
    intercom.settle()
    assert intercom.tags(made) == {"db_status_past_due"}
    assert intercom.calls()["GET /contacts/<contact_id>"] == 1
    assert READ not in intercom.calls(), "the delivery told the conversation whole"
    intercom.forget_calls()
    again = intercom.act("start_conversation", "501", past_due, "It is still open")["id"]
    intercom.settle()
    assert intercom.tags(again) == {"db_status_past_due"}
    assert intercom.calls() == {TAG: 1}


@pytest.mark.parametrize("kind", ["cut_after", "cut_before", "status"])
def test_a_note_whose_answer_is_lost_is_written_once(intercom, kind):
    contact = disputed(intercom)
    rule = {"method": "POST", "path": "reply", "kind": kind, "times": 1, "status": 500}
    intercom.vendors.post("control/intercom/faults", [rule])
    made = intercom.act("create_conversation", contact, "My bank asks")["id"]
    intercom.settle(60)
    assert intercom.tags(made) == {"db_dispute_open"}
    assert len(intercom.notes(made)) == 1


def test_copies_and_disorder_end_as_the_clean_day_does(intercom, product):
    contact, past_due = warm(intercom)
    intercom.vendors.post("control/intercom/mishaps", {"duplicate": 0.5, "reorder": 0.5, "lose": 0.0, "delay_s": 1.0})
    made = [intercom.act("create_conversation", who, "Hello")["id"] for who in (contact, past_due) * 4]
    for n, one in enumerate(made):
        intercom.act("reply", one, f"And {n}?")
        intercom.act("close" if n % 2 else "snooze", one, "501")
    intercom.settle(60)
    wanted = [{"db_dispute_open"}, {"db_status_past_due"}] * 4
    assert [intercom.tags(one) for one in made] == wanted
    assert [len(intercom.notes(one)) for one in made] == [1, 0] * 4
    states = {one: intercom.act("show", one)["state"] for one in made}
    with product.runtime.database.begin() as cx:
        held = tickets.read(cx, "inbox", made)
        copies = cx.execute(sa.select(sa.func.sum(delivery_key.c.copies - 1))).scalar_one()
    assert {one: {"solved": "closed", "hold": "snoozed"}[held[one].status] for one in made} == states
    assert copies > 0


def test_what_intercom_cannot_write_is_a_dead_letter_with_the_reason(intercom, product):
    from app.outbox import Plan, enqueue
    from app.outbox.wanted import Wanted

    contact, _ = warm(intercom)
    made = intercom.act("create_conversation", contact, "Hello")["id"]
    intercom.settle()
    with product.runtime.database.begin() as cx:
        enqueue(cx, "inbox", [Plan(made, Wanted(fields={"priority": "high"}), {})], gather_s=0)
    intercom.settle()
    with product.runtime.database.begin() as cx:
        row = cx.execute(sa.select(outbox).where(outbox.c.ticket_id == made, outbox.c.state == "dead")).one()
    assert "cannot write the priority" in row.reason


def test_a_deleted_conversation_is_gone_and_a_ping_is_nothing(intercom, product):
    contact, _ = warm(intercom)
    made = intercom.act("create_conversation", contact, "Hello")["id"]
    intercom.settle()
    intercom.act("delete", made)
    intercom.settle()
    with product.runtime.database.begin() as cx:
        assert tickets.read(cx, "inbox", [made])[made].gone


def test_the_address_answers_the_developer_hub_and_refuses_what_is_not_signed(intercom, product, vendors):
    url = f"{product.url}/webhooks/intercom/inbox"
    assert vendors.http.head(url, timeout=10).status_code == 200
    answer = vendors.http.post(
        url, json={"type": "notification_event"}, headers={"X-Hub-Signature": "sha1=" + "0" * 40}, timeout=10
    )
    assert answer.status_code == 401
