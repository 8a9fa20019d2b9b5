"""The mirror ends alike whatever the order and number of tellings, and profiles say what hands would work out."""

import random
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from app.billing import base_facts, profiles, relative_facts, service, store
from app.billing.models import billing_object, billing_reread, seat_count
from app.billing.records import to_json
from integrations.kernel.billing import Charge, Dispute, Gone, Item, Payer, Product, Refund, Subscription
from integrations.kernel.money import Money
from integrations.stripe.amounts import money, unit
from integrations.stripe.objects import record

NOW = datetime.now(UTC).replace(microsecond=0)
DAY = timedelta(days=1)
USED = "seats_used"


def payer(pid="cus_1", currency="USD", **values):
    found = {
        "email": "a@b.example",
        "name": "A",
        "country": "DE",
        "balance": Money(0, currency),
        "created": NOW - 400 * DAY,
    }
    return Payer(id=pid, payer_id=pid, currency=currency, **{**found, **values})


def subscription(pid="cus_1", status="active", quantity=5, currency="USD", sid="sub_1", **values):
    its = Item("si_1", "prod_1", "Team", currency, 2900, quantity, "month", 1, False, NOW + 20 * DAY)
    found = {"started": NOW - 300 * DAY, "cancel_at": None, "cancel_at_period_end": False, "trial_end": None}
    return Subscription(sid, pid, status, False, (its,), (), **{**found, "metadata": {USED: "4"}, **values})


def charge(cid="ch_1", pid="cus_1", amount=14_500, refunded=0, days=10, status="succeeded", currency="USD"):
    m = lambda n: Money(n, currency)  # noqa: E731 - a unit
    captured = amount if status == "succeeded" else 0
    return Charge(cid, pid, status, m(amount), m(captured), m(refunded), NOW - days * DAY, failure_code="card_declined")


def apply(cx, *told, connection="bank"):
    pairs = [one if isinstance(one, tuple) else (one, NOW) for one in told]
    touched = service.apply(cx, connection, pairs, USED)
    return service.refresh(cx, connection, touched, USED)


def facts(cx, *keys):
    found = profiles(cx, [("bank", k) for k in keys])
    base = base_facts([found["bank", k] for k in keys if ("bank", k) in found], list(found.values()))
    return {**base, **relative_facts(base, NOW)}


def test_a_payers_facts(database):
    refund = Refund("re_1", "ch_2", "succeeded", Money(500, "USD"), NOW - 5 * DAY)
    with database.begin() as cx:
        apply(
            cx, payer(), Product("prod_1", "Acme Team"), subscription(), charge(), charge("ch_2", refunded=500, days=40),
            charge("ch_3", status="failed", days=3), refund,
        )  # fmt: skip
        found = facts(cx, "cus_1")
    expected = {
        "billing.plan": "Team", "billing.product": "Acme Team", "billing.seats": 5, "billing.seats_used": 4,
        "billing.mrr": {"minor": 14_500, "currency": "USD"}, "billing.ltv": {"minor": 28_500, "currency": "USD"},
        "billing.status": "active", "billing.payers": 1, "billing.failed_payments_30d": 1, "billing.refunds_90d": 1,
        "billing.refunds_90d_amount": {"minor": 500, "currency": "USD"}, "billing.refund_rate": 0.5,
        "billing.tenure_days": 400, "billing.days_to_renewal": 20, "billing.open_dispute": False,
        "billing.country": "DE", "billing.currency": "USD", "billing.cancel_at": None,
        "billing.last_payment_failure": "card_declined: no reason given",
    }  # fmt: skip
    assert {name: found[name] for name in expected} == expected


def test_several_payers_add_up_by_currency_and_show_what_needs_attention(database):
    with database.begin() as cx:
        apply(
            cx, payer(), subscription(), charge(), payer("cus_2", "JPY"),
            subscription("cus_2", "past_due", 2, "JPY", "sub_2"), charge("ch_9", "cus_2", 900, currency="JPY"),
        )  # fmt: skip
        found = facts(cx, "cus_1", "cus_2")
    assert found["billing.status"] == "past_due"
    assert found["billing.payers"] == 2
    assert found["billing.mrr"] == [{"minor": 5_800, "currency": "JPY"}, {"minor": 14_500, "currency": "USD"}]
    assert found["billing.ltv"] == [{"minor": 900, "currency": "JPY"}, {"minor": 14_500, "currency": "USD"}]


