"""What the inbox tells leads and holds, in the transaction that judged: signals of tickets, holds, payers that changed."""

from __future__ import annotations

import threading

import pytest
import sqlalchemy as sa

from app import holds, identity
from app.identity import Requester
from app.leads import ticket_holds
from app.leads.models import lead_signal
from app.leads.policy import LeadPolicy, changed
from app.leads.store_policy import put_policy
from integrations.kernel.clock import utc_now

RULES = """
rules:
- {id: sells, title: Sells, order: 1, when: ["*"], actions: [{create_lead: {words: [quote, enterprise, cancellation]}}]}
- {id: calls, title: Calls, order: 2, when: ["*"], all: [{fact: ticket.tags, includes_any: [call_me]}],
   actions: [{create_lead: {kind: expansion, note: "Wants a call"}}]}
- {id: fights, title: Fights, order: 3, when: ["*"], actions: [{hold_leads: {why: A complaint, only_words: true, days: 9}}]}
- {id: waits, title: Waits, order: 4, when: ["*"], all: [{fact: ticket.tags, includes_any: [legal]}],
   actions: [{hold_leads: {why: Legal is at it}}, {add_tags: {tags: [db_legal]}}]}
"""
PAYER = ("bank", "cus_1")


@pytest.fixture
def desk(bench):
    bench.rules(RULES)
    return bench


def pays(bench, *payers):
    with bench.database.begin() as cx:
        for payer_id in payers or ("cus_1",):
            identity.link(cx, Requester("desk", "7"), ("bank", payer_id), "per_test", rung=1)


def told(bench, ticket_id="1", *, second=0, status="open", priority="normal", **values):
    """The ticket as it is now, and an event that tells of it, worked off."""
    bench.ticket(ticket_id, second=second, status=status, priority=priority, **values)
    bench.event(ticket_id, second=second, status=status.upper(), priority=priority.upper(), **values)
    bench.drain()


def signals(bench, *names):
    with bench.database.begin() as cx:
        query = sa.select(*(lead_signal.c[n] for n in names or ("name", "kind", "subject", "source", "rule")))
        return [tuple(row) for row in cx.execute(query.order_by(lead_signal.c.name, lead_signal.c.id))]


def held(bench, payers=(PAYER,), people=(("desk", "7"),)):
    with bench.database.begin() as cx:
        return sorted({(h.why, h.until_what) for mine in holds.open_for(cx, payers, people).values() for h in mine})


def test_words_of_two_lists_make_two_signals_with_their_lines(desk):
    pays(desk)
    told(desk, description="Hi,\nwe need SSO for ann@acme.example.\nAnd a quote for 80 seats!\nRegards, Ann")
    where = ("payer:bank:cus_1", "ticket:desk:1", "sells")
    assert signals(desk) == [("enterprise_words", "request", *where), ("quote_words", "request", *where)]
    facts = [facts for (facts,) in signals(desk, "facts")]
    assert [q["text"] for f in facts for q in f["quotes"]] == ["we need SSO for [e-mail]", "And a quote for 80 seats!"]
    assert signals(desk, "payer_connection_id", "payer_id", "connection_id", "ticket_id", "person_id")[0] == (
        "bank", "cus_1", "desk", "1", "7",
    )  # fmt: skip


def test_what_the_ticket_says_without_a_word_of_the_lists_makes_nothing(desk):
    told(desk, description="Where is my invoice?")
    assert signals(desk) == []
    assert held(desk) == []


def test_the_same_ticket_told_again_is_the_same_signal_and_no_news(desk):
    told(desk, description="A quote please")
    before = signals(desk, "id", "digest", "seen_at")
    told(desk, second=3, description="A quote please")
    assert signals(desk, "id", "digest", "seen_at") == before


def test_new_lines_stand_beside_the_old_ones(desk):
    told(desk, description="A quote please")
    told(desk, second=5, description="A quote please\nWhere is the quote?")
    (((facts),),) = signals(desk, "facts")
    assert [q["text"] for q in facts["quotes"]] == ["A quote please", "Where is the quote?"]


