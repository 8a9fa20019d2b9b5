"""What the panel shows, in each of its states, and what an agent's click leaves behind."""

from datetime import timedelta

import pytest

from app.billing.models import billing_reread
from app.identity.models import identity_link
from app.inbox.models import delivery_key
from integrations.kernel import billing as k
from integrations.kernel.clock import utc_now
from integrations.kernel.money import Money
from tests import sidebar_world as world


def links(database):
    with database.begin() as cx:
        return cx.execute(world.sa.select(identity_link).where(identity_link.c.ended_at.is_(None))).all()


def state(answer):
    return answer.text.split('data-state="')[1].split('"')[0]


@pytest.fixture
def agent(as_agent):
    return as_agent()


def test_one_payer_is_shown_with_everything(agent):
    text = agent.open().text
    assert 'data-state="one"' in text
    for shown in (
        "Dana Okafor", "Northwind Labs", "Verified e-mail", "Test mode", "Dispute open", "620,00\xa0€",
        "Product not received", "1.239,84\xa0€", "40 / 42", "25,00\xa0€ credit", "Past due", "Visa •••• 4242",
        "NW-0120", "Partly refunded 300,00\xa0€", "https://invoice.example/0.pdf", "Sent to the bank", "Pending",
        "Requested by customer", "Mastercard •••• 4444 expired 01/24", "Dispute over 620,00\xa0€ opened",
        "db_renews_30d", "Renewal within 30 days", "5 of 11",
    ):  # fmt: skip
        assert shown in text, shown
    assert text.index("Dispute open") < text.index("MRR")
    assert ">vip<" not in text, "tags of others are not ours to explain"


def test_times_are_in_the_agents_zone_with_utc_in_the_title(agent, database):
    at = world.NOW.replace(hour=23, minute=30, second=0) - timedelta(days=40)
    with database.begin() as cx:
        world.bill(cx, k.Refund("re_x", "ch_cus_1_1", "succeeded", Money(5, "EUR"), at, None, "cus_1"))
    text = agent.open().text
    utc = f"{at:%Y-%m-%d} 23:30:00 UTC"
    local = (at + timedelta(days=1)).day
    assert f'title="{utc}">{local}. ' in text


def test_the_vendor_is_never_called_for_a_view(agent):
    """Every vendor address of this world refuses connections; nothing waits and nothing fails."""
    agent.open()
    assert agent.get("tickets/35436/panel").status_code == 200
    assert agent.get("tickets/35436/why").status_code == 200


