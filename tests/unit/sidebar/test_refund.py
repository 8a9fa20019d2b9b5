"""A refund from the panel: prepared, judged, asked for; the helpdesk is asked who it is; each refusal has its sentence."""

import html
import re
import threading
from dataclasses import replace

import pytest
import sqlalchemy as sa

from app import access
from app.access import Login, Role
from app.refunds import State, store_work
from app.refunds import store as refund_store
from app.refunds.models import refund_intent
from integrations.kernel import billing as k
from integrations.kernel.money import Money
from sidebar_app import fresh
from tests import sidebar_world as world

PAYER = "bank/cus_1"
CHARGE = "ch_cus_1_0"


class Form:
    """The refund form of one charge, as the page holds it."""

    def __init__(self, agent, charge=CHARGE, payer=PAYER):
        self.agent, self.fixed = agent, {"payer": payer, "charge": charge}
        self.answer = agent.post("tickets/35436/refund", **self.fixed)
        found = re.search(r'name="offer" value="([^"]+)"', self.answer.text)
        self.fixed["offer"] = found.group(1) if found else ""

    def check(self, **typed):
        return self.agent.post("tickets/35436/refund_check", **self.fixed, **typed)

    def request(self, **typed):
        return self.agent.post("tickets/35436/refund_request", **self.fixed, **typed)


def part(amount, **more):
    return {"how": "part", "amount": amount, "reason": "requested_by_customer", **more}


@pytest.fixture
def agent(as_agent):
    found = as_agent("501")
    found.open()
    return found


def intents(database):
    with database.begin() as cx:
        return [refund_store.get(cx, i) for i in cx.execute(sa.select(refund_intent.c.id)).scalars()]


def label(answer):
    return re.search(r'id="verdict" data-label="([^"]*)"', answer.text).group(1).replace("\xa0", " ")


def test_the_form_shows_every_light_what_is_left_and_the_button(agent):
    answer = Form(agent).answer
    assert answer.status_code == 200
    text = answer.text.replace("\xa0", " ")
    for name in ("Match", "What is left", "Dispute", "Other refunds", "Age", "90 days", "Currency", "Your limit"):
        assert f"<strong>{name}</strong>" in text
    assert "1.240,00 € left" in text
    assert 'value="1240,00"' in text, "the amount as a German types it, without signs between thousands"
    assert label(answer) == "Send for approval"


def test_the_label_follows_the_amount_and_a_mistake_is_said_beside_the_field(agent):
    form = Form(agent)
    assert label(form.check(**part("12,50"))) == "Refund 12,50 €"
    assert label(form.check(**part("12.50"))) == "Refund 12,50 €"
    assert label(form.check(**part("500,01"))) == "Send for approval"
    for typed, said in (("1.240,00", "without separators"), ("12,345", "EUR has 2 decimals"), ("", "in digits")):
        wrong = form.check(**part(typed))
        assert (label(wrong), 'data-field="amount"' in wrong.text, said in wrong.text) == ("", True, True)
    too_much = form.check(**part("1240,01"))
    assert (label(too_much), "can still be given back" in too_much.text) == ("", True)


def test_asking_is_202_and_the_poll_shows_where_it_is(agent, database):
    answer = Form(agent).request(**part("12,00", note="As agreed"))
    assert answer.status_code == 202
    assert 'data-state="one"' in answer.text
    assert "Requested" in answer.text
    assert "Asked for by Agent 501" in answer.text
    (intent,) = intents(database)
    assert (intent.amount, intent.state, intent.note) == (Money(1200, "EUR"), State.RESERVED, "As agreed")
    assert (intent.person_id, intent.agent_id, intent.ticket_id) == ("desk:501", "501", "35436")
    with database.begin() as cx:
        refund_store.move(cx, refund_store.take(cx, intent.id), State.SENDING, "machine")
    assert "Being sent" in agent.get("tickets/35436/panel").text


def sending(database, why=""):
    """The one refund was claimed by a worker, and may wait for something."""
    with database.begin() as cx:
        one = refund_store.take(cx, cx.execute(sa.select(refund_intent.c.id)).scalar_one())
        refund_store.move(cx, one, State.SENDING, "machine")
        refund_store.change(cx, one.id, why=why)


