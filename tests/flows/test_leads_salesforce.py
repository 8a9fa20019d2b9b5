"""Leads from Stripe's and the desk's webhooks into Salesforce and back to the ticket, over real HTTP, by the real client."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from app.leads import review, scanning
from app.leads.models import lead
from integrations import registry
from integrations.kernel.clock import utc_now
from integrations.salesforce.settings import KEY_FIELD
from sandbox.salesforce import oauth
from sandbox.salesforce.reps import REASON
from tests.flows.test_lead_signals import load

CRM = "crm"
OURS = {"Lead", "Opportunity", "Task"}
PUSH = {"method": "PATCH", "path": "composite/sobjects|sobjects/[A-Za-z]+/[A-Za-z_]+__c/"}


class Sales:
    """The product with its CRM connected, and the org as its admins and reps see it."""

    def __init__(self, product, vendors):
        self.product, self.vendors = product, vendors
        load(product)
        product.runtime.connections.add(
            registry.by_slug("salesforce"), "CRM",
            {"my_domain": "acme", "consumer_key": oauth.CONSUMER_KEY, "currency": "USD"},
            {"consumer_secret": [oauth.CONSUMER_SECRET]}, connection_id=CRM,
            base_url=f"http://127.0.0.1:{vendors.first + 40}",
        )  # fmt: skip
        product.runtime.clients.crm(CRM).setup().make(verdicts=True)
        self.task("crm.mirror")

    def task(self, *names):
        for name in names:
            self.product.worker._tasks[name].run()

    def run(self):
        """Everything that happened, up to the CRM; leads that wait for others to share their call do not wait."""
        self.product.settle()
        self.task("leads.gather")
        with self.product.runtime.database.begin() as cx:
            cx.execute(sa.update(lead).where(lead.c.due_at.is_not(None)).values(due_at=sa.func.now()))
        self.task("leads.push")

    def one(self, **where):
        with self.product.runtime.database.begin() as cx:
            return cx.execute(sa.select(lead).filter_by(**where)).one()

    def rows(self, kind):
        return self.vendors.get(f"state/salesforce/{kind}")["records"]

    def record(self, one):
        """The only record with the lead's key, in the whole org."""
        key = one.id.removeprefix("led_")
        (found,) = [row for kind in OURS for row in self.rows(kind) if row[KEY_FIELD] == key]
        return found

    def customer(self, accounts, **wanted):
        """Somebody who writes and pays, whose mail domain so many accounts have: (person, customer, those accounts)."""
        people = {u["email"].lower(): u["id"] for u in self.vendors.get("state/people")["people"] if u["verified"]}
        has = {}
        for row in self.rows("Account"):
            if row["Website"]:
                has.setdefault(row["Website"].rpartition("//")[2].removeprefix("www."), []).append(row)
        inactive = {row["Id"] for row in self.rows("User") if not row["IsActive"]}
        for customer in self.vendors.customer_of(status="active", pause_collection=None, **wanted):
            address = customer["email"].lower()
            found = has.get(address.rpartition("@")[2], [])
            if address in people and len(found) == accounts and not {r["OwnerId"] for r in found} & inactive:
                return people[address], customer["id"], found
        raise AssertionError(f"nobody in the world has {accounts} accounts")

    def act(self, do, *args, **more):
        return self.vendors.act("salesforce", do, *args, **more)


@pytest.fixture
def sales(product, vendors):
    return Sales(product, vendors)


def test_a_renewal_is_a_deal_of_the_accounts_owner_and_nearer_the_day_the_same_record(sales):
    _, customer, (account,) = sales.customer(1)
    sales.vendors.act("stripe", "subscribe_for_a_year", customer, 45, seats=20)
    sales.run()
    one = sales.one(kind="renewal")
    first = sales.record(one)
    assert (first["Id"], first["AccountId"], first["OwnerId"]) == (one.object_id, account["Id"], account["OwnerId"])
    assert first["Amount"] == one.money / 100
    scanning.scan(sales.product.runtime.database, utc_now() + timedelta(days=20))
    sales.run()
    later = sales.one(kind="renewal")
    assert later.score > one.score
    now = sales.record(later)
    assert (now["Id"], f"{later.score} points" in now["Description"]) == (first["Id"], True)


