"""What the real engine leaves behind, on the pages: a signal that becomes a lead, a person's answer, a hold, a verdict."""

from __future__ import annotations

import pytest

from app.access import Role
from tests.admin_world import text_of
from tests.lead_scene import Scene


@pytest.fixture
def scene(database, org):
    return Scene(database, org=org)


@pytest.fixture
def eve(people):
    return people[Role.APPROVER].let_in()


def test_an_ambiguous_match_goes_from_the_queue_to_the_owner_and_comes_back(scene, eve):
    scene.account("001A", domains=("northwind.example",))
    scene.account("001B", "Northwind Holding", "005B", domains=("northwind.example",))
    scene.user("005B")
    scene.payer(domain="northwind.example")
    scene.signal()
    scene.run()
    one = scene.one()
    assert one.state == "review"
    told = text_of(eve.get("/admin/review"))
    for line in (
        "1 lead waits for a person",
        "Northwind Holding",
        "has the domain northwind.example",
        "2 companies share one domain",
    ):
        assert line in told, line
    assert (
        eve.post("/admin/review", lead=one.id, account=f"{one.crm_id or 'con_crm'} 001B").location
        == "/admin/review?linked=1"
    )
    scene.run()
    one = scene.one()
    assert (one.state, one.account_id) == ("pushed", "001B")
    story = text_of(eve.get(f"/admin/leads/{one.id}"))
    for line in ("With sales", "A person said so", "Northwind Holding", one.object_id, "Renews on", "Approver said on"):
        assert line in story, line
    scene.crm.state.win(one.object_id, 6_000.0)
    scene.poll()
    story = text_of(eve.get(f"/admin/leads/{one.id}"))
    for line in ("Answered", "Won", "worth €6,000.00", "Closed Won"):
        assert line in story, line
    report = text_of(eve.get("/admin/report"))
    assert "Renewal date 1 1 1 too few to say 0 1 0 €6,000.00" in report


def test_the_next_lead_of_the_subject_needs_nobody(scene, eve):
    scene.account("001A", domains=("northwind.example",))
    scene.account("001B", "Northwind Holding", domains=("northwind.example",))
    scene.payer(domain="northwind.example")
    scene.signal()
    scene.gather()
    eve.post("/admin/review", lead=scene.one().id, account="con_crm 001B")
    scene.run()
    scene.asked()
    scene.run()
    assert [(one.kind, one.state, one.account_id) for one in scene.leads()] == [
        ("renewal", "pushed", "001B"), ("request", "pushed", "001B")]  # fmt: skip
    assert "No leads wait for a person" in text_of(eve.get("/admin/review"))


def test_a_held_lead_says_why_and_goes_on_when_it_is_released(scene, eve):
    scene.account("001A", external_id="cus_1")
    scene.payer()
    scene.hold(why="a dispute of 620.00 EUR is open")
    scene.signal()
    scene.run()
    one = scene.one()
    story = text_of(eve.get(f"/admin/leads/{one.id}"))
    for line in ("Held", "€620.00", "until the dispute is closed", "Our id"):
        assert line in story, line
    assert one.id in eve.get("/admin/?state=held").text
    scene.release()
    scene.run()
    assert "With sales" in text_of(eve.get(f"/admin/leads/{one.id}"))


def test_a_rejected_ticket_lead_shows_in_its_rules_report_card(scene, eve):
    scene.account("001A", external_id="cus_1")
    scene.payer()
    scene.asked(rule="asks_quote")
    scene.run()
    scene.crm.state.reject("Task", scene.one().object_id, "No budget")
    scene.poll()
    report = text_of(eve.get("/admin/report"))
    assert "asks_quote 1 1 0 too few to say 1 1 × No budget" in report
    assert scene.one().id in eve.get("/admin/?state=closed&rule=asks_quote").text