def test_while_the_vendor_refuses_our_key_panel_and_form_say_that_it_waits(agent, database):
    Form(agent).request(**part("12,00"))
    sending(database)
    assert 'data-moving="1"' in agent.get("tickets/35436/panel").text
    with database.begin() as cx:
        store_work.hold(cx, world.BANK, "The vendor refuses our key.", 300.0)
    text = agent.get("tickets/35436/panel").text
    assert text.count("Stripe refuses our key since") == 2, "beside the refund, and where the buttons are"
    assert "It goes on by itself" in text
    assert ("Waits to be sent" in text, "Stripe is being asked" in text) == (True, False)
    assert 'data-moving="1"' not in text, "nothing can move within seconds"
    form = Form(agent, "ch_cus_1_1")
    assert "Stripe refuses our key since" in form.answer.text
    assert label(form.answer) == "Send for approval", "it may be asked for all the same"


def test_what_waits_for_a_vendor_that_is_away_says_so_and_is_asked_about_less_often(agent, database):
    Form(agent).request(**part("12,00"))
    sending(database, "The vendor is not reachable.")
    text = agent.get("tickets/35436/panel").text
    assert "The vendor is not reachable. It is tried again by itself." in text
    assert ("Waits to be sent" in text, "Stripe is being asked" in text) == (True, False)
    assert 'data-moving="1"' not in text


STUCK = {
    "failed": "UPDATE refund_intent SET state = 'failed', why = 'lost_or_stolen_card'",
    "stalled": "UPDATE refund_intent SET state = 'pending_vendor', stalled_at = now()",
}


@pytest.mark.parametrize("what", STUCK)
def test_of_a_ticket_that_is_closed_nobody_says_that_it_was_opened_again(agent, database, what):
    Form(agent).request(**part("12,00"))
    with database.begin() as cx:
        cx.execute(sa.text(STUCK[what]))
    opened, closed = "The ticket was opened again.", "The ticket is closed and cannot be opened again"
    text = agent.get("tickets/35436/panel").text
    assert (opened in text, closed in text) == (what == "stalled", False)
    with database.begin() as cx:
        cx.execute(sa.text('UPDATE ticket SET "values" = "values" || \'{"status": "closed"}\''))
    text = agent.get("tickets/35436/panel").text
    assert (opened in text, closed in text) == (False, True)


def test_what_nobody_has_taken_up_for_minutes_is_asked_about_less_often(agent, database):
    Form(agent).request(**part("12,00"))
    with database.begin() as cx:
        cx.execute(sa.text("UPDATE refund_intent SET state_at = now() - interval '2 minutes'"))
    text = agent.get("tickets/35436/panel").text
    assert ("Requested" in text, "in a moment" in text, 'data-moving="1"' in text) == (True, False, False)


def test_the_same_offer_is_the_same_refund_and_another_within_ten_minutes_asks(agent, database):
    form = Form(agent)
    assert [form.request(**part("12,00")).status_code for _ in range(2)] == [202, 202]
    assert len(intents(database)) == 1
    second = Form(agent)
    asked = second.request(**part("12,00"))
    assert (asked.status_code, "Yes, refund it once more" in asked.text) == (200, True)
    assert "12,00 € is being refunded" in asked.text.replace("\xa0", " ")
    assert len(intents(database)) == 1
    assert second.request(**part("12,00", again="1")).status_code == 202
    assert len(intents(database)) == 2


def test_fraudulent_asks_twice_and_says_what_it_does(agent, database):
    form = Form(agent)
    asked = form.request(**part("12,00", reason="fraudulent"))
    assert "block list" in asked.text
    assert 'name="fraud_confirmed"' in asked.text
    assert intents(database) == []
    assert form.request(**part("12,00", reason="fraudulent", fraud_confirmed="1")).status_code == 202


def test_above_the_limit_it_waits_for_somebody_else(agent, database):
    answer = Form(agent).request(how="full", reason="duplicate")
    assert answer.status_code == 202
    assert "Waits for approval" in answer.text
    assert [i.state for i in intents(database)] == [State.AWAITING_APPROVAL]


