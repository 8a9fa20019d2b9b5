"""Stored deliveries once more: the dry run says what the real one then does, and calls nobody."""

from __future__ import annotations

import sqlalchemy as sa

from app.inbox import replay
from app.inbox.models import delivery_key
from app.inbox.replay import Which
from app.outbox.models import outbox
from app.tickets import store as tickets
from app.triggers import service
from tests.flows.test_event_to_tag import load, somebody

LATER = """
rules:
- {id: greeted, title: Greeted, order: 1, when: ["ticket.created"],
   all: [{fact: ticket.status, one_of: [new, open]}],
   actions: [{add_tags: {tags: [db_greeted]}}, {add_note: {body: "Hello."}}]}
"""


def calls(vendors):
    return sum(vendors.get(f"ledger/{v}")["calls"] for v in ("zendesk", "stripe"))


def rows(product, table, *columns):
    with product.runtime.database.begin() as cx:
        return cx.execute(sa.select(*columns).select_from(table).order_by(columns[0])).all()


def test_the_dry_run_changes_nothing_and_the_real_one_does_what_it_said(product, vendors):
    load(product, "rules: []")
    person, _ = somebody(vendors, status="active", pause_collection=None)
    made = [vendors.act("zendesk", "create_ticket", person, f"Hi {n}", "A question.")["id"] for n in range(3)]
    product.settle()
    own = product.runtime
    with own.database.begin() as cx:
        service.import_yaml(cx, LATER, "test")
    first, last = (f(id_ for (id_,) in rows(product, delivery_key, delivery_key.c.id)) for f in (min, max))
    which = Which(first=first, last=last, connection_id="desk")
    before = calls(vendors), rows(product, delivery_key, delivery_key.c.id, delivery_key.c.state)
    seen = replay.preview(own.database, which, own.clients.vendor_of, own.known_own_user, own.settings)
    assert before == (calls(vendors), rows(product, delivery_key, delivery_key.c.id, delivery_key.c.state))
    assert rows(product, outbox, outbox.c.id) == []
    assert {ticket for _, ticket in seen.changes} == {str(i) for i in made}
    with own.database.begin() as cx:
        assert replay.start(cx, which) == len(seen.verdicts)
    product.settle()
    sent = rows(product, outbox, outbox.c.ticket_id, outbox.c.change, outbox.c.state)
    assert {ticket: change for ticket, change, _ in sent} == {t: c for (_, t), c in seen.changes.items()}
    assert {state for *_, state in sent} == {"done"}
    for ticket in made:
        assert "db_greeted" in vendors.ticket(ticket)["tags"]
    with own.database.begin() as cx:
        replay.start(cx, which)
    product.settle()
    notes = [c for t in made for c in vendors.get(f"state/zendesk/{t}")["comments"] if "Hello." in c["body"]]
    assert len(notes) == 3, "a note is written once, however often its event is replayed"


def test_an_old_event_replayed_does_not_bring_the_old_state_back(product, vendors):
    load(product, "rules: []")
    person, _ = somebody(vendors, status="active", pause_collection=None)
    ticket = vendors.act("zendesk", "create_ticket", person, "Hi", "A question.")["id"]
    product.settle()
    (first,) = rows(product, delivery_key, delivery_key.c.id)[0]
    vendors.act("zendesk", "change", ticket, 500, {"priority": "urgent"})
    product.settle()
    with product.runtime.database.begin() as cx:
        replay.start(cx, Which(ids=(first,)))
    product.settle()
    with product.runtime.database.begin() as cx:
        assert tickets.read(cx, "desk", [str(ticket)])[str(ticket)].values["priority"] == "urgent"
