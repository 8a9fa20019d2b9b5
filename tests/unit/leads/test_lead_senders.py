"""Whom a ticket's lead is about when nobody has verified that the address is the sender's: anybody can write any domain."""

from __future__ import annotations

import pytest

from app.identity import IdentitySettings
from app.leads import review, tickets
from app.leads.policy import LeadPolicy
from app.leads.tickets import Wish
from tests.crm_world import CRM
from tests.lead_scene import BANK, DESK

DOMAIN = "bigcorp.example"


@pytest.fixture
def bigcorp(scene):
    """An account with a domain, and nobody who pays."""
    scene.account("001B", "BigCorp", domains=(DOMAIN,))
    return scene


def writer(scene, person_id, *addresses):
    """Somebody with addresses: (domain, verified), the primary one first."""
    scene.sql("INSERT INTO person (connection_id, id, as_of, digest, name, role, active, fields)"
             " VALUES (:c, :p, now(), '', 'Ann Poe', 'end-user', true, '{}')", c=DESK, p=person_id)  # fmt: skip
    for n, (domain, verified) in enumerate(addresses):
        scene.sql(
            "INSERT INTO person_email (connection_id, person_id, address, folded, base, domain, verified, is_primary)"
            " VALUES (:c, :p, :a, :a, :a, :d, :v, :n)",
            c=DESK, p=person_id, a=f"{person_id}@{domain}", d=domain, v=verified, n=n == 0,
        )  # fmt: skip


def asks(scene, person_id="ann", complains=False):
    """A quote in one ticket; in another, before it, a complaint."""
    facts = {"requester.id": person_id, "ticket.created_at": scene.now.isoformat()}
    quote = {"words": ["quote"], "lead": "", "note": ""}
    wishes = [Wish("leads.create", quote, "r", DESK, "7", facts | {"ticket.subject": "A quote, please"}, scene.now)]
    if complains:
        held = {"words": [], "days": 30, "why": "a complaint is open"}
        wishes = [Wish("leads.hold", held, "h", DESK, "8", facts, scene.now), *wishes]
    with scene.database.begin() as cx:
        tickets.carry_out(cx, wishes, LeadPolicy(), IdentitySettings())
    scene.run()


@pytest.mark.parametrize(("domain", "verified"), [(DOMAIN, True), ("new.example", False)])
def test_who_complains_is_sold_nothing_whether_the_address_is_verified_or_not(bigcorp, domain, verified):
    writer(bigcorp, "ann", (domain, verified))
    asks(bigcorp, complains=True)
    assert bigcorp.crm.records() == []
    assert bigcorp.one().state == "held"
    assert bigcorp.one().why.startswith("A complaint is open.")


def test_who_complains_is_sold_nothing_either_when_a_person_says_the_company(bigcorp):
    writer(bigcorp, "ann", (DOMAIN, False))
    asks(bigcorp, complains=True)
    one = bigcorp.one()
    assert one.state == "review"
    with bigcorp.database.begin() as cx:
        review.link(cx, one.id, CRM, "001B", "per_1")
    bigcorp.run()
    assert (bigcorp.one().state, bigcorp.one().account_id) == ("held", "001B")
    assert bigcorp.crm.records() == []


def test_a_verified_address_stands_for_its_company(bigcorp):
    writer(bigcorp, "ann", (DOMAIN, True))
    asks(bigcorp)
    assert (bigcorp.one().state, bigcorp.one().account_id) == ("pushed", "001B")


def test_a_domain_nobody_verified_is_a_suggestion_to_a_person(bigcorp):
    writer(bigcorp, "ann", (DOMAIN, False))
    asks(bigcorp)
    one = bigcorp.one()
    assert (one.subject, one.state, one.account_id) == (f"person:{DESK}:ann", "review", "")
    assert one.match["strength"] == "unverified"
    assert [c["account_id"] for c in one.match["candidates"]] == ["001B"]
    assert one.match["candidates"][0]["reason"] == f"has the domain {DOMAIN}"


def test_a_domain_nobody_verified_and_no_account_has_is_a_stranger(bigcorp):
    writer(bigcorp, "ann", ("new.example", False))
    asks(bigcorp)
    assert (bigcorp.one().subject, bigcorp.one().state) == (f"person:{DESK}:ann", "pushed")
    assert [record.shape for record in bigcorp.crm.records()] == ["lead"]


def test_another_verified_address_does_not_verify_the_first(bigcorp):
    writer(bigcorp, "ann", (DOMAIN, False), ("home.example", True))
    asks(bigcorp)
    assert (bigcorp.one().state, bigcorp.one().account_id) == ("review", "")


@pytest.mark.parametrize(("verified", "subject"), [(True, f"payer:{BANK}:cus_1"), (False, f"person:{DESK}:ann")])
def test_the_payer_of_a_domain_is_the_senders_only_where_it_is_verified(scene, verified, subject):
    writer(scene, "ann", ("northwind.example", verified))
    asks(scene)
    assert [row["subject"] for row in scene.sql("SELECT subject FROM lead_signal")] == [subject]
    assert scene.one().state == ("pushed" if verified else "review")
    assert len(scene.crm.records()) == int(verified)


def test_the_payer_of_the_helpdesks_company_needs_no_verified_address(scene):
    writer(scene, "ann", ("northwind.example", False))
    scene.sql("INSERT INTO organization (connection_id, id, as_of, digest, name, fields)"
             " VALUES (:c, 'o1', now(), '', 'Northwind', '{}')", c=DESK)  # fmt: skip
    scene.sql("INSERT INTO organization_domain (connection_id, organization_id, domain, skeleton)"
             " VALUES (:c, 'o1', 'northwind.example', '')", c=DESK)  # fmt: skip
    scene.sql("UPDATE person SET organization_id = 'o1'")
    asks(scene)
    assert [row["subject"] for row in scene.sql("SELECT subject FROM lead_signal")] == [f"payer:{BANK}:cus_1"]