def take_back(agent, intent_id, **more):
    return agent.post("tickets/35436/refund_void", payer=PAYER, intent=intent_id, **more)


def test_who_asked_for_it_takes_it_back_after_saying_so_twice(agent, as_agent, database):
    Form(agent).request(how="full", reason="duplicate")
    (intent,) = intents(database)
    assert f'id="void-{intent.id}"' in agent.get("tickets/35436/panel").text
    asked = take_back(agent, intent.id)
    assert (asked.status_code, "Take back 1.240,00 €?" in asked.text.replace("\xa0", " ")) == (200, True)
    assert intents(database)[0].state is State.AWAITING_APPROVAL, "nothing happens before the second click"
    done = take_back(agent, intent.id, sure="1")
    assert (done.status_code, "Taken back." in done.text, "void-rfd" in done.text) == (200, True, False)
    assert intents(database)[0].state is State.VOIDED
    again = take_back(agent, intent.id, sure="1")
    assert (again.status_code, "Not taken back" in again.text, "It was taken back" in again.text) == (409, True, True)


def test_nobody_else_takes_it_back_but_an_admin_of_ours(agent, as_agent, database, app):
    Form(agent).request(how="full", reason="duplicate")
    (intent,) = intents(database)
    other = as_agent("500")
    other.open()
    assert "Waits for approval" in other.get("tickets/35436/panel").text
    assert "void-rfd" not in other.get("tickets/35436/panel").text
    for sure in ("", "1"):
        refused = take_back(other, intent.id, sure=sure)
        assert (refused.status_code, "Only who asked for it" in refused.text) == (403, True)
    assert intents(database)[0].state is State.AWAITING_APPROVAL
    with database.begin() as cx:
        person = access.add_person(cx, "per_setup", "Ada Admin", Role.ADMIN)
        access.attach(cx, "per_setup", person, Login(world.DESK, "500"))
    assert f'id="void-{intent.id}"' in other.get("tickets/35436/panel").text
    assert "Taken back by an admin." in take_back(other, intent.id, sure="1").text
    assert intents(database)[0].state is State.VOIDED


def test_it_is_taken_back_on_its_own_ticket_and_while_it_waits_only(agent, as_agent, database):
    Form(agent).request(how="full", reason="duplicate")
    (intent,) = intents(database)
    with database.begin() as cx:
        world.ticket(cx, "35437")
    elsewhere = as_agent("501")
    elsewhere.open("tickets/35437")
    assert "void-rfd" not in elsewhere.get("tickets/35437/panel").text
    refused = elsewhere.post("tickets/35437/refund_void", payer=PAYER, intent=intent.id, sure="1")
    assert (refused.status_code, "not asked for on this ticket" in refused.text) == (404, True)
    with database.begin() as cx:
        taken = refund_store.take(cx, intent.id)
        refund_store.change(cx, intent.id, approver_id="per_eve")
        refund_store.move(cx, taken, State.RESERVED, "per_eve")
    for sure in ("", "1"):
        late = take_back(agent, intent.id, sure=sure)
        assert (late.status_code, "approved meanwhile" in late.text) == (409, True)
    assert intents(database)[0].state is State.RESERVED


def test_who_lost_the_role_meanwhile_takes_nothing_back(agent, database):
    Form(agent).request(how="full", reason="duplicate")
    (intent,) = intents(database)
    with database.begin() as cx:
        access.set_rule(cx, "per_setup", world.DESK, "role", "agent", Role.VIEWER)
    assert "void-rfd" not in agent.get("tickets/35436/panel").text
    refused = take_back(agent, intent.id, sure="1")
    assert (refused.status_code, "takes the role refunder" in refused.text) == (403, True)
    assert intents(database)[0].state is State.AWAITING_APPROVAL


def test_a_second_agent_sees_whose_refund_is_under_way(agent, as_agent, database):
    Form(agent).request(**part("12,00"))
    other = as_agent("500")
    other.open()
    with database.begin() as cx:
        person = access.add_person(cx, "per_setup", "Ida Sund", Role.REFUNDER)
        access.attach(cx, "per_setup", person, Login(world.DESK, "501"))
    text = Form(other).answer.text.replace("\xa0", " ")
    assert "A refund of 12,00 € by Agent 501 is in progress." in text


