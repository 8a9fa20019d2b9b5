"""Approvals: bound to what was shown, by another person, once; they expire, and any change voids them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from app import access, refunds
from app.access import Login, Role, Staff
from app.access.policy import StaleRole
from app.agents import store as agents
from app.audit import store as audit_store
from app.refunds import State, approvals, follow
from app.refunds.approvals import Closed, NotAsShown, OwnProposal
from app.refunds.offers import OfferGone
from app.refunds.policy import NotPermitted
from app.refunds.service import RefundRefused
from integrations.kernel.clock import utc_now
from integrations.kernel.errors import NotAllowed
from integrations.kernel.records import AgentRecord


@pytest.fixture
def proposal(world):
    """150.00 of a charge of 200.00, above the agent's limit."""
    world.policy(limit__refunder__USD="5000/20000", limit__approver__USD="20000/100000")
    return world.request(world.charge(20_000), 15_000)


def eve(world):
    return world.actor("Eve", Role.APPROVER)


def test_above_the_limit_nothing_is_reserved_until_somebody_else_approves(world, proposal):
    assert (proposal.state, world.row(proposal.charge_id).reserved) == (State.AWAITING_APPROVAL, 0)
    assert "Above your 50.00 USD" in proposal.why
    assert world.drain() == 0
    assert refunds.approve(world.ctx, eve(world), proposal.id, proposal.bound).state is State.RESERVED
    world.drain()
    assert world.state(proposal.id) is State.SUCCEEDED
    assert world.intent(proposal.id).approver_id == world.people["Eve"]
    world.check()


def test_those_who_may_approve_are_told_and_not_who_asked(world):
    world.policy(limit__approver__USD="5000/20000")
    asks = eve(world)
    with world.database.begin() as cx:
        access.add_person(cx, "per_setup", "Ida", Role.ADMIN, "ida@desk.example")
        access.add_person(cx, "per_setup", "Zoe", Role.REFUNDER, "zoe@desk.example")
        cx.execute(sa.text("UPDATE access_person SET email = 'eve@desk.example' WHERE id = :i"), {"i": asks.person_id})
    world.request(world.charge(20_000), 15_000, asks)
    assert [(n.kind, n.recipients) for n in world.notices()] == [("refund.approval", ["ida@desk.example"])]


def test_however_many_approve_it_is_made_once(world, proposal):
    actors = [world.actor(name, Role.APPROVER) for name in ("Eve", "Max", "Ida", "Tom")]
    with ThreadPoolExecutor(4) as pool:
        states = list(pool.map(lambda a: refunds.approve(world.ctx, a, proposal.id, proposal.bound).state, actors))
    assert set(states) == {State.RESERVED}
    world.drain()
    assert len(world.at_vendor(proposal.id)) == 1
    assert refunds.approve(world.ctx, eve(world), proposal.id, proposal.bound).state is State.SUCCEEDED
    world.check()


def test_nobody_approves_what_they_asked_for_also_by_another_login(world):
    world.policy(limit__approver__USD="5000/20000", limit__admin__USD="90000/90000")
    intent = world.request(world.charge(20_000), 15_000, eve(world))
    with pytest.raises(OwnProposal):
        refunds.approve(world.ctx, eve(world), intent.id, intent.bound)
    with pytest.raises(NotPermitted, match="above what you may approve"):
        refunds.approve(world.ctx, world.actor("Max", Role.APPROVER), intent.id, intent.bound)
    refunds.approve(world.ctx, world.actor("Ada", Role.ADMIN), intent.id, intent.bound)