def test_a_ticket_that_is_only_judged_again_later_says_nothing_new(desk):
    day = 86_400
    text = {"description": "A quote, this is unacceptable", "created_at": "2026-11-24T12:00:00Z"}
    told(desk, **text)
    before = signals(desk, "digest", "happened_at", "facts")
    told(desk, second=3 * day, **text)
    assert signals(desk, "digest", "happened_at", "facts") == before
    assert before[0][2]["quotes"] == [{"on": "2026-11-24", "text": "A quote, this is unacceptable"}]
    assert held(desk, payers=())
    with desk.database.begin() as cx:
        cx.execute(sa.text("UPDATE hold SET until_at = now()"))
    sweep(desk)
    told(desk, second=10 * day, **text)
    assert held(desk, payers=()) == []  # the words have held their nine days


def test_a_rule_without_words_is_a_signal_of_the_rule(desk):
    told(desk, tags=["call_me"])
    assert signals(desk, "name", "kind", "source", "rule") == [("rule", "expansion", "ticket:desk:1:calls", "calls")]
    assert signals(desk, "facts")[0][0]["note"] == "Wants a call"


def test_who_has_several_payers_or_none_is_told_by_company_or_person(desk):
    told(desk, "1", description="A quote please")
    pays(desk, "cus_1", "cus_2")
    told(desk, "2", description="A quote please")
    assert {subject for (subject,) in signals(desk, "subject")} == {"person:desk:7"}
    assert signals(desk, "payer_id") == [("",), ("",)]


def test_a_list_that_is_switched_off_makes_nothing(desk):
    with desk.database.begin() as cx:
        put_policy(cx, changed(LeadPolicy(), {"weight.quote_words": "0", "words.enterprise": "none"}), "test")
    told(desk, description="A quote for SSO please")
    assert signals(desk) == []


def test_a_complaint_holds_every_payer_of_theirs_until_it_is_solved(desk):
    pays(desk, "cus_1", "cus_2")
    told(desk, description="I was charged twice, this is unacceptable")
    wanted = [("A complaint", "until the ticket is solved, at most 9 days")]
    assert held(desk) == held(desk, people=()) == held(desk, [("bank", "cus_2")], ()) == wanted
    told(desk, second=9, status="solved", description="I was charged twice, this is unacceptable")
    assert held(desk) == held(desk, [("bank", "cus_2")]) == []


def test_a_hold_of_somebody_nobody_pays_for_is_on_the_person(desk):
    told(desk, tags=["legal"])
    assert held(desk, payers=()) == [("Legal is at it", "until the ticket is solved, at most 30 days")]
    assert desk.wanted("1")["db_legal"] is True  # beside it, the outbox has what is its own


def test_tags_the_admin_named_and_urgent_tickets_hold_as_long_as_they_are_so(desk):
    pays(desk)
    with desk.database.begin() as cx:
        put_policy(cx, changed(LeadPolicy(), {"hold_tags": "outage"}), "test")
    told(desk, tags=["outage"], priority="urgent")
    assert [why for why, _ in held(desk)] == ["a ticket has the tag outage", "an urgent ticket is not solved"]
    told(desk, second=5, tags=["outage"], priority="low")
    assert held(desk) == [("a ticket has the tag outage", "until the ticket is solved or the tag is taken off")]
    told(desk, second=9, tags=[], priority="low")
    assert held(desk) == []


def sweep(bench, **wishes):
    with bench.database.begin() as cx:
        return ticket_holds.sweep(cx, changed(LeadPolicy(), wishes), identity.IdentitySettings())


def test_the_sweep_sees_what_no_delivery_told_and_releases_what_is_over(desk):
    pays(desk)
    told(desk, tags=["outage"])
    assert held(desk) == []
    assert sweep(desk, hold_tags="outage") == 1
    assert [why for why, _ in held(desk)] == ["a ticket has the tag outage"]
    sweep(desk)  # the admin no longer names it
    assert held(desk) == []
    told(desk, "2", tags=["legal"])
    with desk.database.begin() as cx:
        cx.execute(sa.text("UPDATE ticket SET gone = true"))
    sweep(desk)
    assert held(desk) == []
    with desk.database.begin() as cx:
        assert set(cx.execute(sa.text("SELECT released_why FROM hold")).scalars()) == {
            "what held it is gone from the ticket", "the ticket is gone",
        }  # fmt: skip


