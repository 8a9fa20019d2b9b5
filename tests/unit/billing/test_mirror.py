"""The mirror on a real PostgreSQL: newer wins, ties are read again once, everything converges."""

import threading
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from app.billing import on_events, payer_of, profiles, service, store
from app.billing.models import billing_object, billing_profile, billing_reread, seat_count
from integrations.kernel.billing import Amount, Gone, InvoicePayment, Price, Product
from integrations.kernel.events import Event
from integrations.kernel.ids import VendorRef

CON = "con_1"
KEY = "seats_used"


def tell(database, *told, con=CON, read=False):
    with database.begin() as cx:
        touched = service.apply(cx, con, list(told), KEY, read=read)
        service.refresh(cx, con, touched, KEY)
        return touched


def stored(database, kind, object_id, con=CON):
    with database.begin() as cx:
        return store.by_id(cx, con, [(kind, object_id)]).get((kind, object_id))


def wishes(database):
    with database.begin() as cx:
        return [
            tuple(r) for r in cx.execute(sa.select(billing_reread.c.kind, billing_reread.c.id).order_by("kind", "id"))
        ]


def profile(database, pid="cus_1", con=CON):
    with database.begin() as cx:
        return profiles(cx, [(con, pid)]).get((con, pid))


def at(make, seconds):
    return make.NOW + timedelta(seconds=seconds)


def test_older_never_overwrites(database, make):
    tell(database, (make.payer(email="new@acme.example"), at(make, 9)))
    tell(database, (make.payer(email="old@acme.example"), at(make, 1)))
    assert stored(database, "payer", "cus_1")["email"] == "new@acme.example"
    assert wishes(database) == []


def test_a_tie_with_other_content_is_read_again_once(database, make):
    one, two = make.payer(email="a@acme.example"), make.payer(email="b@acme.example")
    tell(database, (one, at(make, 1)))
    for _ in range(3):
        tell(database, (two, at(make, 1)))
    assert wishes(database) == [("payer", "cus_1")]


def test_a_tie_inside_one_batch_is_read_again_too(database, make):
    tell(database, (make.payer(email="a@x.example"), at(make, 1)), (make.payer(email="b@x.example"), at(make, 1)))
    assert wishes(database) == [("payer", "cus_1")]


def test_a_tie_with_equal_content_asks_for_nothing(database, make):
    for _ in range(2):
        tell(database, (make.payer(), at(make, 1)), (make.payer(), at(make, 1)))
    assert wishes(database) == []


def test_what_is_told_twice_touches_nobody_the_second_time(database, make):
    assert tell(database, (make.payer(), at(make, 1))) == {"cus_1"}
    assert tell(database, (make.payer(), at(make, 1))) == set()


def test_a_deleted_object_is_gone_and_stays_so(database, make):
    tell(database, (make.payer(), at(make, 1)), (make.card(mid="pm_1"), at(make, 1)))
    assert profile(database)["card_expires"] == [2027, 3]
    assert tell(database, (Gone("payment_method", "pm_1"), at(make, 5))) == {"cus_1"}
    tell(database, (make.card(2031, 1, mid="pm_1"), at(make, 3)))
    assert profile(database)["card_expires"] is None


def test_connections_never_mix(database, make):
    tell(database, (make.payer(), at(make, 1)), (make.charge(1000, cid="ch_1"), at(make, 1)))
    tell(database, (make.payer(), at(make, 1)), (make.charge(50, cid="ch_1"), at(make, 1)), con="con_2")
    tell(database, (Gone("charge", "ch_1"), at(make, 2)), con="con_2")
    tell(database, (make.dispute(charge_id="ch_1"), at(make, 2)), con="con_2")
    assert (profile(database)["ltv"], profile(database)["dispute"]) == ({"USD": 1000}, None)
    assert (profile(database, con="con_2")["ltv"], profile(database, con="con_2")["dispute"]["reason"]) == (
        {},
        "fraudulent",
    )


@pytest.mark.parametrize("dispute_first", [True, False])
def test_a_dispute_finds_its_payer_by_the_charge_whichever_comes_first(database, make, dispute_first):
    told = [(make.charge(1000, cid="ch_1"), at(make, 1)), (make.dispute(charge_id="ch_1"), at(make, 1))]
    for one in told[::-1] if dispute_first else told:
        touched = tell(database, one)
    assert touched == {"cus_1"}
    assert profile(database)["dispute"]["amount"] == {"minor": 1000, "currency": "USD"}


def test_a_charge_finds_its_invoice_by_the_payment_intent_or_itself(database, make):
    told = [
        InvoicePayment("inpay_1", "in_1", "pi_1", "paid", None), InvoicePayment("inpay_2", "in_2", "ch_2", "paid", None),
    ]  # fmt: skip
    tell(database, *((one, at(make, 1)) for one in told))
    with database.begin() as cx:
        found = store.invoices_of(cx, CON, {"ch_1": "pi_1", "ch_2": "", "ch_3": "pi_3"})
        other = store.invoices_of(cx, "con_2", {"ch_1": "pi_1"})
    assert (found, other) == ({"ch_1": "in_1", "ch_2": "in_2"}, {})


