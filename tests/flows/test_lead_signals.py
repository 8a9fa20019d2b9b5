"""From Stripe's and the desk's webhooks to signals and holds, over real HTTP, against the simulated vendors."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import sqlalchemy as sa

from app import holds, identity
from app.billing import refill
from app.billing.backfill import backfill
from app.billing.models import billing_object, billing_term
from app.holds.models import hold
from app.inbox import facts
from app.leads import scanning
from app.leads.models import lead_signal
from app.triggers import service
from integrations.kernel.clock import utc_now

RULES = Path(__file__).resolve().parents[2] / "examples" / "rules.yaml"


def load(product):
    """The starter rules, and everything of the bank."""
    own = product.runtime
    with own.database.begin() as cx:
        service.import_yaml(cx, RULES.read_text(encoding="utf-8"), "test")
    settings = facts.ladder(own.settings)
    backfill(
        own.database, "bank", own.clients.billing("bank"), seats_used_key="seats_used", progress=lambda *_: None,
        index=lambda cx, cid, records: identity.index_payers(cx, cid, records, settings=settings),
    )  # fmt: skip


def writer(vendors):
    """Somebody who writes from the address of a payer with one running subscription: (person, customer)."""
    people = {u["email"].lower(): u["id"] for u in vendors.get("state/people")["people"] if u["verified"]}
    for customer in vendors.customer_of(status="active", pause_collection=None):
        if customer["email"].lower() in people:
            return people[customer["email"].lower()], customer["id"]
    raise AssertionError("the world holds nobody like that")


def told(product, customer):
    """Signals of a payer that hold: name -> facts."""
    s = lead_signal.c
    with product.runtime.database.begin() as cx:
        query = sa.select(s.name, s.facts).where(s.subject == f"payer:bank:{customer}", s.ended_at.is_(None))
        return {row.name: row.facts for row in cx.execute(query)}


def waits(product, customer):
    """Why sales must leave a payer alone."""
    with product.runtime.database.begin() as cx:
        return [one.why for one in holds.open_for(cx, [("bank", customer)]).get(("bank", customer), ())]


def test_the_mirror_of_a_whole_world_has_a_term_for_each_running_subscription(product, vendors):
    load(product)
    running = {"active", "past_due", "trialing", "unpaid", "paused"}
    there = {s["id"] for s in vendors.get("state/stripe/subscriptions")["objects"] if s["status"] in running}
    with product.runtime.database.begin() as cx:
        terms = cx.execute(sa.select(billing_term)).all()
        live = set(cx.execute(sa.select(billing_object.c.id).where(billing_object.c.kind == "subscription")).scalars())
    assert {t.subscription_id for t in terms} == there & live
    assert sum(t.minor is not None and t.minor > 0 for t in terms) > len(terms) * 0.95
    counts = scanning.scan(product.runtime.database, utc_now())
    assert counts["seats_full"].found > 0
    assert sum(one.written for one in scanning.scan(product.runtime.database, utc_now()).values()) == 0


def test_the_periodic_work_finds_all_there_is_after_an_upgrade(product, vendors):
    load(product)
    with product.runtime.database.begin() as cx:
        cx.execute(sa.delete(billing_term))
        refill.ask(cx)  # as the migration does
    for task in ("billing.refill", "leads.scan", "holds.sweep"):
        product.worker._tasks[task].run()
    with product.runtime.database.begin() as cx:
        found = set(cx.execute(sa.select(lead_signal.c.name)).scalars())
        disputed = sa.select(sa.func.count()).select_from(hold).where(hold.c.source == "dispute")
        assert cx.execute(disputed.where(hold.c.released_at.is_(None))).scalar_one() > 0
    assert {"cancellation", "seats_full", "limit_hit"} <= found


def test_a_yearly_subscription_that_renews_soon_is_a_renewal_with_its_value(product, vendors):
    load(product)
    _, customer = writer(vendors)
    made = vendors.act("stripe", "subscribe_for_a_year", customer, 45, seats=20)
    product.settle()
    facts = told(product, customer)["renewal"]
    ends = utc_now().date() + timedelta(days=45)
    assert abs(date.fromisoformat(facts["on"]) - ends) <= timedelta(days=1)
    price = made["items"]["data"][0]["price"]["unit_amount"]
    assert (facts["step"], facts["months"], facts["seats"], facts["minor"]) == (60, 12, 20, price * 20)


def test_fewer_seats_are_a_full_plan_at_once_and_more_seats_end_it(product, vendors):
    load(product)
    _, customer = writer(vendors)
    used = next(
        int(s["metadata"]["seats_used"])
        for s in vendors.get("state/stripe/subscriptions")["objects"]
        if s["customer"] == customer
    )
    vendors.act("stripe", "change_seats", customer, used)
    product.settle()
    assert {"seats_full", "limit_hit"} <= set(told(product, customer))
    assert told(product, customer)["limit_hit"]["used"] == used
    vendors.act("stripe", "change_seats", customer, used * 3)
    product.settle()
    assert not {"seats_full", "limit_hit"} & set(told(product, customer))


def test_a_ticket_that_asks_for_a_quote_is_a_signal_with_its_lines_and_no_address(product, vendors):
    load(product)
    person, customer = writer(vendors)
    text = "Hello,\nwe would like a quote for 200 seats, please to boss@acme.example or +49 30 1234567.\nThanks"
    ticket = vendors.act("zendesk", "create_ticket", person, "More seats", text)["id"]
    product.settle()
    (quote,) = told(product, customer)["quote_words"]["quotes"]
    assert quote["text"] == "we would like a quote for 200 seats, please to [e-mail] or [number]."
    vendors.act("zendesk", "comment", ticket, person, "Is there a volume discount?")
    product.settle()
    quotes = {q["text"] for q in told(product, customer)["quote_words"]["quotes"]}
    assert quotes == {quote["text"], "Is there a volume discount?"}


def test_a_dispute_and_a_complaint_keep_sales_waiting_until_they_are_over(product, vendors):
    load(product)
    person, customer = writer(vendors)
    charge = next(
        c
        for c in vendors.get("state/stripe/charges")["objects"]
        if c["customer"] == customer and c["status"] == "succeeded" and not c["disputed"]
    )
    before = waits(product, customer)
    dispute = vendors.act("stripe", "open_dispute", charge["id"])
    product.settle()
    assert waits(product, customer) == [*before, "a dispute is open"]
    vendors.act("stripe", "close_dispute", dispute["id"])
    product.settle()
    assert waits(product, customer) == before
    ticket = vendors.act("zendesk", "create_ticket", person, "Charged twice", "This is unacceptable.")["id"]
    product.settle()
    assert waits(product, customer) == [*before, "A complaint is open"]
    vendors.act("zendesk", "change", ticket, person, {"status": "solved"})
    product.settle()
    assert waits(product, customer) == before
