"""What sales made of it comes back: on the lead, and as a note on the ticket, once."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from app.leads.report import records
from app.leads.verdict import Verdict, later, of
from app.outbox.models import outbox
from integrations.kernel.clock import utc_now
from integrations.kernel.crm import Shape, Standing
from integrations.salesforce.settings import KEY_FIELD
from tests.lead_scene import DESK, Scene


@pytest.fixture
def scene(database, org):
    made = Scene(database, org=org)
    made.account(domains=("northwind.example",))
    made.payer("cus_1", "northwind.example")
    return made


def notes(scene):
    with scene.database.begin() as cx:
        rows = cx.execute(sa.select(outbox.c.ticket_id, outbox.c.change).where(outbox.c.connection_id == DESK)).all()
    return [(row.ticket_id, note["key"], note["body"]) for row in rows for note in row.change["notes"]]


@pytest.mark.parametrize(
    ("shape", "told", "expected"),
    [
        ("lead", {"status": "Open - Not Contacted"}, ("", "")),
        ("lead", {"status": "Closed - Not Converted"}, ("rejected", "Closed - Not Converted")),
        ("lead", {"status": "Unqualified", "reason": "No budget"}, ("rejected", "No budget")),
        ("lead", {"converted": True}, ("accepted", "")),
        ("lead", {"verdict": "Rejected", "reason": "Spam", "status": "Qualified"}, ("rejected", "Spam")),
        ("task", {"status": "Completed"}, ("accepted", "")),
        ("task", {"status": "Completed", "closed": True}, ("accepted", "")),
        ("task", {"status": "Erledigt", "closed": True}, ("accepted", "")),
        ("task", {"status": "Erledigt", "closed": True, "reason": "Called"}, ("accepted", "Called")),
        ("task", {"status": "Not interested", "closed": True}, ("rejected", "Not interested")),
        ("task", {"verdict": "Rejected", "status": "Erledigt", "closed": True}, ("rejected", "")),
        ("task", {"status": "In Arbeit"}, ("", "")),
        ("deal", {"closed": True, "won": True, "stage": "Closed Won"}, ("won", "Closed Won")),
        ("deal", {"closed": True, "stage": "Closed Lost", "reason": "Price"}, ("lost", "Price")),
        ("deal", {"stage": "Prospecting"}, ("", "")),
        ("deal", {"gone": True}, ("rejected", "deleted at the CRM")),
    ],
)
def test_what_a_standing_says(shape, told, expected):
    found = of(Standing(Shape(shape), "x", utc_now(), **told))
    assert (found.verdict, found.reason) == expected


@pytest.mark.parametrize(
    ("known", "told", "more"),
    [("", "accepted", True), ("accepted", "accepted", False), ("accepted", "won", True), ("accepted", "rejected", True),
     ("won", "rejected", False), ("won", "accepted", False), ("won", "lost", True), ("rejected", "", False)],
)  # fmt: skip
def test_when_a_verdict_says_more_than_is_known(known, told, more):
    assert later(known, Verdict(told)) is more


def test_a_rejected_lead_is_closed_and_its_ticket_gets_one_note_within_one_poll(scene):
    scene.asked("7")
    scene.run()
    scene.crm.state.reject("Task", scene.one().object_id, "No budget")
    assert scene.poll() == 1
    one = scene.one()
    assert (one.state, one.verdict, one.verdict_reason) == ("closed", "rejected", "No budget")
    ((ticket, key, body),) = notes(scene)
    assert (ticket, key) == ("7", f"{one.id}-rejected")
    assert body.startswith("Sales turned down the lead this ticket gave: No budget.")
    assert scene.poll() == 0  # the overlap brings the same again
    assert len(notes(scene)) == 1


def test_a_won_deal_tells_its_amount_and_currency(scene):
    scene.signal()
    scene.run()
    scene.crm.state.win(scene.one().object_id, 4_800.0)
    scene.poll()
    one = scene.one()
    assert (one.state, one.verdict, one.won, one.won_currency) == ("closed", "won", 480_000, "EUR")
    assert ("won", "4800.00 EUR Closed Won") in [tuple(step) for step in scene.steps(one.id)]
    assert notes(scene) == []  # no ticket caused it


def test_a_converted_lead_is_accepted_and_its_deal_followed_to_the_win(scene):
    scene.payer("cus_n", None, name="Newcomer")
    scene.asked("9", payer="cus_n")
    scene.run()
    deal = scene.crm.state.convert(scene.one().object_id)["Opportunity"]
    assert scene.poll() == 1
    assert (scene.one().verdict, scene.one().object_id, scene.one().shape) == ("accepted", deal, "deal")
    scene.crm.state.win(deal, 990.0)
    assert scene.poll() == 1
    one = scene.one()
    assert (one.verdict, one.won, one.won_currency) == ("won", 99_000, "EUR")
    assert [key for _, key, _ in notes(scene)] == [f"{one.id}-accepted", f"{one.id}-won"]
    assert scene.poll() == 0


def test_a_verdict_while_it_is_sent_again_stands(scene):
    scene.signal()
    scene.run()
    scene.sql("UPDATE lead SET state = 'sending', lease_until = now() + interval '1 minute', token = token + 1")
    scene.crm.state.stage(scene.one().object_id, "Closed Lost")
    scene.poll()
    one = scene.one()
    assert (one.state, one.verdict, one.lease_until) == ("closed", "lost", None)
    scene.lapse()
    scene.push()
    assert scene.one().state == "closed"


def test_what_a_rep_changed_at_the_crm_is_told_and_never_taken_back(scene):
    scene.signal()
    scene.run()
    scene.user("005Z")
    scene.crm.state.update("Opportunity", scene.one().object_id, {"OwnerId": "005Z", "Amount": 1.0, "Name": "Mine"})
    scene.poll()
    assert (scene.one().owner_id, scene.one().state) == ("005Z", "pushed")
    scene.signal(step=30)
    scene.run()
    (record,) = scene.crm.records()
    assert "50 points" in record.row["Description"]
    assert (record.row["OwnerId"], record.row["Amount"], record.row["Name"]) == ("005Z", 1.0, "Mine")


def test_a_record_a_rep_merged_into_another_is_no_rejection_and_the_other_one_answers(scene):
    scene.payer("cus_n", None, name="Newcomer")
    scene.asked("9", payer="cus_n")
    scene.run()
    other = scene.crm.state.create("Lead", {"LastName": "Poe", "Company": "New", "Description": "Met at the fair."})[
        "Id"
    ]
    scene.crm.state.merge(scene.one().object_id, other)
    assert scene.poll() == 0
    assert (scene.one().verdict, scene.one().object_id, notes(scene)) == ("", other, [])
    scene.asked("10", payer="cus_n")
    scene.run()
    assert (scene.one().state, scene.crm.state.rows["Lead"][other]["Description"]) == ("pushed", "Met at the fair.")
    scene.crm.state.reject("Lead", other, "No budget")
    assert scene.poll() == 1
    assert (scene.one().state, scene.one().verdict, scene.one().verdict_reason) == ("closed", "rejected", "No budget")
    assert scene.poll() == 0


def a_rep_has_it(scene, spoil):
    """A Lead of theirs that stands for one of ours. spoil: what happens while it gets our key."""
    theirs = scene.crm.state.create("Lead", {"LastName": "Poe", "Company": "Newcomer", "Email": "ann@new.example"})[
        "Id"
    ]
    scene.payer("cus_8", None, name="Newcomer", email="ann@new.example")
    scene.asked(payer="cus_8")
    spoil(theirs)
    scene.run()
    scene.crm.heal()
    scene.asked("9", payer="cus_8")
    scene.run()
    assert (scene.one().state, scene.one().object_id) == ("pushed", theirs)
    return theirs


@pytest.mark.parametrize("how", ["away", "locked"])
def test_a_record_that_did_not_get_our_key_when_it_was_linked_is_heard_all_the_same(scene, how):
    theirs = a_rep_has_it(
        scene,
        (lambda _: scene.crm.fail("push", "", "before")) if how == "away" else scene.crm.state.lock_row,
    )
    assert scene.crm.state.rows["Lead"][theirs][KEY_FIELD] is None
    assert scene.poll() == 0
    scene.crm.state.reject("Lead", theirs, "No budget")
    assert scene.poll() == 1
    assert (scene.one().state, scene.one().verdict, scene.one().verdict_reason) == ("closed", "rejected", "No budget")
    assert scene.poll() == 0
    assert len(notes(scene)) == 1


def test_a_record_that_has_our_key_costs_no_call_of_its_own(scene):
    theirs = a_rep_has_it(scene, lambda _: None)
    before = scene.crm.calls("find")
    scene.crm.state.reject("Lead", theirs, "No budget")
    assert (scene.poll(), scene.crm.calls("find")) == (1, before)


def test_a_task_of_theirs_without_our_key_is_asked_for_too(scene):
    scene.asked("7")
    scene.run()
    task = scene.one().object_id
    scene.crm.state.rows["Task"][task][KEY_FIELD] = None
    scene.sql("""UPDATE lead SET theirs = true, standing = '{"followed": true}'""")
    scene.crm.state.complete(task)
    assert scene.poll() == 1
    assert scene.one().verdict == "accepted"


def test_a_record_without_our_key_that_a_rep_deletes_is_a_rejection_like_any(scene):
    theirs = a_rep_has_it(scene, scene.crm.state.lock_row)
    scene.crm.state.delete("Lead", theirs)
    assert scene.poll() == 1
    assert (scene.one().verdict, scene.one().verdict_reason) == ("rejected", "deleted at the CRM")


def test_a_record_that_is_merged_once_more_is_followed_once_more(scene):
    first = a_rep_has_it(scene, scene.crm.state.lock_row)
    second = scene.crm.state.create("Lead", {"LastName": "Poe", "Company": "New"})["Id"]
    scene.crm.state.merge(first, second)
    assert (scene.poll(), scene.one().object_id) == (0, second)
    third = scene.crm.state.create("Lead", {"LastName": "Poe", "Company": "Newest"})["Id"]
    scene.crm.state.merge(second, third)
    assert (scene.poll(), scene.one().object_id) == (0, third)
    scene.crm.state.reject("Lead", third, "No budget")
    assert (scene.poll(), scene.one().verdict) == (1, "rejected")


def test_what_a_won_deal_is_worth_follows_the_crm_and_the_ticket_is_not_told_twice(scene):
    scene.asked("7", kind="expansion")
    scene.run()
    deal = scene.one().object_id
    scene.crm.state.stage(deal, "Closed Won")
    scene.crm.state.update("Opportunity", deal, {"Amount": None})
    assert scene.poll() == 1
    assert (scene.one().verdict, scene.one().won, worth(scene)) == ("won", None, {})
    when, told = scene.one().verdict_at, notes(scene)
    scene.crm.state.win(deal, 4000)
    assert scene.poll() == 0
    scene.crm.state.win(deal, 9999)
    assert scene.poll() == 0
    one = scene.one()
    assert (one.won, one.won_currency, one.standing["minor"], worth(scene)) == (
        999_900,
        "EUR",
        999_900,
        {"EUR": 999_900},
    )
    assert (one.verdict_at, notes(scene)) == (when, told)
    assert [detail for what, detail in scene.steps(one.id) if what == "worth"] == ["4000.00 EUR", "9999.00 EUR"]
    scene.poll()
    assert len([what for what, _ in scene.steps(one.id) if what == "worth"]) == 2
    scene.crm.state.update("Opportunity", deal, {"Amount": None})  # not told is not worth nothing
    scene.poll()
    assert scene.one().won == 999_900


def test_what_a_deal_of_a_converted_lead_is_worth_is_asked_for_some_time_after_the_win(scene):
    scene.payer("cus_n", None, name="Newcomer")
    scene.asked("9", payer="cus_n")
    scene.run()
    deal = scene.crm.state.convert(scene.one().object_id)["Opportunity"]
    scene.poll()
    scene.crm.state.stage(deal, "Closed Won")
    scene.crm.state.update("Opportunity", deal, {"Amount": None})
    assert scene.poll() == 1
    assert (scene.one().verdict, scene.one().won) == ("won", None)
    when, told = scene.one().verdict_at, notes(scene)
    scene.crm.state.win(deal, 4000)
    assert scene.poll() == 0
    assert (scene.one().won, worth(scene)) == (400_000, {"EUR": 400_000})
    assert (scene.one().verdict_at, notes(scene)) == (when, told)
    scene.sql("UPDATE lead SET verdict_at = verdict_at - interval '91 days'")
    scene.crm.state.win(deal, 9999)
    scene.poll()
    assert scene.one().won == 400_000


def worth(scene):
    with scene.database.begin() as cx:
        return {k: v for one in records(cx, scene.now - timedelta(days=1)) for k, v in one.won_money.items()}


def test_a_lead_counts_for_what_it_was_sent_for_also_when_that_has_ended(scene):
    scene.signal("seats_full", "expansion")
    scene.signal("seats_growth", "expansion", was=20, days=30)
    scene.signal("limit_hit", "expansion", ended=True)
    scene.run()
    assert scene.one().rules == ["seats_full", "seats_growth"]
    scene.signal("seats_growth", "expansion", was=20, days=30, ended=True)
    scene.asked("7", kind="expansion", rule="asks")
    scene.run()
    assert scene.one().rules == ["asks", "quote_words", "seats_full", "seats_growth"]
    scene.crm.state.stage(scene.one().object_id, "Closed Lost")
    scene.poll()
    with scene.database.begin() as cx:
        found = {one.name: (one.sent, one.lost) for one in records(cx, scene.now - timedelta(days=1))}
    assert found == dict.fromkeys(("asks", "quote_words", "seats_full", "seats_growth"), (1, 1))


def test_what_ended_before_it_was_sent_is_not_what_it_was_sent_for(scene):
    scene.hold()
    scene.signal("seats_full", "expansion")
    scene.signal("seats_growth", "expansion", was=20, days=30)
    scene.gather()
    scene.signal("seats_growth", "expansion", was=20, days=30, ended=True)
    scene.release()
    scene.run()
    assert (scene.one().state, scene.one().rules) == ("pushed", ["seats_full"])