def test_a_known_coupon_is_kept_when_a_webhook_names_it_by_id_only(database, make):
    known = make.subscription(make.item(1000, 2), discounts=[make.discount(percent=10)])
    tell(database, (known, at(make, 1)), (make.payer(), at(make, 1)))
    bare = make.subscription(make.item(1000, 3), discounts=[make.discount("", known=False)])
    tell(database, (bare, at(make, 5)))
    assert profile(database)["mrr"] == {"USD": 2700}
    assert wishes(database) == []


def test_a_coupon_never_seen_is_read(database, make):
    tell(database, (make.subscription(make.item(1000), discounts=[make.discount("", known=False)]), at(make, 1)))
    assert wishes(database) == [("subscription", "sub_1")]
    tell(database, (make.payer(discounts=(make.discount("", known=False),)), at(make, 1)))
    assert wishes(database) == [("payer", "cus_1"), ("subscription", "sub_1")]


def test_a_price_in_tiers_that_is_not_there_is_read_and_counts_when_it_comes(database, make):
    tell(
        database, (make.payer(), at(make, 1)), (make.subscription(make.item(None, 2, price_id="price_1")), at(make, 1))
    )
    assert (wishes(database), profile(database)["mrr"]) == ([("price", "price_1")], {})
    its = Price("price_1", "prod_1", "Tiered", (Amount("USD", make.item(700).unit),))
    assert tell(database, (its, at(make, 2)), read=True) == {"cus_1"}
    assert (profile(database)["mrr"], profile(database)["plans"]) == ({"USD": 1400}, ["Tiered"])


def test_a_renamed_product_renames_the_plan(database, make):
    tell(database, (Product("prod_1", "Team"), at(make, 1)), (make.subscription(make.item(1)), at(make, 1)))
    assert tell(database, (Product("prod_1", "Crew"), at(make, 2))) == {"cus_1"}
    assert profile(database)["products"] == ["Crew"]


def test_a_product_of_very_many_payers_makes_their_profiles_due(database, make, monkeypatch):
    monkeypatch.setattr(service, "AT_ONCE", 1)
    told = [make.subscription(make.item(1), sid=f"sub_{n}", pid=f"cus_{n}") for n in range(3)]
    tell(database, *((s, at(make, 1)) for s in told))
    tell(database, (Product("prod_1", "Crew"), at(make, 2)))
    with database.begin() as cx:
        assert sorted(store.due_profiles(cx, 9)) == [(CON, "cus_0"), (CON, "cus_1"), (CON, "cus_2")]


def test_seats_are_counted_by_the_day_and_stale_events_do_not_count(database, make):
    tell(database, (make.subscription(make.item(1, 7), metadata={"seats_used": "6"}), at(make, 9)))
    tell(database, (make.subscription(make.item(1, 3)), at(make, 1)))
    with database.begin() as cx:
        (row,) = cx.execute(sa.select(seat_count))
    assert (row.subscription_id, row.seats, row.seats_used) == ("sub_1", 7, 6)


def test_seats_are_carried_to_the_next_day_while_it_runs(database, make):
    tell(database, (make.subscription(make.item(1, 7)), at(make, 1)))
    tell(database, (make.subscription(make.item(1, 4), sid="sub_2", status="active"), at(make, 1)))
    with database.begin() as cx:
        cx.execute(sa.update(seat_count).values(day=sa.func.current_date() - 1))
    tell(database, (make.subscription(make.item(1, 4), sid="sub_2", status="canceled"), at(make, 2)))
    with database.begin() as cx:
        store.carry_seats(cx)
        today = cx.execute(sa.select(seat_count).where(seat_count.c.day == sa.func.current_date())).all()
    assert [(r.subscription_id, r.seats) for r in today] == [("sub_1", 7)]


def test_what_was_read_does_not_beat_an_event_it_may_have_missed(database, make):
    tell(database, (make.payer(email="event@x.example"), at(make, 60)))
    tell(database, (make.payer(email="page@x.example"), at(make, 100)), read=True)
    assert stored(database, "payer", "cus_1")["email"] == "event@x.example"
    assert wishes(database) == [("payer", "cus_1")]
    tell(database, (make.payer(email="page@x.example"), at(make, 60 + 121)), read=True)
    assert stored(database, "payer", "cus_1")["email"] == "page@x.example"


def test_an_event_after_a_read_wins_though_our_clock_is_ahead(database, make):
    tell(database, (make.payer(email="page@x.example"), at(make, 100)), read=True)
    tell(database, (make.payer(email="event@x.example"), at(make, 40)))
    assert stored(database, "payer", "cus_1")["email"] == "event@x.example"


def test_a_read_that_was_asked_for_settles_the_tie_and_the_wish(database, make):
    tell(database, (make.payer(email="a@x.example"), at(make, 50)), (make.payer(email="b@x.example"), at(make, 50)))
    with database.begin() as cx:
        assert store.take_rereads(cx, 9) == [(CON, "payer", "cus_1")]
        assert store.take_rereads(cx, 9) == []
    tell(database, (make.payer(email="true@x.example"), at(make, 51)), read=True)
    assert (stored(database, "payer", "cus_1")["email"], wishes(database)) == ("true@x.example", [])