def from_the_helpdesk(world, mirrored=None):
    """150.00 asked for in the helpdesk by a login nobody is named for; Eve, Ida are approvers. Answers intent, Eve's id."""
    world.policy(limit__refunder__USD="5000/20000", limit__approver__USD="20000/100000")
    with world.database.begin() as cx:
        access.set_rule(cx, "per_setup", "con_desk", "group", "g1", Role.REFUNDER)
        person = access.add_person(cx, "per_setup", "Eve", Role.APPROVER, "eve@desk.example")
        access.add_person(cx, "per_setup", "Ida", Role.APPROVER, "ida@desk.example")
        if mirrored:
            staff = [AgentRecord("12", utc_now(), "Eve", mirrored, "agent", None, "all", ("g1",))]
            agents.replace_all(cx, "con_desk", staff, utc_now())
        staff = Staff("agent", None, ("g1",), active=True, checked_at=utc_now())
        asks = access.actor(cx, Login("con_desk", "12"), staff, utc_now())
    return world.request(world.charge(20_000), 15_000, asks), person


def judged(world, actor, intent):
    with world.database.begin() as cx:
        return approvals.judge(cx, world.ctx, actor, intent)[1]


def console(world, person):
    with world.database.begin() as cx:
        return access.named(cx, person, utc_now())


def test_nobody_approves_what_they_asked_for_by_a_login_that_is_named_as_theirs_later(world):
    intent, person = from_the_helpdesk(world)
    assert intent.person_id == "con_desk:12"
    with world.database.begin() as cx:
        access.attach(cx, "per_setup", person, Login("con_desk", "12"))
    assert isinstance(judged(world, console(world, person), intent), OwnProposal)
    with pytest.raises(OwnProposal):
        refunds.approve(world.ctx, console(world, person), intent.id, intent.bound)
    assert world.state(intent.id) is State.AWAITING_APPROVAL
    assert refunds.approve(world.ctx, named(world, "Ida"), intent.id, intent.bound).state is State.RESERVED


def test_who_asked_by_a_login_that_was_attached_since_takes_it_back_by_that_login(world):
    intent, person = from_the_helpdesk(world)
    with world.database.begin() as cx:
        access.attach(cx, "per_setup", person, Login("con_desk", "12"))
        staff = Staff("agent", None, ("g1",), active=True, checked_at=utc_now())
        mine, other = (access.actor(cx, Login("con_desk", one), staff, utc_now()) for one in ("12", "13"))
    assert (mine.person_id, refunds.may_void(mine, intent), refunds.may_void(other, intent)) == (person, True, False)
    assert refunds.void(world.ctx, mine, intent.id).why == "Taken back."


@pytest.mark.parametrize("mirrored", ["eve@desk.example", " EVE@Desk.Example"])
def test_nobody_approves_what_came_from_a_login_with_their_own_address(world, mirrored):
    """Nobody said whose login it is; the helpdesk says by whose address."""
    intent, person = from_the_helpdesk(world, mirrored)
    assert [n.recipients for n in world.notices()] == [["ida@desk.example"]], "nor are they sent the link"
    assert isinstance(judged(world, console(world, person), intent), OwnProposal)
    with pytest.raises(OwnProposal):
        refunds.approve(world.ctx, console(world, person), intent.id, intent.bound)
    assert judged(world, named(world, "Ida"), intent) is None
    assert refunds.approve(world.ctx, named(world, "Ida"), intent.id, intent.bound).state is State.RESERVED


def test_two_people_with_one_address_are_one(world):
    """Named twice: once as who refunds in the helpdesk, once as who approves."""
    world.policy(limit__refunder__USD="5000/20000", limit__approver__USD="20000/100000")
    asks = world.actor("Bea")
    with world.database.begin() as cx:
        person = access.add_person(cx, "per_setup", "Bea as approver", Role.APPROVER, "Bea@desk.example")
        cx.execute(sa.text("UPDATE access_person SET email = 'bea@desk.example' WHERE id = :i"), {"i": asks.person_id})
    intent = world.request(world.charge(20_000), 15_000, asks)
    assert [n.recipients for n in world.notices()] == [[]]
    with pytest.raises(OwnProposal):
        refunds.approve(world.ctx, console(world, person), intent.id, intent.bound)


