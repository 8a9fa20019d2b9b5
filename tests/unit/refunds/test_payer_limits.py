"""What a company may get back in 90 days: also what the mirror has not heard of yet, and also when many click at once."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from itertools import cycle

import pytest
import sqlalchemy as sa

from app import identity, refunds
from app.customers import store as customers
from app.identity import IdentitySettings, Requester
from app.refunds import State, Where, Wish, store
from app.refunds.offers import OfferGone
from app.tickets import store as tickets
from integrations.kernel.billing import Payer
from integrations.kernel.money import Money
from integrations.kernel.records import Email, PersonRecord, TicketRecord
from sidebar_app import unchanged
from tests.refund_world import BILLING, DESK, PAYER, REQUESTER, TICKET

LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
WAITS, GOES = State.AWAITING_APPROVAL, State.RESERVED


def several(world, count, *, settle=True, mirror=False):
    """One refund after the other, each of a charge of its own; answers what became of each when it was asked for."""
    states = []
    for _ in range(count):
        charge = world.charge()
        states.append(world.request(charge).state)
        if settle:
            world.drain()
        if mirror:
            world.mirror(charge)
    return states


@pytest.mark.parametrize("mirror", [False, True])
@pytest.mark.parametrize("settle", [False, True])
def test_refunds_count_once_wherever_they_are_known(world, settle, mirror):
    world.policy(payer_count="2")
    assert several(world, 4, settle=settle, mirror=mirror) == [GOES, GOES, WAITS, WAITS]


def test_so_does_the_sum(world):
    world.policy(payer_total__USD="2500")
    assert several(world, 4) == [GOES, GOES, WAITS, WAITS]


@pytest.mark.parametrize("status", ["pending", "requires_action"])
def test_a_refund_at_the_bank_counts_before_and_after_the_mirror_has_it(world, status):
    world.policy(payer_count="1")
    charge = world.charge()
    intent = world.request(charge)
    world.drain()
    with world.database.begin() as cx:
        state = "pending_vendor" if status == "pending" else status
        cx.execute(sa.text("UPDATE refund_intent SET state = :s"), {"s": state})
    assert world.request(world.charge()).state is WAITS
    world.stripe.state.get("refunds", world.at_vendor(intent.id)[0]["id"])["status"] = status
    world.mirror(charge)
    assert world.request(world.charge()).state is WAITS


def test_what_came_to_nothing_or_is_older_than_90_days_does_not_count(world):
    world.policy(payer_count="1")
    assert several(world, 1) == [GOES]
    with world.database.begin() as cx:
        cx.execute(sa.text("UPDATE refund_intent SET created_at = created_at - interval '91 days'"))
    assert several(world, 1) == [GOES]
    with world.database.begin() as cx:
        newest = cx.execute(sa.text("SELECT id FROM refund_intent ORDER BY created_at DESC LIMIT 1")).scalar()
        store.move(cx, store.take(cx, newest), State.FAILED, "machine")
    assert several(world, 2) == [GOES, WAITS]


def test_a_mirrored_refund_of_an_unknown_payer_is_not_in_any_profile_so_ours_counts(world):
    """Its charge has not come yet."""
    world.policy(payer_count="1")
    charge = world.charge()
    world.request(charge)
    world.drain()
    world.mirror(charge)
    with world.database.begin() as cx:
        cx.execute(sa.text("UPDATE billing_object SET payer_id = '' WHERE kind = 'refund'"))
        cx.execute(sa.text("UPDATE billing_profile SET profile = profile || '{\"refunds\": []}'"))
    assert world.request(world.charge()).state is WAITS


def at_once(world, asked):
    """Everybody has an offer in hand and clicks at the same moment. asked: (charge, ticket)."""
    actors = [world.actor(f"Agent{n}") for n in range(len(asked))]
    wishes = []
    for actor, (charge, ticket) in zip(actors, asked, strict=True):
        offer = refunds.prepare(world.ctx, actor, Where(BILLING, charge, DESK, ticket)).offer
        wishes.append(Wish(offer, Money(1000, "USD")))
    start = threading.Barrier(len(asked))

    def click(pair):
        start.wait()
        return refunds.request(world.ctx, *pair).state

    with ThreadPoolExecutor(len(asked)) as pool:
        return sorted(pool.map(click, zip(actors, wishes, strict=True)))


def test_many_agents_at_once_on_as_many_charges_share_the_payers_limit(world):
    world.policy(payer_count="2")
    assert at_once(world, [(world.charge(), TICKET) for _ in range(6)]) == [WAITS] * 4 + [GOES] * 2
    world.check(ends=False)


def test_so_do_two_payers_of_one_company(world):
    """As the limit is the company's, whoever of it gets the money back."""
    world.policy(payer_count="1")
    other = "cus_of_the_same"
    with world.database.begin() as cx:
        for number, (person, ticket, payer) in enumerate(((REQUESTER, TICKET, PAYER), ("bob", "8", other))):
            email = Email(f"{person}@same.example", verified=True)
            customers.apply_people(cx, DESK, [PersonRecord(person, datetime(2026, 11, 2, tzinfo=UTC), emails=(email,))])
            told = {"requester_id": person, "status": "open", "tags": []}
            tickets.apply(cx, DESK, [TicketRecord(ticket, datetime(2026, 11, 2, tzinfo=UTC), told, complete=True)])
            record = Payer(payer, payer, f"billing{number}@same.example", None, None, None, None, LONG_AGO, {})
            identity.index_payers(cx, BILLING, [record], settings=IdentitySettings())
            identity.link(cx, Requester(DESK, person), (BILLING, payer), "per_setup", rung=1)
    asked = []
    for _, (payer, ticket) in zip(range(6), cycle(((PAYER, TICKET), (other, "8"))), strict=False):
        charge = world.charge(mirror=False)
        world.stripe.state.get("charges", charge)["customer"] = payer
        world.mirror(charge)
        asked.append((charge, ticket))
    assert at_once(world, asked) == [WAITS] * 5 + [GOES]


