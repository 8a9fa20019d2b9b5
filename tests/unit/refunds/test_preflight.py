"""The strip: each light turns for its own reason, and one red is enough."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from app.access import Role
from app.identity import Strength
from app.refunds.policy import Limit, Policy, PolicyError, changed, from_json
from app.refunds.preflight import Colour, Decision, Facts, Other, preflight
from app.refunds.states import MOVES, State, sum_of, way
from integrations.kernel.money import Money

NOW = datetime(2026, 11, 24, tzinfo=UTC)
POLICY = Policy(
    enabled=True, limits={Role.REFUNDER: {"USD": Limit(5000, 20_000)}}, charge_days=120, payer_count=2,
    payer_total={"USD": 30_000},
)  # fmt: skip
GOOD = Facts(
    strength=Strength.LINKED, status="succeeded", captured=Money(10_000, "USD"), refunded=Money(0, "USD"),
    reserved=Money(0, "USD"), charged_at=NOW - timedelta(days=3), disputes=(), blocked=False, others=(), earlier={},
    today=0, role=Role.REFUNDER, policy=POLICY,
)  # fmt: skip


def usd(minor):
    return Money(minor, "USD")


def other(state, minor=1200):
    return Other("rfd_1", "per_1", usd(minor), state, NOW)


def test_all_green_is_one_click():
    strip = preflight(GOOD, usd(1000), NOW, "")
    assert {light.colour for light in strip.lights} == {Colour.GREEN}
    assert [light.name for light in strip.lights] == [
        "match", "refundable", "dispute", "in_flight", "window", "earlier", "unit", "limit",
    ]  # fmt: skip
    assert strip.verdict is Decision.ALLOWED


@pytest.mark.parametrize(("changes", "minor", "light", "said"), [
    ({"strength": None}, 1000, "match", "not linked"),
    ({"strength": Strength.COMPANY}, 1000, "match", "not linked"),
    ({"strength": Strength.UNVERIFIED}, 1000, "match", "asks for verified"),
    ({"status": "failed"}, 1000, "refundable", "failed"),
    ({"refunded": usd(9500)}, 1000, "refundable", "Only 5.00 USD"),
    ({"reserved": usd(10_000)}, 1000, "refundable", "on its way"),
    ({}, 0, "refundable", "Only 100.00 USD"),
    ({"disputes": ("needs_response",)}, 1000, "dispute", "paid twice"),
    ({"disputes": ("lost",)}, 1000, "dispute", "paid twice"),
    ({"disputes": ("prevented",)}, 1000, "dispute", "paid twice"),
    ({"disputes": ("appeal_under_review",)}, 1000, "dispute", "paid twice"),
    ({"blocked": True}, 1000, "dispute", "at the bank"),
    ({"others": (other(State.UNKNOWN),)}, 1000, "in_flight", "not known yet|went back"),
    ({"others": (other(State.NEEDS_HUMAN),)}, 1000, "in_flight", "Wait"),
    ({"charged_at": NOW - timedelta(days=121)}, 1000, "window", "121 days old"),
    ({"policy": Policy()}, 1000, "limit", "until an admin says so"),
    ({"policy": replace(POLICY, limits={})}, 1000, "limit", "no refund in USD"),
    ({"role": Role.VIEWER}, 1000, "limit", "viewer"),
    ({"role": Role.APPROVER}, 1000, "limit", "approver no refund"),
])  # fmt: skip
def test_a_red_light_refuses_with_its_reason(changes, minor, light, said):
    import re

    strip = preflight(replace(GOOD, **changes), usd(minor), NOW, "")
    assert strip.verdict is Decision.REFUSED
    assert [one.name for one in strip.lights if one.colour is Colour.RED] == [light]
    assert re.search(said, strip.why)


def test_an_amount_the_vendor_cannot_write_is_refused():
    strip = preflight(GOOD, usd(1000), NOW, "Not certain.")
    assert (strip.verdict, strip.why) == (Decision.REFUSED, "Not certain.")


@pytest.mark.parametrize(("changes", "minor", "said"), [
    ({}, 5001, "50.00 USD a refund"), ({"today": 19_500}, 501, "200.00 USD a day"),
    ({"earlier": {"USD": (2, 100)}}, 1000, "2 refunds in 90 days"),
    ({"earlier": {"EUR": (1, 1), "USD": (1, 1)}}, 1000, "2 refunds in 90 days"),
    ({"earlier": {"USD": (1, 29_500)}}, 1000, "295.00 USD back in 90 days"),
])  # fmt: skip
def test_above_a_limit_it_is_sent_for_approval(changes, minor, said):
    strip = preflight(replace(GOOD, **changes), usd(minor), NOW, "")
    assert strip.verdict is Decision.NEEDS_APPROVAL
    assert said in strip.why


@pytest.mark.parametrize(("changes", "minor"), [
    ({}, 5000), ({"today": 19_500}, 500), ({"earlier": {"USD": (1, 29_000)}}, 1000),
    ({"charged_at": NOW - timedelta(days=120)}, 1000), ({"disputes": ("won", "warning_closed")}, 1000),
    ({"disputes": ("warning_needs_response",)}, 1000), ({"others": (other(State.RESERVED),)}, 1000),
])  # fmt: skip
def test_at_the_limit_it_is_still_allowed(changes, minor):
    assert preflight(replace(GOOD, **changes), usd(minor), NOW, "").verdict is Decision.ALLOWED


def test_a_refund_on_its_way_is_shown_with_who_asked():
    strip = preflight(replace(GOOD, others=(other(State.SENDING),)), usd(1000), NOW, "")
    light = next(one for one in strip.lights if one.name == "in_flight")
    assert (light.colour, light.text) == (Colour.AMBER, "A refund of 12.00 USD by per_1 is in progress.")


def test_a_policy_is_changed_by_words_and_comes_back_as_it_was():
    new = changed(Policy(), {
        "enabled": "yes", "limit.refunder.USD": "5000/20000", "limit.approver.JPY": "1/2", "payer_total.USD": "7",
        "strength": "linked", "charge_days": "30",
    })  # fmt: skip
    assert new.limit(Role.REFUNDER, "USD") == Limit(5000, 20_000)
    assert from_json(new.to_json()) == new
    assert changed(new, {"limit.refunder.USD": "none"}).limit(Role.REFUNDER, "USD") is None


@pytest.mark.parametrize("wish", [
    ("enabled", "maybe"), ("limit.refunder.usd", "1/2"), ("limit.viewer.USD", "1/2"), ("limit.boss.USD", "1/2"),
    ("limit.refunder.USD", "1"), ("limit.refunder.USD", "-1/5"), ("charge_days", "ten"), ("strength", "company"),
    ("nonsense", "1"), ("payer_total.US", "1"),
])  # fmt: skip
def test_a_wish_that_cannot_be_read_changes_nothing(wish):
    with pytest.raises(PolicyError, match=wish[0].replace(".", r"\.")):
        changed(Policy(), dict([wish]))


@pytest.mark.parametrize(("name", "value", "bound"), [
    ("approval_hours", "0", "1 to 720"), ("approval_hours", "721", "1 to 720"),
    ("approval_hours", "99999999999999", "1 to 720"), ("charge_days", "10000", "0 to 9999"),
    ("limit.refunder.EUU", "5000/20000", "EUU is no currency"), ("payer_total.XXX", "5", "XXX is no currency"),
    ("limit.refunder.EUR", "5000/100", "100 a day is less than 5000 a refund"),
])  # fmt: skip
def test_a_value_that_would_break_every_approval_is_refused_with_its_bound(name, value, bound):
    with pytest.raises(PolicyError) as caught:
        changed(Policy(), {"payer_count": "3", name: value})
    assert f"{name}={value} ({bound}" in str(caught.value)
    assert "payer_count" not in str(caught.value)


def test_the_bounds_themselves_and_what_is_taken_away_are_taken():
    assert changed(Policy(), {"approval_hours": "720", "charge_days": "0"}).approval_hours == 720
    assert (
        changed(Policy(), {"approval_hours": "1", "charge_days": "9999", "limit.admin.KWD": "5/5"}).charge_days == 9999
    )
    old = from_json(Policy().to_json() | {
        "approval_hours": 0, "charge_days": 99999, "payer_total": {"EUU": 1},
        "limits": {"refunder": {"EUU": {"per_refund": 9, "per_day": 1}}},
    })  # fmt: skip
    assert (old.approval_hours, old.limit(Role.REFUNDER, "EUU")) == (0, Limit(9, 1)), "what was stored before is read"
    new = changed(old, {"limit.refunder.EUU": "none", "payer_total.EUU": "none", "payer_count": "3"})
    assert (new.limit(Role.REFUNDER, "EUU"), new.payer_total, new.approval_hours) == (None, {}, 0)


def test_nobody_may_refund_before_an_admin_says_so():
    assert not Policy().enabled
    assert Policy().limits == {}


def test_the_moves_are_those_of_the_design():
    """trust.md 2.4, and out of needs_human what a person or the vendor decides."""
    assert {s.value: {m.value for m in MOVES[s]} for s in MOVES if MOVES[s]} == {
        "proposed": {"awaiting_approval", "reserved"},
        "awaiting_approval": {"reserved", "declined", "expired", "voided"},
        "reserved": {"sending"},
        "sending": {"succeeded", "pending_vendor", "requires_action", "rejected", "unknown"},
        "unknown": {"sending", "succeeded", "pending_vendor", "needs_human"},
        "pending_vendor": {"succeeded", "failed", "canceled"},
        "requires_action": {"pending_vendor", "succeeded", "failed", "canceled"},
        "succeeded": {"failed"},
        "needs_human": {"succeeded", "pending_vendor", "rejected"},
    }


@pytest.mark.parametrize(("old", "new", "steps"), [
    ("sending", "failed", ["pending_vendor", "failed"]), ("unknown", "requires_action", ["sending", "requires_action"]),
    ("unknown", "rejected", ["sending", "rejected"]), ("unknown", "canceled", ["pending_vendor", "canceled"]),
    ("sending", "needs_human", ["unknown", "needs_human"]), ("needs_human", "failed", ["pending_vendor", "failed"]),
    ("succeeded", "pending_vendor", None), ("rejected", "succeeded", None), ("failed", "succeeded", None),
    ("sending", "sending", []),
])  # fmt: skip
def test_a_way_goes_by_moves_only(old, new, steps):
    found = way(State(old), State(new))
    assert (None if found is None else [s.value for s in found]) == steps


def test_every_state_of_doubt_holds_the_money_back():
    assert {s.value for s in State if sum_of(s) == "reserved"} == {"reserved", "sending", "unknown", "needs_human"}
    assert {s.value for s in State if sum_of(s) == "refunded"} == {"pending_vendor", "requires_action", "succeeded"}