def test_a_stranger_without_an_address_is_nobody_of_ours(world):
    """That neither side has one does not make them the same."""
    intent, _ = from_the_helpdesk(world, "other@desk.example")
    assert len(world.notices()) == 2
    assert refunds.approve(world.ctx, eve(world), intent.id, intent.bound).state is State.RESERVED


def named(world, name):
    with world.database.begin() as cx:
        return access.named(cx, access.whose(cx, name), utc_now())


@pytest.mark.parametrize("role", [Role.VIEWER, Role.REFUNDER])
def test_who_may_not_approve_does_not(world, proposal, role):
    with pytest.raises(NotAllowed):
        refunds.approve(world.ctx, world.actor("Zoe", role), proposal.id, proposal.bound)


def test_a_role_looked_up_too_long_ago_moves_no_money(world, proposal):
    late = world.actor("Max", Role.APPROVER, checked_at=utc_now() - timedelta(seconds=11))
    with pytest.raises(StaleRole):
        refunds.approve(world.ctx, late, proposal.id, proposal.bound)


def test_what_is_not_as_it_was_shown_is_not_approved(world, proposal):
    with pytest.raises(NotAsShown):
        refunds.approve(world.ctx, eve(world), proposal.id, "0" * 64)
    assert world.state(proposal.id) is State.AWAITING_APPROVAL


@pytest.mark.parametrize(
    "column", ["amount = 14000", "reason = 'duplicate'", "charge_id = charge_id", "payer_id = payer_id"]
)
def test_any_change_voids_it(world, proposal, column):
    """Somebody changes the row, or the charge gets another payer at the vendor."""
    with world.database.begin() as cx:
        if "payer_id" in column or "charge_id" in column:
            cx.execute(
                sa.text('UPDATE billing_object SET data = data || \'{"payer_id": "cus_2"}\' WHERE id = :i'),
                {"i": proposal.charge_id},
            )
        else:
            cx.execute(sa.text(f"UPDATE refund_intent SET {column} WHERE id = :i"), {"i": proposal.id})
    with pytest.raises(NotAsShown, match="void"):
        refunds.approve(world.ctx, eve(world), proposal.id, proposal.bound)
    assert world.state(proposal.id) is State.VOIDED


def test_a_dispute_that_came_meanwhile_stops_it(world, proposal):
    world.stripe.state.open_dispute(proposal.charge_id)
    world.mirror(proposal.charge_id)
    with pytest.raises(RefundRefused, match="disputed"):
        refunds.approve(world.ctx, eve(world), proposal.id, proposal.bound)
    assert world.state(proposal.id) is State.AWAITING_APPROVAL


def test_what_waits_for_too_long_expires(world, proposal):
    other = world.request(world.charge(20_000), 15_000)
    with world.database.begin() as cx:
        cx.execute(sa.text("UPDATE refund_intent SET expires_at = now() - interval '1 second'"))
    with pytest.raises(Closed, match="expired"):
        refunds.approve(world.ctx, eve(world), proposal.id, proposal.bound)
    assert follow.sweep(world.ctx) == 1
    assert {world.state(i.id) for i in (proposal, other)} == {State.EXPIRED}
    world.check()


def test_it_is_declined_or_taken_back(world, proposal):
    other = world.request(world.charge(20_000), 15_000)
    refunds.decline(world.ctx, eve(world), proposal.id, "too much")
    with pytest.raises(NotPermitted):
        refunds.void(world.ctx, world.actor("Zoe"), other.id)
    refunds.void(world.ctx, world.actor(), other.id)
    assert [world.state(i.id) for i in (proposal, other)] == [State.DECLINED, State.VOIDED]
    with pytest.raises(Closed):
        refunds.approve(world.ctx, eve(world), proposal.id, proposal.bound)
    world.check()