def test_a_dispute_holds_a_lead_until_it_is_closed_and_stands_first_on_one_that_is_there(sales):
    _, customer, _ = sales.customer(1)
    charge = next(
        c for c in sales.vendors.get("state/stripe/charges")["objects"]
        if c["customer"] == customer and c["status"] == "succeeded" and not c["disputed"]
    )  # fmt: skip
    dispute = sales.vendors.act("stripe", "open_dispute", charge["id"])
    sales.vendors.act("stripe", "subscribe_for_a_year", customer, 45, seats=20)
    sales.run()
    one = sales.one(kind="renewal")
    assert (one.state, one.object_id) == ("held", "")
    assert not sales.rows("Opportunity")
    sales.vendors.act("stripe", "close_dispute", dispute["id"])
    sales.run()
    assert sales.one(kind="renewal").state == "pushed"
    other = next(
        c for c in sales.vendors.get("state/stripe/charges")["objects"]
        if c["customer"] == customer and c["status"] == "succeeded" and not c["disputed"]
    )  # fmt: skip
    dispute = sales.vendors.act("stripe", "open_dispute", other["id"])
    sales.run()
    assert sales.record(one)["Description"].startswith("ON HOLD: ")
    sales.vendors.act("stripe", "close_dispute", dispute["id"])
    sales.run()
    assert sales.record(one)["Description"].startswith("Why now")


def test_a_verdict_is_a_note_on_the_ticket_that_gave_the_lead_within_one_poll(sales):
    person, _, (account,) = sales.customer(1)
    ticket = sales.vendors.act("zendesk", "create_ticket", person, "More seats", "May we have a quote for 90?")["id"]
    sales.run()
    one = sales.one(kind="request")
    record = sales.record(one)
    assert (record["WhatId"], record["OwnerId"]) == (account["Id"], account["OwnerId"])
    sales.act("reject", "Task", record["Id"], "No budget")
    assert REASON in sales.record(one)
    sales.task("leads.verdicts")
    sales.product.settle()
    assert (sales.one(kind="request").state, sales.one(kind="request").verdict_reason) == ("closed", "No budget")
    notes = [c for c in sales.vendors.get(f"state/zendesk/{ticket}")["comments"] if not c["public"]]
    assert [n for n in notes if "Sales turned down the lead this ticket gave: No budget" in n["body"]]
    sales.task("leads.verdicts")
    sales.product.settle()
    again = [c for c in sales.vendors.get(f"state/zendesk/{ticket}")["comments"] if not c["public"]]
    assert len(again) == len(notes)


def test_a_time_out_after_acceptance_is_looked_for_and_is_one_record(sales):
    _, customer, _ = sales.customer(1)
    sales.vendors.act("stripe", "subscribe_for_a_year", customer, 45, seats=20)
    sales.vendors.post("control/salesforce/faults", [{**PUSH, "kind": "cut_after"}])
    sales.run()
    assert (sales.one(kind="renewal").state, sales.one(kind="renewal").object_id) == ("unknown", "")
    there = len(sales.rows("Opportunity"))
    assert there
    sales.run()
    one = sales.one(kind="renewal")
    assert (one.state, sales.record(one)["Id"]) == ("pushed", one.object_id)
    assert len(sales.rows("Opportunity")) == there


def test_a_person_says_which_of_two_accounts_it_is_and_a_deal_goes_to_its_owner(sales):
    _, customer, accounts = sales.customer(2)
    sales.vendors.act("stripe", "subscribe_for_a_year", customer, 45, seats=20)
    sales.run()
    one = sales.one(kind="renewal")
    assert one.state == "review"
    with sales.product.runtime.database.begin() as cx:
        assert review.link(cx, one.id, CRM, accounts[1]["Id"], "per_test") >= 1
    sales.run()
    record = sales.record(sales.one(kind="renewal"))
    assert (record["AccountId"], record["OwnerId"]) == (accounts[1]["Id"], accounts[1]["OwnerId"])
