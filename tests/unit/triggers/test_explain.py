"""Why and why not, recomputed from the database by the version that judged."""

from datetime import UTC, datetime

import sqlalchemy as sa

from app.history import store as history
from app.history.models import judgement
from app.history.store import Judgement
from app.triggers import store
from app.triggers.engine import EventFacts, evaluate
from app.triggers.explain import explain_ticket, render_text
from app.triggers.service import import_yaml
from integrations.kernel.clock import parse_iso
from integrations.kernel.events import Change, Event
from integrations.kernel.ids import VendorRef

AT = datetime(2026, 11, 24, 9, tzinfo=UTC)
RULES = """
rules:
- id: renews
  title: Renews soon
  order: 1
  when: ["*"]
  all:
  - {fact: billing.days_to_renewal, at_most: 30}
  - {fact: ticket.priority, changed_to: high}
  actions: [{add_tags: {tags: [db_renews_30d]}}, {add_note: {body: "Plan {{billing.plan|none}}"}}]
- id: dollars
  title: Pays in dollars
  order: 2
  when: ["*"]
  any:
  - {fact: billing.mrr, at_least: 5 USD}
  - {fact: billing.seats, at_least: 5}
  actions: [{set_priority: {priority: urgent}}]
- id: invoices
  title: Only about invoices
  order: 3
  when: [invoice.paid]
  actions: [{add_tags: {tags: [db_invoice]}}]
"""
FACTS = {
    "ticket.priority": "high", "billing.renews_on": "2026-12-01T00:00:00Z", "billing.mrr": {"minor": 1, "currency": "EUR"},
    "event.kind": "ticket.priority_changed",
}  # fmt: skip


def derive(facts, at):
    if "billing.renews_on" not in facts:
        return {}
    return {"billing.days_to_renewal": (parse_iso(facts["billing.renews_on"]) - at).days}


def judged(cx, facts=FACTS):
    """As the inbox does it."""
    rules = store.active(cx)
    event = Event(
        "ticket.priority_changed", "zendesk", "con_1", "evt_1", VendorRef("zendesk", "ticket", "35436"), AT,
        changes={"priority": Change("low", "high")},
    )  # fmt: skip
    outcome = evaluate(rules, EventFacts(event.kind, AT, facts, event.changes, "con_1", "35436", "evt_1"), derive)
    history.record(cx, [Judgement.of(7, "con_1", event, facts, outcome, rules.version)])
    return outcome


def test_every_clause_is_recomputed_with_the_value_it_saw(database):
    with database.begin() as cx:
        import_yaml(cx, RULES, "per_1")
        outcome = judged(cx)
        (seen,) = explain_ticket(cx, "con_1", "35436", derive=derive)
    assert seen.differs == ""
    assert [(r.id, r.fired, r.result) for r in seen.rules] == [
        ("renews", True, True),
        ("dollars", False, None),
        ("invoices", False, True),
    ]
    days, changed = seen.rules[0].clauses
    assert (days.fact, days.expected, days.value, days.result) == ("billing.days_to_renewal", 30, 6, True)
    assert (changed.operator, changed.expected, changed.value, changed.result) == ("changed_to", "high", "high", True)
    money, seats = seen.rules[1].clauses
    assert (money.side, money.result, money.reason) == ("any", False, "other currency")
    assert (seats.known, seats.result) == (False, None)
    assert seen.rules[0].effects == outcome.fired[0].effects
    assert set(seen.because.values()) == {"renews"}


def test_the_version_that_judged_explains_not_the_one_that_is_live_now(database):
    with database.begin() as cx:
        import_yaml(cx, RULES, "per_1")
        judged(cx)
        import_yaml(cx, "rules: []", "per_1")
        (seen,) = explain_ticket(cx, "con_1", "35436", derive=derive)
    assert [rule.id for rule in seen.rules if rule.fired] == ["renews"]


def test_the_text_says_what_fired_what_did_not_and_why(database):
    with database.begin() as cx:
        import_yaml(cx, RULES, "per_1")
        judged(cx)
        text = render_text(explain_ticket(cx, "con_1", "35436", derive=derive))
    assert "2026-11-24 09:00:00 UTC  ticket.priority_changed, ticket 35436, rules version 1, delivery 7" in text
    assert "FIRED renews: Renews soon" in text
    assert "yes       all: billing.days_to_renewal at_most 30; it was 6" in text
    assert (
        'no        any: billing.mrr at_least "5 USD"; it was {"minor": 1, "currency": "EUR"} (other currency)' in text
    )
    assert "not known any: billing.seats at_least 5; it was not known" in text
    assert "because it is about invoice.paid" in text
    assert "tag:db_renews_30d by renews" in text


def test_a_ticket_that_was_never_judged_says_so(database):
    with database.begin() as cx:
        assert "never judged" in render_text(explain_ticket(cx, "con_1", "1", derive=derive))


def test_dropped_facts_leave_what_fired(database):
    with database.begin() as cx:
        import_yaml(cx, RULES, "per_1")
        judged(cx)
        cx.execute(sa.text("DELETE FROM fact_set"))
        text = render_text(explain_ticket(cx, "con_1", "35436", derive=derive))
    assert "The facts of this judgement were dropped. Fired then: renews." in text


def test_a_record_that_does_not_agree_is_pointed_out(database):
    with database.begin() as cx:
        import_yaml(cx, RULES, "per_1")
        judged(cx)
        cx.execute(sa.update(judgement).values(fired=["dollars"], engine_version=0))
        (seen,) = explain_ticket(cx, "con_1", "35436", derive=derive)
    assert seen.differs == "the engine was version 0 then and is 1 now"
    assert "! Recorded then: dollars" in render_text([seen])


def test_control_characters_of_a_customer_do_not_reach_the_terminal(database):
    with database.begin() as cx:
        import_yaml(cx, RULES.replace("billing.seats, at_least: 5", "ticket.subject, contains: a"), "per_1")
        judged(cx, {**FACTS, "ticket.subject": "\x1b[31m\u202ea"})
        text = render_text(explain_ticket(cx, "con_1", "35436", derive=derive))
    assert "\x1b" not in text
    assert "\u202e" not in text