def test_an_admin_takes_back_what_somebody_else_asked_for_and_the_record_says_who(world, proposal):
    admin = world.actor("Ada", Role.ADMIN)
    assert refunds.may_void(admin, proposal)
    assert not refunds.may_void(eve(world), proposal), "an approver declines, which takes a reason"
    assert not refunds.may_void(replace(world.actor(), role=Role.VIEWER), proposal)
    done = refunds.void(world.ctx, admin, proposal.id)
    assert (done.state, done.why) == (State.VOIDED, "Taken back by an admin.")
    assert not refunds.may_void(admin, done)
    with world.database.begin() as cx:
        last = [entry for entry, _, _ in audit_store.rows(cx, subject=proposal.id)][-1]
    assert (last.action, last.actor) == ("refund.voided", admin.person_id)
    world.check()


@pytest.mark.parametrize(
    ("first", "said"), [("approve", "approved meanwhile"), ("decline", "declined"), ("void", "taken back")]
)
def test_what_waits_no_more_is_not_taken_back_and_says_why(world, proposal, first, said):
    if first == "approve":
        refunds.approve(world.ctx, eve(world), proposal.id, proposal.bound)
    elif first == "decline":
        refunds.decline(world.ctx, eve(world), proposal.id, "too much")
    else:
        refunds.void(world.ctx, world.actor(), proposal.id)
    before = world.state(proposal.id)
    with pytest.raises(Closed, match=said):
        refunds.void(world.ctx, world.actor(), proposal.id)
    assert world.state(proposal.id) is before
    world.check(ends=first != "approve")


def test_many_are_approved_one_by_one_and_each_says_why_not(world, proposal):
    others = [world.request(world.charge(20_000), 15_000) for _ in range(2)]
    refunds.decline(world.ctx, eve(world), others[0].id, "no")
    told = [(i.id, i.bound) for i in (proposal, *others)]
    outcomes = refunds.approve_many(world.ctx, eve(world), told)
    assert [(o.state, o.said) for o in outcomes] == [("reserved", ""), ("", "It was declined."), ("reserved", "")]
    assert refunds.waiting(world.ctx) == []


def test_an_offer_is_for_one_person_five_minutes_and_unchanged(world):
    charge, bea = world.charge(), world.actor()
    wish = world.wish(charge, 1000, bea)
    with pytest.raises(OfferGone, match="somebody else"):
        refunds.request(world.ctx, world.actor("Zoe"), wish)
    for broken in ("", ".", wish.offer[:-2], "x" + wish.offer, wish.offer.replace(".", "..")):
        with pytest.raises(OfferGone):
            refunds.request(world.ctx, bea, refunds.Wish(broken, wish.amount))
    later = refunds.Context(
        world.database, world.settings, world.ctx.ladder, world.ctx.vendor_of, world.ctx.wake,
        lambda: utc_now() + timedelta(minutes=5),
    )  # fmt: skip
    with pytest.raises(OfferGone, match="five minutes"):
        refunds.request(later, world.actor("Bea", checked_at=utc_now() + timedelta(minutes=5)), wish)


def test_a_day_has_one_limit_over_all_charges(world):
    world.policy(limit__refunder__USD="5000/8000")
    first = world.request(world.charge(), 5000)
    second = world.request(world.charge(), 3000)
    third = world.request(world.charge(), 1)
    assert [i.state for i in (first, second, third)] == [State.RESERVED, State.RESERVED, State.AWAITING_APPROVAL]
    assert world.request(world.charge(), 5000, world.actor("Zoe")).state is State.RESERVED


def test_two_clicks_at_once_on_two_charges_share_the_day(world):
    world.policy(limit__refunder__USD="5000/5000")
    bea = world.actor()
    wishes = [world.wish(world.charge(), 5000, bea) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        states = sorted(i.state for i in pool.map(lambda w: refunds.request(world.ctx, bea, w), wishes))
    assert states == [State.AWAITING_APPROVAL] * 3 + [State.RESERVED]