def test_a_charge_that_got_another_payer_after_the_offer_is_looked_at_again(world, monkeypatch):
    """The lock is the payer's: who it is was read before, so it is compared once more under it."""
    charge = world.charge()
    wish = world.wish(charge)
    locked = store.lock_names

    def meanwhile(cx, *names):
        with world.database.engine.begin() as other:
            told = {"c": charge}
            other.execute(
                sa.text('UPDATE billing_object SET data = data || \'{"payer_id": "cus_2"}\' WHERE id = :c'), told
            )
        locked(cx, *names)

    monkeypatch.setattr(store, "lock_names", meanwhile)
    with pytest.raises(OfferGone, match="Look at the charge again"):
        refunds.request(world.ctx, world.actor(), wish)


def test_what_is_asked_costs_no_more_with_a_long_history(world):
    """Of other payers and of this one: each part is looked up by an index."""
    several(world, 1, settle=False)
    with world.database.begin() as cx:
        cx.execute(
            sa.text(
                """
                INSERT INTO refund_intent (id, request_id, connection_id, charge_id, payer_id, helpdesk_id, ticket_id,
                    person_id, agent_id, amount, currency, reason, bound, state, moves, refund_id, created_at)
                SELECT 'rfd_x' || n, 'req_x' || n, connection_id, 'ch_x' || n, 'cus_' || n % 500, helpdesk_id, ticket_id,
                    person_id, agent_id, amount, currency, reason, bound, 'succeeded', 1, 're_x' || n,
                    now() - interval '1 day' * (n % 700)
                FROM refund_intent, generate_series(1, 20000) AS n
                """
            )
        )
    with world.database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as cx:
        cx.execute(sa.text("ANALYZE refund_intent"))
        told = {"connections": [BILLING], "payers": [PAYER]}
        plan = "\n".join(cx.execute(sa.text("EXPLAIN " + store.ON_THE_WAY.text), told).scalars())
        with unchanged.recorded(cx) as asked:
            store.of_payer(cx, (BILLING, PAYER), ["ch_x1", "ch_x2"], "con_desk", "35436")
        ((text, values),) = asked
        shown = "\n".join(cx.exec_driver_sql(f"EXPLAIN {text}", values).scalars())
        cx.execute(sa.text("DELETE FROM refund_intent WHERE id LIKE 'rfd_x%'"))
    assert "Seq Scan on refund_intent" not in plan + shown, plan + shown
    assert "ix_refund_intent_charge" in shown, shown
    assert "ix_refund_intent_ticket" in shown, shown
    assert "ix_refund_intent_open" in plan, plan
    assert "ix_refund_intent_succeeded" in plan, plan