def test_a_suggestion_shows_its_sum_and_a_refund_by_line_names_its_line(agent, database):
    line = k.Line("il_1", "Scale, 30 days", Money(124000, "EUR"), 1, world.ago(15), world.ago(-15))
    with database.begin() as cx:
        cx.execute(sa.text("DELETE FROM billing_object WHERE id = 'in_cus_1_0'"))
        world.bill(cx, world.invoice(0, lines=(line,)))
    form = Form(agent)
    text = form.answer.text.replace("\xa0", " ")
    value = re.search(r'value="(unused:\d+)"', text).group(1)
    assert "of 30 days unused" in text
    assert "Scale, 30 days, 1.240,00 €" in text
    assert label(form.check(how=value)) == "Send for approval"
    missing = form.request(how="lines", reason="")
    assert (missing.status_code, "Choose at least one line." in missing.text) == (422, True)
    assert form.request(how="lines", line="il_1:100000", reason="").status_code == 202
    assert intents(database)[0].lines == (("il_1", 100000),)
    again = Form(agent)
    assert "Scale, 30 days, 240,00 €" in again.answer.text.replace("\xa0", " ")
    assert "(1.000,00 € of its 1.240,00 € was refunded before or is on its way)" in again.answer.text.replace(
        "\xa0", " "
    )
    refused = again.request(how="lines", line="il_1:124000", reason="", again="1")
    assert (refused.status_code, "Look at the charge again" in refused.text) == (422, True)
    refused = again.request(how="lines", line="il_1:100000", reason="", again="1")
    assert (refused.status_code, 'role="alert"' in refused.text) == (422, True)
    assert "A line was refunded before or is on its way." in refused.text


def test_a_disputed_charge_says_so_and_offers_no_button(agent, database):
    form = Form(agent, "ch_cus_1_10")
    assert (label(form.answer), "The charge is disputed" in form.answer.text) == ("", True)
    refused = form.request(**part("12,00"))
    assert (refused.status_code, "The charge is disputed" in refused.text) == (422, True)
    assert intents(database) == []


def test_while_a_refund_is_in_doubt_no_other_is_possible(agent, database):
    Form(agent).request(**part("12,00"))
    with database.begin() as cx:
        for state in (State.SENDING, State.UNKNOWN, State.NEEDS_HUMAN):
            refund_store.move(cx, refund_store.take(cx, intents_of(cx)), state, "machine")
    shown = Form(agent)
    assert (label(shown.answer), "is not known yet" in shown.answer.text) == ("", True)
    assert "A person must look" in agent.get("tickets/35436/panel").text


def intents_of(cx):
    return cx.execute(sa.select(refund_intent.c.id)).scalar_one()


def test_several_payers_and_a_weak_match_say_what_to_do_first(agent, database):
    with database.begin() as cx:
        world.bill(cx, world.payer("cus_2", name="Northwind Private"))
    refused = agent.post("tickets/35436/refund", charge=CHARGE)
    assert (refused.status_code, "It is not clear who pays" in refused.text) == (409, True)
    assert "once it is clear who pays" in agent.get("tickets/35436/panel").text
    with database.begin() as cx:
        cx.execute(sa.text("DELETE FROM billing_object WHERE id = 'cus_2'"))
        cx.execute(sa.text("DELETE FROM payer_address WHERE payer_id = 'cus_2'"))
        cx.execute(sa.text("UPDATE person SET as_of = as_of - interval '1 hour'"))
        world.person(cx, verified=False)
    panel = agent.get("tickets/35436/panel").text
    assert "not verified; a refund takes a verified address. Let the customer verify theirs" in panel
    assert "data-refund" not in panel
    assert (label(Form(agent).answer), "the policy asks for verified" in Form(agent).answer.text) == ("", True)


