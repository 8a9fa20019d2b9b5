"""Signals of tickets, as rules want them, from the requester as the mirror knows them at that moment."""

from __future__ import annotations

import pytest

from app.identity import IdentitySettings
from app.leads import tickets
from app.leads.policy import LeadPolicy
from app.leads.tickets import Wish
from tests.lead_scene import DESK


@pytest.fixture
def scene(scene):
    scene.sql("INSERT INTO person (connection_id, id, as_of, digest, name, role, active, fields)"
             " VALUES (:c, 'ann', now(), '', 'Ann Poe', 'end-user', true, '{}')", c=DESK)  # fmt: skip
    return scene


def writes(scene, text, words=("quote",), rule="asks_quote"):
    facts = {"requester.id": "ann", "event.comment": text, "ticket.created_at": "2026-10-05T08:00:00Z"}
    payload = {"words": list(words), "lead": "" if words else "request", "note": ""}
    with scene.database.begin() as cx:
        wish = Wish("leads.signal", payload, rule, DESK, "7", facts, scene.now)
        tickets.carry_out(cx, [wish], LeadPolicy(), IdentitySettings())


def linked(scene):
    scene.sql("INSERT INTO identity_link (id, connection_id, person_id, payer_connection_id, payer_id, rung, strength, made_by)"
              " VALUES ('lnk_1', :c, 'ann', 'bank', 'cus_1', 1, 'linked', 'per_1')", c=DESK)  # fmt: skip


def test_a_ticket_whose_payer_becomes_known_goes_on_as_the_same_lead(scene):
    writes(scene, "May we have a quote?")
    scene.run()
    assert scene.one().company == f"person:{DESK}:ann"
    linked(scene)
    writes(scene, "A quote for 80 seats, please.")
    scene.run()
    (record,) = scene.crm.records()
    assert scene.one().state == "pushed"
    assert "A quote for 80 seats, please." in record.row["Description"]
    assert [row["subject"] for row in scene.sql("SELECT subject FROM lead_signal")] == ["payer:bank:cus_1"]


def test_before_it_is_sent_it_goes_to_the_company_that_is_known_now(scene):
    writes(scene, "May we have a quote?")
    scene.gather()
    linked(scene)
    writes(scene, "May we have a quote?")
    scene.run()
    assert {one.account_id: one.state for one in scene.leads()} == {"": "dropped", "001A": "pushed"}


QUOTED = "Thanks, all clear now!\n\nOn Monday Support wrote:\n> Hi Ann. Sorry about the outage. Attached is the price list.\n"


def test_what_staff_wrote_and_the_customer_quotes_makes_no_signal(scene):
    writes(scene, QUOTED + "> If you wish to cancel our subscription, tell us.", words=["quote", "cancellation"])
    assert scene.sql("SELECT name, facts FROM lead_signal") == []


@pytest.mark.parametrize(("text", "held"), [(QUOTED, 0), (QUOTED + "This outage is still on.", 1)])
def test_what_staff_wrote_and_the_customer_quotes_holds_nothing(scene, text, held):
    facts = {"requester.id": "ann", "event.comment": text, "ticket.created_at": "2026-10-05T08:00:00Z"}
    payload = {"words": ["complaint"], "days": 30, "why": "a complaint is open"}
    with scene.database.begin() as cx:
        wish = Wish("leads.hold", payload, "complains", DESK, "7", facts, scene.now)
        tickets.carry_out(cx, [wish], LeadPolicy(), IdentitySettings())
    assert len(scene.sql("SELECT id FROM hold")) == held