def person(bench, person_id, *payers):
    """Somebody else the helpdesk knows, and who pays for them."""
    with bench.database.begin() as cx:
        row = "(connection_id, id, as_of, digest, name, role, active, fields)"
        values = "('desk', :p, now(), '', :p, 'end-user', true, '{}')"
        cx.execute(sa.text(f"INSERT INTO person {row} VALUES {values}"), {"p": person_id})
        for payer_id in payers:
            identity.link(cx, Requester("desk", person_id), ("bank", payer_id), "per_test", rung=1)


def rows(bench):
    """Who is held, by which row, and until when; and why those that are over have ended."""
    with bench.database.begin() as cx:
        found = cx.execute(sa.text("SELECT * FROM hold ORDER BY id")).all()
    return (
        [(one.payer_id, one.person_id, one.id, one.until_at) for one in found if one.released_at is None],
        [one.released_why for one in found if one.released_at is not None],
    )


def requester(bench, person_id):
    """The mirror knows of another requester, and nobody was told."""
    with bench.database.begin() as cx:
        told = """UPDATE ticket SET requester_id = :p, "values" = jsonb_set("values", '{requester_id}', to_jsonb(CAST(:p AS text)))"""
        cx.execute(sa.text(told), {"p": person_id})


def test_a_ticket_whose_requester_is_corrected_holds_their_company_and_no_longer_the_other(desk):
    pays(desk, "cus_2")
    person(desk, "8", "cus_1", "cus_3")
    told(desk, priority="urgent")
    assert [who for who, *_ in rows(desk)[0]] == ["cus_2"]
    told(desk, second=5, priority="urgent", requester_id="8")
    held_now, over = rows(desk)
    assert [(who, by) for who, by, *_ in held_now] == [("cus_1", "8"), ("cus_3", "8")]
    assert over == ["the ticket is about somebody else now"]
    told(desk, second=9, status="solved", priority="urgent", requester_id="8")
    assert rows(desk)[0] == []


def test_the_sweep_brings_holds_to_whom_the_ticket_is_about_now_and_leaves_those_that_are_right(desk):
    pays(desk, "cus_2")
    person(desk, "8", "cus_1")
    told(desk, priority="urgent", tags=["legal"])
    before = rows(desk)
    assert sweep(desk) == 1
    assert rows(desk) == before
    requester(desk, "8")
    sweep(desk)
    held_now, over = rows(desk)
    assert [(who, by) for who, by, *_ in held_now] == [("cus_1", "8")] * 2
    assert over == ["the ticket is about somebody else now"] * 2
    sweep(desk)
    assert rows(desk) == (held_now, over)
    with desk.database.begin() as cx:  # a person says who pays for them: another than was thought
        wrong = identity.link_of(cx, Requester("desk", "8"), ("bank", "cus_1"))
        identity.unlink(cx, wrong.id, "per_test")
        identity.link(cx, Requester("desk", "8"), ("bank", "cus_4"), "per_test", rung=1)
    sweep(desk)
    assert [who for who, *_ in rows(desk)[0]] == ["cus_4"] * 2


def test_a_sweep_that_read_the_ticket_just_before_it_was_corrected_takes_nothing_back(desk):
    pays(desk, "cus_2")
    person(desk, "8", "cus_1")
    told(desk, priority="urgent")
    corrected = threading.Thread(
        target=told, args=(desk,), kwargs={"second": 5, "priority": "urgent", "requester_id": "8"}
    )

    def hear(cx, cursor, statement, *_):
        if "ticket.told" in statement and threading.current_thread() is threading.main_thread() and not corrected.ident:
            corrected.start()
            corrected.join()

    sa.event.listen(desk.database.engine, "after_cursor_execute", hear)
    sweep(desk)
    sa.event.remove(desk.database.engine, "after_cursor_execute", hear)
    assert corrected.ident
    assert [(who, by) for who, by, *_ in rows(desk)[0]] == [("cus_1", "8")]