def test_who_proved_it_by_two_facts_is_told_what_the_policy_takes_and_a_click_lifts_nothing(agent, database):
    with database.begin() as cx:
        world.person(cx, "10002", email="nobody@unknown.example", company=None)
        world.ticket(cx, "35436", requester_id="10002")
        world.may_refund(cx, strength="two_facts")
        world.bill(cx, world.payer(email="nobody@unknown.example"))
        cx.execute(sa.text("UPDATE person_email SET verified = false WHERE person_id = '10002'"))
    assert "not verified. Prove who pays first." in agent.get("tickets/35436/panel").text
    with database.begin() as cx:
        world.may_refund(cx)
    proved = agent.post("tickets/35436/facts", invoice="NW-0119").text
    assert "This payer was proved by two facts; a refund takes a verified address." in proved
    assert "ask an admin to let the policy take less" in proved
    for _ in range(2):
        form = Form(agent)
        assert (label(form.answer), "The match is by two facts; the policy asks for" in form.answer.text) == ("", True)
        assert form.request(**part("12,00")).status_code == 422
        assert agent.post("tickets/35436/choose", payer=PAYER).status_code == 200
    assert intents(database) == []
    assert "two_facts" not in agent.get("tickets/35436/panel").text + form.answer.text
    with database.begin() as cx:
        world.may_refund(cx, strength="two_facts")
    assert Form(agent).request(**part("12,00")).status_code == 202


def test_who_may_refund_nothing_is_told_why_and_sees_no_button(agent, as_agent, database):
    assert 'data-refund="ch_cus_1_0"' in agent.get("tickets/35436/panel").text
    with database.begin() as cx:
        access.set_rule(cx, "per_setup", world.DESK, "role", "agent", Role.VIEWER)
    panel = agent.get("tickets/35436/panel").text
    assert ("Your role here is viewer" in panel, "data-refund" in panel) == (True, False)
    refused = Form(agent).answer
    assert (refused.status_code, "This takes the role refunder" in refused.text) == (403, True)
    with database.begin() as cx:
        world.may_refund(cx, enabled="no")
    assert "Nobody may refund until an admin says so." in agent.get("tickets/35436/panel").text
    assert label(Form(agent).answer) == ""


def test_an_offer_of_another_ticket_or_person_is_not_taken(agent, as_agent, database):
    other = as_agent("500")
    other.open()
    stolen = Form(other).fixed["offer"]
    form = Form(agent)
    form.fixed["offer"] = stolen
    answer = form.request(**part("12,00"))
    assert (answer.status_code, intents(database)) == (200, [])
    assert "more than five minutes old" in answer.text
    with database.begin() as cx:
        world.ticket(cx, "35437")
    elsewhere = as_agent("501")
    elsewhere.open("tickets/35437")
    answer = elsewhere.post(
        "tickets/35437/refund_request", **{**form.fixed, **part("12,00"), "offer": Form(agent).fixed["offer"]}
    )
    assert (answer.status_code, intents(database)) == (200, [])


@pytest.fixture
def own_helpdesk(app, database):
    """A simulated Zendesk of this test's own, which it may spoil."""
    found = world.helpdesk()
    runtime = app.extensions["deskbridge"]
    with database.begin() as cx:
        cx.execute(sa.text("UPDATE connection SET base_url = :u WHERE id = 'desk'"), {"u": found.url})
    runtime.connections._opened.clear()
    yield found
    found.stop()


def test_the_role_is_that_of_now_not_that_of_the_mirror(own_helpdesk, agent, database):
    own_helpdesk.state.users[501]["suspended"] = True
    assert Form(agent).answer.status_code == 403
    assert intents(database) == []


def refused_everywhere(agent, said, **proposed):
    """Form, check, request and taking back, from a page that was opened before."""
    offer = proposed.pop("offer", "")
    answers = [
        agent.post(f"tickets/35436/{name}", payer=PAYER, charge=CHARGE, offer=offer, **part("12,00"), **proposed)
        for name in ("refund", "refund_check", "refund_request", "refund_void")
    ]
    return [(one.status_code, said in one.text) for one in answers] == [(403, True)] * 4


