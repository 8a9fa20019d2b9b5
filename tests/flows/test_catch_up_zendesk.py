"""What Zendesk gave up delivering is fetched from its export; people's events and the staff are followed."""

from __future__ import annotations

import pytest

from app import agents, billing
from app.customers import store as customers
from app.inbox import catch_up, gaps
from app.tickets import store as tickets
from app.triggers.explain import explain_ticket, render_text
from integrations.kernel.clock import utc_now
from tests.flows.test_event_to_tag import load, somebody

RULES = """
rules:
- {id: past_due, title: Overdue, order: 1, when: ["ticket.created"],
   all: [{fact: billing.status, is: past_due}], actions: [{add_tags: {tags: [db_status_past_due]}}]}
- {id: raised, title: Raised, order: 2, when: ["ticket.priority_changed"],
   all: [{fact: ticket.priority, is: urgent}], actions: [{add_tags: {tags: [db_urgent]}}]}
- {id: jumped, title: Jumped, order: 3, when: ["ticket.priority_changed"],
   all: [{fact: ticket.priority, changed_from: low}], actions: [{add_tags: {tags: [db_jumped]}}]}
"""


@pytest.fixture
def desk(product, vendors):
    """Rules loaded, the export known up to now, and nothing delivered from here on."""
    load(product, RULES)
    fetch(product)
    vendors.post("control/zendesk/mishaps", {"lose": 1.0})
    return vendors


def fetch(product, grace_s=0.0):
    own = product.runtime
    settings = own.settings.model_copy(update={"catchup_grace_s": grace_s})
    found = catch_up.catch_up(own.database, "desk", own.clients.helpdesk("desk"), settings)
    product.settle()
    return found


def listed(product):
    with product.runtime.database.begin() as cx:
        return {(g.subject, g.what, g.verdict) for g in gaps.listing(cx, 100)}


def test_a_lost_ticket_is_fetched_judged_as_created_and_what_is_lost_is_named(product, desk):
    person, _ = somebody(desk, status="past_due")
    ticket = desk.act("zendesk", "create_ticket", person, "Hello", "A question.")["id"]
    product.settle()
    assert fetch(product, grace_s=3600).missing == 0, "what is young may still be on its way"
    assert fetch(product).missing == 1
    assert "db_status_past_due" in desk.ticket(ticket)["tags"]
    subject = f"ticket:{ticket}"
    assert (subject, "ticket.created", "fetched") in listed(product)
    assert any(s == subject and verdict == "lost" and "comment" in what for s, what, verdict in listed(product))
    assert fetch(product).missing == 0, "our own write, of which we were not told, is no gap"


def test_a_change_is_judged_by_what_differs_and_the_value_before_is_not_known(product, desk):
    person, _ = somebody(desk, status="active", pause_collection=None)
    ticket = desk.act("zendesk", "create_ticket", person, "Hello", "A question.", priority="low")["id"]
    fetch(product)
    desk.act("zendesk", "change", ticket, 500, {"priority": "urgent"})
    assert fetch(product).missing == 1
    assert {"db_urgent"} == {tag for tag in desk.ticket(ticket)["tags"] if tag.startswith("db_")}
    with product.runtime.database.begin() as cx:
        text = render_text(explain_ticket(cx, "desk", str(ticket), derive=billing.relative_facts, limit=9))
    assert "FIRED raised" in text
    assert "because a fact it needs was not known" in text


def test_a_lost_deletion_is_found(product, desk):
    person, _ = somebody(desk, status="active", pause_collection=None)
    ticket = desk.act("zendesk", "create_ticket", person, "Hello", "A question.")["id"]
    fetch(product)
    desk.act("zendesk", "soft_delete", ticket)
    assert fetch(product).missing == 1
    with product.runtime.database.begin() as cx:
        assert tickets.read(cx, "desk", [str(ticket)])[str(ticket)].gone
    assert (f"ticket:{ticket}", "ticket.deleted", "fetched") in listed(product)
    assert fetch(product).missing == 0


def test_the_staff_is_mirrored_and_follows_a_change_of_role(product, vendors):
    own = product.runtime
    count = agents.sync(own.database, "desk", own.clients.helpdesk("desk"))
    staff = [u for u in vendors.get("state/staff")["people"]]
    assert count == len(staff)
    with own.database.begin() as cx:
        found = agents.find(cx, "desk", [str(u["id"]) for u in staff])
    assert {str(u["id"]): u["role"] for u in staff} == {i: one.role for i, one in found.items()}
    assert all(one.active and one.read_at <= utc_now() for one in found.values())


def test_a_person_whose_address_is_verified_later_is_matched_from_then_on(product, vendors):
    load(product, RULES.replace('["ticket.created"]', '["*"]'))
    people = {u["email"].lower(): u for u in vendors.get("state/people")["people"] if not u["verified"]}
    customer = next(c for c in vendors.customer_of(status="past_due") if c["email"].lower() in people)
    person = people[customer["email"].lower()]
    ticket = vendors.act("zendesk", "create_ticket", person["id"], "Hello", "A question.")["id"]
    product.settle()
    with product.runtime.database.begin() as cx:
        before = customers.people(cx, "desk", [str(person["id"])])[str(person["id"])]
    assert [a.verified for a in before.addresses] == [False]
    vendors.act("zendesk", "verify_identity", person["id"], person["email"])
    product.settle()
    with product.runtime.database.begin() as cx:
        after = customers.people(cx, "desk", [str(person["id"])])[str(person["id"])]
        text = render_text(explain_ticket(cx, "desk", str(ticket), derive=billing.relative_facts, limit=9))
    assert [a.verified for a in after.addresses if a.folded == before.addresses[0].folded] == [True]
    assert "person.identities_changed" in text