def test_holds_of_somebody_nobody_pays_for_go_over_to_the_next_too(desk):
    person(desk, "8")
    told(desk, priority="urgent", tags=["legal"])
    assert [(who, by) for who, by, *_ in rows(desk)[0]] == [("", "7")] * 2
    told(desk, second=5, priority="urgent", tags=["legal"], requester_id="8")
    assert [(who, by) for who, by, *_ in rows(desk)[0]] == [("", "8")] * 2


def test_a_rules_hold_goes_over_with_the_days_it_has_left(desk):
    pays(desk, "cus_2")
    person(desk, "8", "cus_1")
    text = {"description": "I was charged twice, this is unacceptable"}
    told(desk, **text)
    ((_, _, _, until),) = rows(desk)[0]
    assert held(desk, [("bank", "cus_2")], ())
    told(desk, second=86_400, description="Thank you", requester_id="8")
    assert [(who, by, at) for who, by, _, at in rows(desk)[0]] == [("cus_1", "8", until)]


def test_while_nobody_knows_whose_ticket_it_is_the_hold_stays(desk):
    pays(desk)
    told(desk, priority="urgent")
    before = rows(desk)
    requester(desk, "")
    sweep(desk)
    assert rows(desk) == before
    requester(desk, "7")
    with desk.database.begin() as cx:
        cx.execute(sa.text("DELETE FROM identity_link"))
        cx.execute(sa.text("DELETE FROM person"))
    sweep(desk)
    assert rows(desk) == before
    requester(desk, "9")  # not mirrored yet: it is not theirs any more, at least
    sweep(desk)
    assert [(who, by) for who, by, *_ in rows(desk)[0]] == [("", "")]
    person(desk, "9", "cus_9")
    sweep(desk)
    assert [(who, by) for who, by, *_ in rows(desk)[0]] == [("cus_9", "9")]


def test_a_rules_hold_ends_after_its_days(desk):
    told(desk, tags=["legal"])
    with desk.database.begin() as cx:
        cx.execute(sa.text("UPDATE hold SET until_at = now()"))
    sweep(desk)
    assert held(desk, payers=()) == []


def stripe(bench, key, status="active", used=46, at=None):
    """A subscription as Stripe tells of it."""
    at = at or int(utc_now().timestamp())
    item = {
        "id": "si_1", "object": "subscription_item", "quantity": 50, "current_period_start": at, "metadata": {},
        "current_period_end": at + 20 * 86_400, "discounts": [],
        "price": {"id": "price_1", "object": "price", "currency": "usd", "unit_amount": 1000, "unit_amount_decimal": "1000",
                  "product": "prod_1", "nickname": "Team", "type": "recurring", "billing_scheme": "per_unit",
                  "recurring": {"interval": "year", "interval_count": 1, "usage_type": "licensed"},
                  "transform_quantity": None, "tiers_mode": None},
    }  # fmt: skip
    subscription = {
        "id": "sub_1", "object": "subscription", "customer": "cus_1", "status": status, "currency": "usd", "metadata": {"seats_used": str(used)},
        "items": {"object": "list", "data": [item], "has_more": False}, "cancel_at": None, "cancel_at_period_end": False,
        "trial_end": None, "start_date": at - 86_400, "created": at - 86_400, "discounts": [], "pause_collection": None, "default_payment_method": None,
    }  # fmt: skip
    body = {
        "id": key, "object": "event", "type": "customer.subscription.updated", "created": at, "livemode": False,
        "api_version": "2026-10-28", "data": {"object": subscription}, "pending_webhooks": 1, "request": {"id": None},
    }  # fmt: skip
    bench.store("bank", key, body["type"], "payer:cus_1", body)
    bench.drain()


def test_what_stripe_tells_is_a_signal_at_once_and_ends_at_once(desk):
    at = int(utc_now().timestamp())
    stripe(desk, "evt_1", at=at - 20)
    assert desk.states()["evt_1"] == "done"
    assert signals(desk, "name", "source") == [("renewal", "sub_1"), ("seats_full", "sub_1")]
    stripe(desk, "evt_2", used=20, at=at - 10)
    assert signals(desk, "name", "ended_at")[0] == ("renewal", None)
    assert signals(desk, "name", "digest")[1] == ("seats_full", "ended")
