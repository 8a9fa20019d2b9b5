"""Profiles and the facts made of them, on numbers worked by hand."""

import json
from datetime import timedelta

from app.billing.facts import RELATIVE, base_facts, relative_facts
from integrations.kernel.billing import Price, Product
from integrations.kernel.money import Money


def facts(make, *payers, company=None, days=0):
    """All facts, `days` after NOW."""
    base = base_facts(payers, payers if company is None else company)
    assert json.loads(json.dumps(base)) == base  # JSON values only, they are stored with the event
    return base | relative_facts(base, make.NOW + timedelta(days=days))


def test_nobody_is_an_answer_of_its_own(make):
    found = facts(make)
    assert (found["billing.payers"], found["billing.status"], found["billing.company_mrr"]) == (0, "none", [])
    assert found["billing.mrr"] is None
    assert found["billing.open_dispute"] is None
    assert found["billing.refunds_90d"] == 0


def test_facts_that_were_never_gathered_are_not_made_up(make):
    assert relative_facts({"ticket.status": "open"}, make.NOW) == {}


def test_plan_and_product_and_seats(make):
    one = make.subscription(
        make.item(1000, 5, product_id="prod_1", price_id="price_1"), make.item(1, 999, metered=True),
        metadata={"seats_used": "4"},
    )  # fmt: skip
    sold = [Product("prod_1", "Acme Team"), Price("price_1", "prod_1", "Team yearly", ())]
    found = facts(make, make.profile(make.payer(), one, sold=sold))
    assert (found["billing.plan"], found["billing.product"]) == ("Acme Team, Team yearly", "Acme Team")
    assert (found["billing.seats"], found["billing.seats_used"]) == (5, 4)


def test_a_seat_count_that_is_no_number_is_no_value(make):
    for told in ("many", "-3", "", "9" * 40, "٣"):
        one = make.subscription(make.item(1), metadata={"seats_used": told})
        assert make.profile(make.payer(), one)["seats_used"] is None


def test_ltv_is_paid_minus_refunded_partial_refunds_too(make):
    charges = [make.charge(5000), make.charge(3000, refunded=1000), make.charge(900, status="failed")]
    charges += [make.charge(700, currency="JPY", refunded=700)]
    found = facts(make, make.profile(make.payer(), *charges))
    assert found["billing.ltv"] == [{"minor": 0, "currency": "JPY"}, {"minor": 7000, "currency": "USD"}]


def test_refunds_of_90_days_count_partly_and_fall_out_by_themselves(make):
    refunds = [make.refund(500, days=3), make.refund(250, days=80), make.refund(9, days=95)]
    refunds += [make.refund(77, status="failed"), make.refund(77, status="canceled"), make.refund(40, status="pending")]
    profile = make.profile(make.payer(), *[make.charge(1000) for _ in range(8)], *refunds)
    found = facts(make, profile)
    assert found["billing.refunds_90d"] == 3
    assert found["billing.refunds_90d_amount"] == {"minor": 790, "currency": "USD"}
    assert found["billing.refund_rate"] == 0.375
    assert facts(make, profile, days=11)["billing.refunds_90d"] == 2
    assert facts(make, profile, days=89)["billing.refunds_90d"] == 0
    assert facts(make, profile, days=-6)["billing.refunds_90d"] == 2  # a replay knows nothing that came after


def test_failed_payments_of_30_days_and_the_last_one(make):
    charges = [
        make.charge(status="failed", days=d, failure_code="card_declined", failure_text=f"No {d}") for d in (2, 9, 31)
    ]
    found = facts(make, make.profile(make.payer(), *charges))
    assert found["billing.failed_payments_30d"] == 2
    assert found["billing.last_payment_failure"] == "card_declined: No 2"
    assert facts(make, make.profile(make.payer(), *charges), days=25)["billing.failed_payments_30d"] == 1


def test_renewal_and_the_days_to_it(make):
    items = [make.item(1, period_end=make.NOW + timedelta(days=d)) for d in (30, 12)]
    profile = make.profile(make.payer(), make.subscription(*items))
    assert facts(make, profile)["billing.renews_on"] == "2026-12-06"
    assert facts(make, profile)["billing.days_to_renewal"] == 12
    assert facts(make, profile, days=10)["billing.days_to_renewal"] == 2


def test_what_was_cancelled_ends_and_does_not_renew(make):
    end = make.NOW + timedelta(days=12)
    its = make.item(1, period_end=end)
    for told in ({"cancel_at_period_end": True}, {"cancel_at": end}, {"cancel_at": end, "cancel_at_period_end": True}):
        found = facts(make, make.profile(make.payer(), make.subscription(its, **told)))
        assert (found["billing.renews_on"], found["billing.cancel_at"]) == (None, "2026-12-06")
        assert found["billing.days_to_renewal"] is None


