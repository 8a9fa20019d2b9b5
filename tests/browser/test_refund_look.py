"""Every state of a refund as an agent sees it, narrow and wide, light and dark: accessible, whole, a quiet console."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from app import access
from app.access import Login, Role
from app.refunds.states import State
from app.refunds.store import put_policy
from sidebar_app.refund_states import STALLED, WORDS
from tests import sidebar_world as world
from tests.browser.looking import check
from tests.browser.money import asked, type_amount

WHY = {  # as the saga writes them
    State.AWAITING_APPROVAL: "Above your 500.00 EUR a refund: it is sent for approval.",
    State.UNKNOWN: "The vendor was asked and gave no answer.",
    State.NEEDS_HUMAN: "Not found at the vendor 23 hours after the first try.",
    State.FAILED: "expired_or_canceled_card",
    State.REJECTED: "The vendor refused it: charge_already_refunded.",
    State.DECLINED: "Asked for twice; see ticket 35112.",
    State.EXPIRED: "Nobody approved it in time.",
    State.VOIDED: "Taken back.",
}


@pytest.fixture
def desk(money_desk):
    """With what makes lights red: disputes, an old charge, a currency nobody is sure of, yen."""
    dispute = lambda n, status: world.k.Dispute(  # noqa: E731 - a short name for a long call
        f"dp_{n}", f"ch_cus_1_{n}", status, world.Money(124000, "EUR"), "fraudulent", world.ago(0), world.ago(-6), "cus_1"
    )  # fmt: skip
    with money_desk.begin() as cx:
        world.bill(
            cx, world.charge(20, disputed=True, days=0), dispute(20, "needs_response"),
            world.charge(21, days=1), dispute(21, "warning_needs_response"),
            world.charge(22, days=2, minor=1_234_567_890, currency="HUF"),
            world.charge(23, days=3, minor=1_250_000, currency="JPY"),
        )  # fmt: skip
        world.may_refund(cx, limit__refunder__HUF="1/1", limit__refunder__JPY="900/900")
    return money_desk


def quiet(agent):
    """Only what the browser itself says of a refusal."""
    return [line for line in agent.said if "Failed to load resource" not in line]


def put(desk, state, why="", stalled=False):
    """Put the one intent there, as if the saga had."""
    with desk.begin() as cx:
        told = {"state": state.value, "why": why, "stalled": stalled}
        cx.execute(
            sa.text(
                "UPDATE refund_intent SET state = :state, why = :why, state_at = now(), moves = moves + 1,"
                " stalled_at = CASE WHEN :stalled THEN now() END"
            ),
            told,
        )


def test_where_a_refund_is(look, desk):
    agent = look(width=320)
    frame = asked(desk, agent, "1240.00")
    row = frame.locator("li[data-refund]")
    for state, (pill, said) in WORDS.items():
        put(desk, state, WHY.get(state, ""))
        row.locator(".pill", has_text=pill.text).wait_for()
        assert said in row.text_content()
        check(agent, f"is-{state.value}")
    put(desk, State.PENDING_VENDOR, stalled=True)
    row.locator(".pill", has_text=STALLED[0].text).wait_for()
    check(agent, "is-stalled")
    assert quiet(agent) == []


def form_of(agent, charge):
    frame = agent.frame
    if frame.locator("#back").count():
        frame.locator("#back").click()
        agent.wait("one")
    frame.locator(f"#refund-{charge}").click()
    agent.wait("refund")
    return frame


def test_the_form_and_every_reason_it_gives(look, desk):
    line = world.k.Line(
        "il_1", "Scale, 42 seats, from 17 October to 16 November", world.Money(124000, "EUR"), 1, world.ago(15), world.ago(-15)
    )  # fmt: skip
    with desk.begin() as cx:
        cx.execute(sa.text("DELETE FROM billing_object WHERE id = 'in_cus_1_0'"))
        world.bill(cx, world.invoice(0, lines=(line,)))
    agent = look(width=320)
    agent.open(state="one")
    frame = form_of(agent, "ch_cus_1_0")
    check(agent, "form-over-the-limit")
    type_amount(frame, "12.00", "Refund €12.00")
    check(agent, "form-green")
    frame.get_by_label("Amount in EUR").fill("1.240,00")
    frame.locator("#typing", has_text="without separators").wait_for()
    assert frame.locator("#amount + #typing").count() == 1, "beside the field"
    check(agent, "form-mistake")
    type_amount(frame, "500.01", "Send for approval")
    for charge, said, name in (
        ("ch_cus_1_20", "a refund now would be paid twice", "disputed"),
        ("ch_cus_1_21", "a full refund now ends that", "inquiry"),
        ("ch_cus_1_22", "HUF", "unsupported"),
        ("ch_cus_1_23", "Send for approval", "yen"),
    ):
        form_of(agent, charge).get_by_text(said).first.wait_for()
        check(agent, f"form-{name}")
    with desk.begin() as cx:
        world.may_refund(cx, charge_days="5", payer_count="1")
    form_of(agent, "ch_cus_1_0").get_by_text("days old; the policy allows 5").first.wait_for()
    check(agent, "form-too-old")
    assert quiet(agent) == []


def test_what_is_asked_once_more(look, desk):
    agent = look(width=320)
    frame = asked(desk, agent)
    form_of(agent, "ch_cus_1_0")
    type_amount(frame, "12.00", "Refund €12.00")
    frame.locator("#refund-go").click()
    frame.get_by_label("Yes, refund it once more").wait_for()
    check(agent, "form-again")
    frame.get_by_label("Yes, refund it once more").check()
    frame.get_by_label("Reason").select_option("fraudulent")
    frame.locator("#refund-go").click()
    frame.get_by_label("Yes, block this card and address").wait_for()
    check(agent, "form-fraudulent")
    put(desk, State.UNKNOWN, WHY[State.UNKNOWN])
    form_of(agent, "ch_cus_1_0").get_by_text("is not known yet").first.wait_for()
    check(agent, "form-in-doubt")
    put(desk, State.SENDING)
    with desk.begin() as cx:
        bea = access.add_person(cx, "per_setup", "Bea Lindqvist-Okonkwo", Role.REFUNDER)
        access.attach(cx, "per_setup", bea, Login(world.DESK, "500"))
        cx.execute(sa.text("UPDATE refund_intent SET person_id = :p"), {"p": bea})
    form_of(agent, "ch_cus_1_0").get_by_text("by Bea Lindqvist-Okonkwo is in progress").first.wait_for()
    check(agent, "form-in-progress-by-another")
    assert quiet(agent) == []


def test_who_may_not(look, desk, zendesk):
    with desk.begin() as cx:
        put_policy(cx, world.Policy(), "per_setup")
    agent = look(width=320)
    frame = agent.open(state="one")
    frame.get_by_text("Nobody may refund until an admin says so.").wait_for()
    check(agent, "refunds-off")
    with desk.begin() as cx:
        world.may_refund(cx)
    frame.locator("#refund-ch_cus_1_0").wait_for()
    zendesk.state.users[501]["suspended"] = True
    frame.locator("#refund-ch_cus_1_0").click()
    agent.wait("refund-refused")
    check(agent, "refund-refused")
    assert quiet(agent) == []


def test_the_question_before_it_is_taken_back(look, desk):
    agent = look(width=320)
    frame = asked(desk, agent, "1240.00")
    frame.get_by_role("button", name="Take back").click()
    agent.wait("refund-void")
    check(agent, "take-back")
    frame.locator("#void-go").click()
    frame.get_by_text("Taken back.").wait_for()
    check(agent, "taken-back")
    assert quiet(agent) == []