def test_the_same_panel_is_not_sent_twice(agent, database):
    first = agent.open()
    again = agent.get("tickets/35436/panel", **{"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    with database.begin() as cx:
        world.bill(cx, world.charge(20, days=0, minor=777))
    news = agent.get("tickets/35436/panel", **{"If-None-Match": first.headers["ETag"]})
    assert (news.status_code, "7,77\xa0€" in news.text) == (200, True)


def test_long_lists_are_shown_when_asked_for(agent):
    agent.open()
    text = agent.get("tickets/35436/panel?many=1").text
    assert "Your card was declined." in text
    assert "Show more" not in text


def test_no_payer(agent, database):
    with database.begin() as cx:
        world.person(cx, "10002", email="nobody@unknown.example", company=None)
        world.ticket(cx, "35436", requester_id="10002")
    answer = agent.open()
    assert state(answer) == "nobody"
    assert "No payer found" in answer.text
    assert 'name="invoice"' in answer.text
    assert 'name="last4"' not in answer.text
    proved = agent.post("tickets/35436/facts", invoice="NW-0119")
    assert (proved.status_code, state(proved), "Two facts given" in proved.text) == (200, "one", True)
    (link,) = links(database)
    assert (link.person_id, link.payer_id, link.rung, link.made_by) == ("10002", "cus_1", 3, "desk/501")
    assert "Linked by Agent 501" in proved.text


@pytest.fixture
def unverified(database):
    with database.begin() as cx:
        cx.execute(world.sa.text("UPDATE person SET as_of = as_of - interval '1 hour'"))
        world.person(cx, verified=False)


def test_an_unverified_match_is_shown_as_such_and_upgraded_by_a_card_payment(agent, unverified, database):
    answer = agent.open()
    assert (state(answer), "Not verified" in answer.text) == ("unverified", True)
    paid_on = (world.ago(9) + timedelta(days=1)).date().isoformat()
    wrong = {"last4": "4242", "amount": "1240.01", "day": paid_on}
    refused = agent.post("tickets/35436/facts", **wrong)
    assert (refused.status_code, 'value="1240.01"' in refused.text, links(database)) == (422, True, [])
    proved = agent.post("tickets/35436/facts", **{**wrong, "amount": "1.240,00"})
    assert (proved.status_code, state(proved)) == (200, "one")
    (link,) = links(database)
    assert (link.rung, link.note) == (3, "last4, amount, date")


@pytest.mark.parametrize(
    "form",
    [
        {}, {"invoice": " "}, {"last4": "4242"}, {"last4": "42", "amount": "1", "day": "2026-01-01"},
        {"last4": "4242", "amount": "1240", "day": "yesterday"},
    ],
)  # fmt: skip
def test_facts_that_are_not_complete_are_asked_for_again(agent, unverified, form, database):
    agent.open()
    answer = agent.post("tickets/35436/facts", **form)
    assert (answer.status_code, 'aria-invalid="true"' in answer.text, links(database)) == (422, True, [])


def test_guessing_ends_after_ten_tries_on_every_page_of_this_person(as_agent, unverified):
    for n in range(10):
        if n % 5 == 0:
            agent = as_agent()
            agent.open()
        assert agent.post("tickets/35436/facts", invoice=f"guess {n}").status_code == 422
    assert agent.post("tickets/35436/facts", invoice="NW-0120").status_code == 429
    other = as_agent("502")
    other.open()
    assert other.post("tickets/35436/facts", invoice="NW-0120").status_code == 200


def second_payer(database, email="dana@northwind.example"):
    with database.begin() as cx:
        world.bill(cx, world.payer("cus_2", email=email, name="Northwind Private"), world.subscription("cus_2"))


def test_several_payers_are_a_choice_that_is_remembered_with_who_and_when(agent, database):
    second_payer(database)
    answer = agent.open()
    assert (state(answer), "2 payers fit" in answer.text, "Dispute" in answer.text) == ("several", True, False)
    chosen = agent.post("tickets/35436/choose", payer="bank/cus_2")
    assert (state(chosen), "Northwind Private" in chosen.text) == ("one", True)
    assert "Linked by Agent 501" in chosen.text
    (link,) = links(database)
    assert (link.payer_id, link.rung, link.made_by, link.note) == ("cus_2", 2, "desk/501", "chosen among several")
    assert "Verified e-mail" in chosen.text, "as sure as before: a click proves nothing"
    assert "Northwind Private" in agent.get("tickets/35436/panel").text


def test_a_choice_among_unverified_payers_is_shown_and_proves_nothing(agent, unverified, database):
    second_payer(database)
    assert state(agent.open()) == "several"
    chosen = agent.post("tickets/35436/choose", payer="bank/cus_2")
    assert (state(chosen), links(database)) == ("unverified", [])


def test_where_one_payer_fits_there_is_nothing_to_choose(agent, database):
    agent.open()
    assert state(agent.post("tickets/35436/choose", payer="bank/cus_1")) == "one"
    assert links(database) == []


def test_the_company_alone_shows_a_sum_and_no_payment(agent, database):
    with database.begin() as cx:
        world.person(cx, "10003", email="eve@northwind.example", name="Eve")
        world.ticket(cx, "35440", requester_id="10003")
    answer = agent.open("tickets/35440")
    assert (state(answer), "1.239,84" in answer.text, "NW-0120" in answer.text) == ("company", True, False)


def test_an_old_mirror_is_shown_with_its_age(agent, database):
    with database.begin() as cx:
        world.caught_up(cx, utc_now() - timedelta(hours=2))
    text = agent.open().text
    assert "Stripe is slow or away" in text
    assert "NW-0120" in text
    with database.begin() as cx:
        world.caught_up(cx, utc_now() - timedelta(minutes=1))
    assert "Stripe is slow or away" not in agent.get("tickets/35436/panel").text


def test_a_ticket_that_never_reached_us_is_asked_for_once(as_agent, database):
    agent = as_agent()
    for _ in range(2):
        answer = agent.open("tickets/99")
        assert (answer.status_code, state(answer)) == (200, "unknown")
    assert state(agent.get("tickets/99/panel")) == "unknown"
    with database.begin() as cx:
        waiting = cx.execute(world.sa.select(delivery_key.c.lane)).scalars().all()
    assert waiting == ["ticket:99"]


def test_a_refresh_asks_a_worker_and_at_most_each_ten_seconds(agent, database):
    agent.open()
    answers = [agent.post("tickets/35436/refresh", payer="bank/cus_1") for _ in range(3)]
    assert all("Reading …" in a.text for a in answers)
    with database.begin() as cx:
        wanted = cx.execute(world.sa.select(billing_reread.c.kind, billing_reread.c.id)).all()
    assert ("payer", "cus_1") in wanted
    assert len(wanted) <= 18


@pytest.mark.parametrize(
    ("status", "shown"), [("won", "Dispute won"), ("lost", "Dispute lost"), ("warning_closed", "Inquiry closed")]
)
def test_a_charge_says_what_became_of_its_dispute(agent, database, status, shown):
    with database.begin() as cx:
        cx.execute(world.sa.text("DELETE FROM billing_object WHERE kind = 'dispute'"))
        over = k.Dispute("dp_x", "ch_cus_1_10", status, Money(124000, "EUR"), "fraudulent", world.ago(3), None, "cus_1")
        world.bill(cx, over)
    text = agent.open().text
    assert shown in text
    assert "Dispute open" not in text


def test_a_trigger_is_named_once_with_what_it_put_on(agent, database):
    with database.begin() as cx:
        world.judged(cx)
    text = agent.open().text
    assert text.count("Renewal within 30 days") == 1
    assert "Add tags db_renews_30d" in text


def test_the_why_view_shows_each_clause_with_the_value_it_saw(agent):
    agent.open()
    text = agent.get("tickets/35436/why").text
    assert "Renewal within 30 days" in text
    assert "it was 21" in text
    assert "Open dispute" in text
    assert "it was no" in text


@pytest.mark.parametrize("place", ["new_ticket_sidebar", "user_sidebar"])
def test_pages_without_a_ticket_are_for_looking_only(as_agent, place):
    agent = as_agent(place=place)
    text = agent.open("people/10001").text
    assert "View only" in text
    assert "NW-0120" in text
    assert "data-post" not in text
    assert agent.post("tickets/35436/refresh", payer="bank/cus_1").status_code == 403
    assert agent.open("tickets/35436").status_code == 403


def test_only_a_page_for_a_new_ticket_may_change_its_person(as_agent, database):
    with database.begin() as cx:
        world.person(cx, "10002", email="b@b.example")
    new, user = as_agent(place="new_ticket_sidebar"), as_agent(place="user_sidebar")
    for agent in (new, user):
        assert agent.open("people/10001").status_code == 200
    assert new.open("people/10002").status_code == 200
    assert user.open("people/10002").status_code == 403


def test_a_person_is_shown_to_who_may_read_one_of_their_tickets(as_agent, database):
    assert as_agent("502", place="user_sidebar").open("people/10001").status_code == 200
    assert as_agent("503", place="user_sidebar").open("people/10001").status_code == 403


def test_strangers_text_is_escaped_and_cannot_turn_the_reading_direction(agent, database):
    with database.begin() as cx:
        cx.execute(world.sa.text("UPDATE person SET name = E'<img src=x onerror=alert(1)> \\u202egnp.exe'"))
    text = agent.open().text
    assert "<img" not in text
    assert "&lt;img" in text
    assert "\u202e" not in text


def test_a_payer_of_a_connection_that_was_disabled_is_not_shown(app, agent):
    app.extensions["deskbridge"].connections.set_state("bank", "disabled")
    answer = agent.open()
    assert (state(answer), "NW-0120" in answer.text) == ("nobody", False)