def test_a_refund_and_a_dispute_find_their_payer_whichever_comes_first(database):
    dispute = Dispute("dp_1", "ch_1", "needs_response", Money(14_500, "USD"), "fraudulent", NOW, NOW + 7 * DAY)
    with database.begin() as cx:
        assert apply(cx, dispute) == set()
        apply(cx, payer(), charge())
        found = facts(cx, "cus_1")
    assert found["billing.open_dispute"] is True
    assert found["billing.dispute_amount"] == {"minor": 14_500, "currency": "USD"}


def test_older_tellings_never_overwrite_and_a_deleted_object_counts_no_more(database):
    with database.begin() as cx:
        apply(cx, payer(), (subscription(status="past_due"), NOW))
        apply(cx, (subscription(status="active"), NOW - DAY))
        assert facts(cx, "cus_1")["billing.status"] == "past_due"
        apply(cx, (Gone("subscription", "sub_1", "cus_1"), NOW + DAY))
        assert facts(cx, "cus_1")["billing.status"] == "none"


def test_a_tie_that_differs_is_read_again_once_and_an_equal_one_is_not(database):
    with database.begin() as cx:
        apply(cx, payer(), subscription())
        apply(cx, subscription())
        assert cx.execute(sa.select(sa.func.count()).select_from(billing_reread)).scalar_one() == 0
        for quantity in (7, 8):
            apply(cx, subscription(quantity=quantity))
        assert store.take_rereads(cx, 10) == [("bank", "subscription", "sub_1")]
        service.apply(cx, "bank", [(subscription(quantity=3), NOW)], USED, read=True)
        service.refresh(cx, "bank", ["cus_1"], USED)
        assert facts(cx, "cus_1")["billing.seats"] == 3


@pytest.mark.parametrize("seed", range(12))
def test_any_order_and_number_of_tellings_ends_alike(database, seed):
    told = [(payer(), NOW), (charge(), NOW), (charge(refunded=100), NOW + timedelta(seconds=3))]
    told += [
        (subscription(quantity=n, status=s), NOW + timedelta(seconds=n // 2))
        for n, s in enumerate(("active", "past_due", "active", "unpaid"), 1)
    ]
    told += [
        (Refund("re_1", "ch_1", s, Money(100, "USD"), NOW), NOW + timedelta(seconds=n))
        for n, s in enumerate(("pending", "succeeded"))
    ]
    shuffled = told * 3
    random.Random(seed).shuffle(shuffled)
    rows = []
    for connection, order in (("bank", told), ("other", shuffled)):
        with database.begin() as cx:
            for one in order:
                apply(cx, one, connection=connection)
            query = sa.select(billing_object).where(billing_object.c.connection_id == connection)
            rows.append(sorted((r.kind, r.id, r.payer_id, r.as_of, str(r.data)) for r in cx.execute(query)))
    assert rows[0] == rows[1]


def test_two_accounts_never_mix(database):
    with database.begin() as cx:
        apply(cx, payer(), subscription())
        apply(cx, payer(), connection="other")
        assert facts(cx, "cus_1")["billing.seats"] == 5
        assert profiles(cx, [("other", "cus_1")])["other", "cus_1"]["seats"] is None


def test_seats_are_counted_by_the_day(database):
    with database.begin() as cx:
        apply(cx, payer(), subscription())
        apply(cx, (subscription(quantity=9), NOW + DAY))
        row = cx.execute(sa.select(seat_count)).one()
    assert (row.seats, row.seats_used) == (9, 4)


def test_wire_amounts_become_money_by_stripes_own_table():
    assert [money(1000, c) for c in ("usd", "jpy", "kwd", "ugx")] == [
        Money(1000, "USD"), Money(1000, "JPY"), Money(1000, "KWD"), Money(10, "UGX"),
    ]  # fmt: skip
    assert unit("1.25", "usd") == unit("125", "ugx")


def test_an_object_of_today_is_read_with_its_period_on_the_item():
    raw = {
        "id": "sub_9", "object": "subscription", "customer": {"id": "cus_9"}, "status": "active", "created": 1, "discounts": ["di_1"],
        "items": {"data": [{"id": "si", "quantity": 3, "current_period_end": 1_800_000_000, "price": {
            "currency": "usd", "unit_amount_decimal": "1999.5", "unit_amount": None, "product": "prod_1",
            "recurring": {"interval": "year", "interval_count": 1, "usage_type": "licensed"}}}]},
    }  # fmt: skip
    found = record(raw)
    assert to_json(found)["items"][0]["unit"] == "1999.5"
    assert found.items[0].period_end.year == 2027
    assert found.payer_id == "cus_9"
    assert not found.discounts[0].known