def test_an_event_during_a_read_has_it_read_once_more(database, make):
    tell(database, (make.payer(email="a@x.example"), at(make, 50)), (make.payer(email="b@x.example"), at(make, 50)))
    with database.begin() as cx:
        store.take_rereads(cx, 9)
    tell(database, (make.payer(email="new@x.example"), at(make, 60)))
    tell(database, (make.payer(email="missed it@x.example"), at(make, 61)), read=True)
    assert stored(database, "payer", "cus_1")["email"] == "new@x.example"
    with database.begin() as cx:
        assert store.take_rereads(cx, 9) == [(CON, "payer", "cus_1")]


def test_an_event_of_a_discount_has_its_subscription_read(database, make):
    note = {"payer_id": "cus_1", "read_kind": "subscription", "read_id": "sub_1"}
    event = Event(
        "discount.created", "stripe", CON, "evt_1", VendorRef("stripe", "discount", "di_1"), make.NOW, note=note
    )
    with database.begin() as cx:
        assert on_events(cx, CON, [event], KEY) == set()
    assert (wishes(database), payer_of(event)) == ([("subscription", "sub_1")], "cus_1")


def test_only_profiles_that_changed_are_told(database, make):
    def event(record, seconds):
        return Event("x", "stripe", CON, "e", VendorRef("stripe", "x", record.id), at(make, seconds), record=record)

    with database.begin() as cx:
        assert on_events(cx, CON, [event(make.payer(), 1)], KEY) == {"cus_1"}
        assert on_events(cx, CON, [event(make.payer(name="Acme Ltd"), 2)], KEY) == set()  # no fact has the name
        assert on_events(cx, CON, [event(make.charge(9), 3)], KEY) == {"cus_1"}


def test_many_payers_cost_as_many_statements_as_one(database, make):
    def statements(n):
        told = [(make.payer(f"cus_{n}_{i}"), at(make, 1)) for i in range(n)]
        told += [(make.charge(5, pid=p.id), at(make, 1)) for p, _ in told[:n]]
        counted = []
        hear = lambda *args: counted.append(args[2])  # noqa: E731
        sa.event.listen(database.engine, "before_cursor_execute", hear)
        tell(database, *told)
        sa.event.remove(database.engine, "before_cursor_execute", hear)
        return len(counted)

    assert statements(1) == statements(100) <= 12


def test_two_lanes_of_one_payer_do_not_lose_each_others_part(database, make):
    tell(database, (make.payer(), at(make, 1)), (make.charge(1000, cid="ch_1"), at(make, 1)))
    first, second = threading.Event(), threading.Event()

    def slow():
        with database.begin() as cx:
            touched = service.apply(cx, CON, [(make.invoice(), at(make, 2))], KEY)
            service.refresh(cx, CON, touched, KEY)
            first.set()
            second.wait(0.5)  # the other lane runs into our lock meanwhile

    def other():
        first.wait(5)
        tell(database, (make.dispute(charge_id="ch_1"), at(make, 2)))
        second.set()

    threads = [threading.Thread(target=t) for t in (slow, other)]
    [t.start() for t in threads]
    [t.join(10) for t in threads]
    found = profile(database)
    assert (found["unpaid_invoices"], found["dispute"] is not None) == (1, True)


def test_rows_of_one_payer_only_are_read_for_a_profile(database, make):
    tell(database, *((make.invoice("paid", iid=f"in_{n}"), at(make, 1)) for n in range(5)))
    tell(database, (make.invoice("open", iid="in_9"), at(make, 1)))
    with database.begin() as cx:
        assert [i["id"] for i in store.objects(cx, CON, ["cus_1"])["cus_1"]["invoice"]] == ["in_9"]
        assert cx.execute(sa.select(sa.func.count()).select_from(billing_object)).scalar() == 6
        assert cx.execute(sa.select(sa.func.count()).select_from(billing_profile)).scalar() == 1


def test_a_record_comes_back_as_it_was_told(database, make):
    one = make.subscription(make.item("12.5", 2), discounts=[make.discount(percent="12.5", end=at(make, 5))])
    tell(database, (one, at(make, 1)))
    tell(database, (replace(one), at(make, 2)))
    found = stored(database, "subscription", "sub_1")
    assert (found["items"][0]["unit"], found["discounts"][0]["percent"]) == ("12.5", "12.5")
    assert found["discounts"][0]["end"] == "2026-11-24T00:00:05Z"


def test_text_that_no_database_holds_is_stored_without_it(database, make):
    odd = make.payer(name="A\0c\ud800me \\u0000 \U0001f600", metadata={"k\0": "v"})
    tell(database, (odd, at(make, 1)))
    found = stored(database, "payer", "cus_1")
    assert (found["name"], found["metadata"]) == ("Ac\ufffdme \\u0000 \U0001f600", {"k": "v"})