@pytest.mark.parametrize("role", ["end-user", "light_agent", "contributor", ""])
def test_a_named_refunder_who_is_no_full_agent_any_more_refunds_nothing(own_helpdesk, agent, app, database, role):
    with database.begin() as cx:
        access.attach(
            cx, "per_setup", access.add_person(cx, "per_setup", "Bea", Role.REFUNDER), Login(world.DESK, "501")
        )
    form = Form(agent)
    assert form.request(how="full", reason="").status_code == 202
    own_helpdesk.state.users[501]["role"] = role
    app.extensions["deskbridge.sidebar"].staff._kept.clear()
    (intent,) = intents(database)
    assert refused_everywhere(agent, "not a full agent", offer=form.fixed["offer"], intent=intent.id, sure="1")
    assert [one.state for one in intents(database)] == [State.AWAITING_APPROVAL]


@pytest.mark.parametrize(
    ("who", "change"),
    [
        ("502", {}), ("501", {"ticket_restriction": "assigned"}), ("501", {"ticket_restriction": "organization"}),
        ("501", {"ticket_restriction": "a word we do not know"}), ("504", {"organization_id": None}),
        ("504", {"organization_id": 7002}),
    ],
)  # fmt: skip
def test_who_may_not_read_the_ticket_any_more_refunds_nothing_on_it(own_helpdesk, as_agent, app, database, who, change):
    """By the mirror, which is minutes old, they still may."""
    agent = as_agent(who)
    agent.open()
    form = Form(agent)
    assert form.request(how="full", reason="").status_code == 202
    own_helpdesk.state.memberships.clear()
    own_helpdesk.state.users[int(who)] |= change
    app.extensions["deskbridge.sidebar"].staff._kept.clear()
    (intent,) = intents(database)
    assert refused_everywhere(agent, "may not read this ticket", offer=form.fixed["offer"], intent=intent.id, sure="1")
    assert [one.state for one in intents(database)] == [State.AWAITING_APPROVAL]


def test_a_helpdesk_that_does_not_answer_in_time_refuses(own_helpdesk, agent, database, monkeypatch):
    monkeypatch.setattr(fresh, "DEADLINE_S", 0.3)
    own_helpdesk.context.simulators["zendesk"].faults.set(
        [{"method": "GET", "path": "/api/v2/users", "kind": "hang", "times": 9}]
    )
    answer = Form(agent).answer
    assert (answer.status_code, "did not say in time who you are" in answer.text) == (403, True)


def test_what_was_typed_comes_back_after_a_refusal(own_helpdesk, app, agent, database):
    """Zendesk was slow for a moment: the note is not typed again, and it is the same request as before."""
    form = Form(agent)
    agents_now, own_helpdesk.state.users[501]["suspended"] = app.extensions["deskbridge.sidebar"].staff, True
    agents_now._kept.clear()
    typed = part("12,00", reason="duplicate", note="Two lines\n& a <quote>", again="1")
    refused = form.request(**typed)
    assert (refused.status_code, "not a full agent" in refused.text) == (403, True)
    own_helpdesk.state.users[501]["suspended"] = False
    agents_now._kept.clear()
    found = re.search(r'<form data-post="refund">(.*?)</form>', refused.text, re.DOTALL)
    carried = {
        name: html.unescape(value)
        for name, value in re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', found.group(1))
    }
    assert carried == form.fixed | typed
    back = agent.post("tickets/35436/refund", **carried)
    assert (back.status_code, label(back)) == (200, "Refund 12,00 €")
    assert f'name="offer" value="{form.fixed["offer"]}"' in back.text
    for kept in ("&amp; a &lt;quote&gt;", 'value="12,00"', 'value="duplicate" selected', 'name="again" value="1"'):
        assert kept in back.text, kept
    assert form.request(**typed).status_code == 202
    assert len(intents(database)) == 1


def test_a_look_up_is_no_older_than_it_may_be(app, agent, helpdesk):
    staff = app.extensions["deskbridge.sidebar"].staff
    login = Login(world.DESK, "501")
    Form(agent)
    before = staff._kept[login].read_at
    threading.Event().wait(0.01)
    Form(agent)
    assert staff._kept[login].read_at == before, "while somebody types, one look-up serves"
    staff._kept[login] = replace(staff._kept[login], read_at=world.ago(1))
    Form(agent)
    assert staff._kept[login].read_at > before