def test_a_cancellation_after_the_next_renewal_renews_once_more(make):
    one = make.subscription(make.item(1), cancel_at=make.NOW + timedelta(days=90))
    found = facts(make, make.profile(make.payer(), one))
    assert (found["billing.renews_on"], found["billing.cancel_at"]) == ("2026-12-04", "2027-02-22")


def test_a_trial_has_an_end_and_no_mrr(make):
    one = make.subscription(make.item(1000), status="trialing", trial_end=make.NOW + timedelta(days=5))
    found = facts(make, make.profile(make.payer(), one))
    assert (found["billing.status"], found["billing.trial_ends_on"], found["billing.mrr"]) == (
        "trialing", "2026-11-29", None,
    )  # fmt: skip


def test_a_paused_collection_is_paused_and_does_not_renew(make):
    found = facts(make, make.profile(make.payer(), make.subscription(make.item(1000), paused=True)))
    assert (found["billing.status"], found["billing.renews_on"], found["billing.mrr"]) == ("paused", None, None)


def test_several_payers_worst_status_sums_by_currency_earliest_dates(make):
    one = make.profile(make.payer(), make.subscription(make.item(1000, 2)), make.charge(4000))
    two = make.profile(
        make.payer("cus_2", country="FR"),
        make.subscription(make.item(500, period_end=make.NOW + timedelta(days=3)), pid="cus_2", status="past_due"),
        make.subscription(make.item(700, currency="EUR"), pid="cus_2", sid="sub_3"),
    )
    found = facts(make, one, two)
    assert (found["billing.payers"], found["billing.status"], found["billing.seats"]) == (2, "past_due", 4)
    assert found["billing.mrr"] == [{"minor": 700, "currency": "EUR"}, {"minor": 2500, "currency": "USD"}]
    assert found["billing.country"] is None
    assert found["billing.renews_on"] == "2026-11-27"
    assert found["billing.ltv"] == {"minor": 4000, "currency": "USD"}
    alone = facts(make, one, company=[one, two])
    assert alone["billing.mrr"] == {"minor": 2000, "currency": "USD"}
    assert alone["billing.company_mrr"] == [{"minor": 700, "currency": "EUR"}, {"minor": 2500, "currency": "USD"}]


def test_an_open_dispute_and_the_one_due_first(make):
    disputes = [
        make.dispute(did="dp_1", due=9),
        make.dispute(did="dp_2", due=4, minor=250),
        make.dispute("won", did="dp_3"),
    ]
    found = facts(make, make.profile(make.payer(), *disputes))
    assert found["billing.open_dispute"] is True
    assert found["billing.dispute_amount"] == {"minor": 250, "currency": "USD"}
    assert found["billing.dispute_due_by"] == "2026-11-28T00:00:00Z"
    closed = facts(make, make.profile(make.payer(), make.dispute("lost"), make.dispute("warning_closed")))
    assert (closed["billing.open_dispute"], closed["billing.dispute_amount"]) == (False, None)


def test_delinquent_by_a_failed_try_or_by_a_due_day_that_passed(make):
    def delinquent(days, **told):
        return facts(make, make.profile(make.payer(), make.invoice(**told)), days=days)["billing.delinquent"]

    assert delinquent(0) is True
    assert delinquent(0, attempts=0) is False
    assert delinquent(0, status="paid") is False
    due = make.NOW + timedelta(days=7)
    assert delinquent(6, attempts=0, due=due) is False
    assert delinquent(8, attempts=0, due=due) is True
    assert delinquent(8, attempts=0, due=due, status="void") is False


def test_the_card_that_pays_counts_to_the_end_of_its_month(make):
    cards = [make.card(2026, 12, "pm_old"), make.card(2031, 4, "pm_new")]
    assert facts(make, make.profile(make.payer(), *cards))["billing.card_expires_in_days"] == 1618
    named = make.profile(make.payer(method_id="pm_old"), *cards)
    assert facts(make, named)["billing.card_expires_in_days"] == 37
    by_subscription = make.profile(
        make.payer(method_id="pm_new"), make.subscription(make.item(1), method_id="pm_old"), *cards
    )
    assert facts(make, by_subscription)["billing.card_expires_in_days"] == 37


def test_balance_tenure_country_currency(make):
    found = facts(make, make.profile(make.payer(balance=Money(-700, "USD"))))
    assert found["billing.balance"] == {"minor": -700, "currency": "USD"}
    assert (found["billing.tenure_days"], found["billing.country"], found["billing.currency"]) == (365, "DE", "USD")


def test_long_lists_are_capped_to_the_newest(make):
    refunds = [make.refund(1, days=d % 399) for d in range(300)]
    kept = make.profile(make.payer(), *refunds)["refunds"]
    assert len(kept) == 100
    assert kept[-1][0] == "2026-11-24T00:00:00Z"


def test_relative_facts_are_those_that_are_named_relative(make):
    base = base_facts([make.profile(make.payer())], [])
    assert set(relative_facts(base, make.NOW)) == set(RELATIVE)
