"""A helpdesk with agents, a ticket and a payer with everything the panel shows, in a database of the test's own."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import sqlalchemy as sa

from app import access, identity
from app.access import Role
from app.agents import store as agents
from app.billing import service
from app.billing.models import billing_cursor
from app.config import load
from app.connections import Connections
from app.customers import store as customers
from app.history import store as history
from app.history.store import Judgement
from app.identity import IdentitySettings
from app.refunds import store as refund_store
from app.refunds.policy import Policy, changed
from app.tickets import store as tickets
from app.triggers.engine import EventFacts, evaluate
from app.triggers.service import import_yaml
from app.triggers.store import active
from integrations import registry
from integrations.kernel import billing as k
from integrations.kernel.clock import iso, utc_now
from integrations.kernel.events import Event
from integrations.kernel.ids import VendorRef
from integrations.kernel.money import Money
from integrations.kernel.records import AgentRecord, Email, OrganizationRecord, PersonRecord, TicketRecord
from sandbox.desk.host import INSTALLATION, Signer
from sandbox.stripe.simulator import API_KEY
from sandbox.world import Person
from sandbox.zendesk import shapes
from sandbox.zendesk.local import Local
from sandbox.zendesk.simulator import CLIENT_ID, CLIENT_SECRET

NOW = utc_now().replace(microsecond=0)
DESK, OTHER_DESK, BANK = "desk", "desk_b", "bank"
SIGNER = Signer()
RULES = """
rules:
  - id: renews
    title: Renewal within 30 days
    order: 1
    when: ["ticket.*"]
    all: [{fact: billing.days_to_renewal, at_most: 30}]
    actions: [{add_tags: {tags: [db_renews_30d]}}]
  - id: dispute
    title: Open dispute
    order: 2
    when: ["ticket.*"]
    all: [{fact: billing.open_dispute, is: true}]
    actions: [{add_tags: {tags: [db_dispute_open]}}]
"""
STAFF = {  # id: role, restriction, groups, organisation
    "500": ("admin", "all", (), None),
    "501": ("agent", "all", ("800",), None),
    "502": ("agent", "groups", ("800",), None),
    "503": ("agent", "groups", ("801",), None),
    "504": ("agent", "organization", (), "7001"),
    "505": ("agent", "organization", (), "7002"),
    "506": ("agent", "assigned", ("800",), None),
    "507": ("light_agent", "all", (), None),
    "508": ("end-user", "all", (), None),
    "509": ("agent", "none", ("800",), "7001"),
}


def settings(database, port=8300, **more):
    return load(
        {
            "MODE": "sandbox", "DATABASE_URL": database.url, "REDIS_URL": "redis://127.0.0.1:1/0",
            "PUBLIC_URL": f"http://127.0.0.1:{port}", "WEB_PORT": str(port), **more,
        }
    )  # fmt: skip


def helpdesk(context=None):
    """The simulated Zendesk with these agents, for look-ups of who somebody is now; to be stopped."""
    found = Local(context)
    for agent_id, (role, restriction, groups, organization) in STAFF.items():
        found.state._person(
            Person(int(agent_id), f"Agent {agent_id}", ((f"a{agent_id}@acme.example", True),), None, role), iso(NOW)
        )
        told = {"role": role, "ticket_restriction": None if restriction == "all" else restriction}
        found.state.users[int(agent_id)] |= told | {"organization_id": int(organization) if organization else None}
        for group in groups:
            row = shapes.membership(
                int(group) * 100_000 + int(agent_id), int(agent_id), int(group), iso(NOW), default=False
            )
            found.state.memberships[row["id"]] = row
    return found


def may_refund(cx, **wishes):
    """Agents and admins of the helpdesk are refunders up to 500.00 EUR."""
    for role in ("agent", "admin"):
        access.set_rule(cx, "per_setup", DESK, "role", role, Role.REFUNDER)
    told = {"enabled": "yes", "limit.refunder.EUR": "50000/1000000", "limit.approver.EUR": "500000/5000000",
            "payer_count": "1000", "charge_days": "4000"} | {k.replace("__", "."): v for k, v in wishes.items()}  # fmt: skip
    refund_store.put_policy(cx, changed(Policy(), told), "per_setup")


def connect(database, keys, desk_url="http://127.0.0.1:1", bank_url="http://127.0.0.1:1"):
    """Two helpdesks and a billing vendor, as an admin adds them."""
    connections = Connections(database, keys)
    for desk in (DESK, OTHER_DESK):
        connections.add(
            registry.by_slug("zendesk"), desk, {"subdomain": "acme", "client_id": CLIENT_ID, "limits": "off"},
            {"client_secret": [CLIENT_SECRET], "webhook_secret": ["w"]}, connection_id=desk, base_url=desk_url,
        )  # fmt: skip
        connections.remember(desk, installation_id=str(INSTALLATION), app_key=SIGNER.public_pem())
    connections.add(
        registry.by_slug("stripe"), "Bank", {"limits": "off"}, {"api_key": [API_KEY], "webhook_secret": ["w"]},
        connection_id=BANK, base_url=bank_url,
    )  # fmt: skip


def staff(cx, desk=DESK, read_at=None):
    """Agents of every kind of restriction; 510 left."""
    records = [
        AgentRecord(i, NOW, f"Agent {i}", f"a{i}@acme.example", role, None, restriction, groups, organization)
        for i, (role, restriction, groups, organization) in STAFF.items()
    ]
    gone = AgentRecord("510", NOW, "Agent 510", None, "agent", None, "all", (), None, active=False)
    agents.replace_all(cx, desk, [*records, gone], read_at or utc_now())


def person(
    cx,
    person_id="10001",
    *,
    verified=True,
    email="dana@northwind.example",
    name="Dana Okafor",
    desk=DESK,
    company="7001",
):
    customers.apply_organizations(cx, desk, [OrganizationRecord("7001", NOW, "Northwind Labs", ("northwind.example",))])
    customers.apply_people(
        cx, desk, [PersonRecord(person_id, NOW, name, emails=(Email(email, verified, True),), organization_id=company)]
    )


def ticket(cx, ticket_id="35436", *, desk=DESK, tags=("vip", "db_renews_30d"), **values):
    told = {
        "subject": "Charged twice", "status": "open", "tags": list(tags), "requester_id": "10001", "group_id": "800",
        "organization_id": "7001", "assignee_id": "506", **values,
    }  # fmt: skip
    tickets.apply(cx, desk, [TicketRecord(ticket_id, NOW, told, complete=True)])


def ago(days):
    return NOW - timedelta(days=days)


def payer(pid="cus_1", **more):
    told = {
        "email": "dana@northwind.example", "name": "Northwind Labs", "country": "DE", "currency": "EUR",
        "balance": Money(-2500, "EUR"), "created": ago(900), "method_id": "pm_1",
    } | more  # fmt: skip
    return k.Payer(pid, pid, **told)


def subscription(pid="cus_1", status="past_due", **more):
    item = k.Item("si_1", "prod_1", "Scale", "EUR", Decimal(2952), 42, "month", 1, False, NOW + timedelta(days=21))
    told = {
        "paused": False, "items": (item,), "discounts": (), "started": ago(700), "cancel_at": None,
        "cancel_at_period_end": False, "trial_end": None, "metadata": {"seats_used": "40"}, "method_id": "pm_1",
    } | more  # fmt: skip
    return k.Subscription(f"sub_{pid}", pid, status, **told)


def charge(n, pid="cus_1", *, minor=124000, currency="EUR", status="succeeded", refunded=0, days=None, **more):
    captured = minor if status == "succeeded" else 0
    told = {"brand": "visa", "last4": "4242", "intent": f"pi_{pid}_{n}"} | more
    return k.Charge(
        f"ch_{pid}_{n}", pid, status, Money(minor, currency), Money(captured, currency), Money(refunded, currency),
        ago(30 * n + 9 if days is None else days), **told,
    )  # fmt: skip


def invoice(n, pid="cus_1", *, minor=124000, currency="EUR", status="paid", **more):
    left = minor if status == "open" else 0
    told = {"url": f"https://invoice.example/{n}", "pdf": f"https://invoice.example/{n}.pdf"} | more
    return k.Invoice(
        f"in_{pid}_{n}", pid, status, f"NW-{120 - n:04d}", Money(minor, currency), Money(minor - left, currency),
        Money(left, currency), 1, ago(30 * n + 9), **told,
    )  # fmt: skip


def paid(n, pid="cus_1"):
    return k.InvoicePayment(f"inpay_{pid}_{n}", f"in_{pid}_{n}", f"pi_{pid}_{n}", "paid", None)


def everything(pid="cus_1", charges=10):
    """A payer with a dispute, a past due subscription, charges, invoices, refunds, two cards."""
    found = [payer(pid), subscription(pid), k.Product("prod_1", "Scale")]
    found += [
        r
        for n in range(charges)
        for r in (charge(n, pid, refunded=30000 if n == 2 else 0), invoice(n, pid), paid(n, pid))
    ]
    found[-3] = charge(
        charges - 1, pid, status="failed", failure_code="card_declined", failure_text="Your card was declined."
    )
    found += [
        charge(charges, pid, disputed=True, days=40),
        k.Refund(f"re_{pid}_1", f"ch_{pid}_2", "succeeded", Money(30000, "EUR"), ago(60), "requested_by_customer", pid),
        k.Refund(f"re_{pid}_2", f"ch_{pid}_1", "pending", Money(1000, "EUR"), ago(1), None, pid),
        k.Dispute(f"dp_{pid}_1", f"ch_{pid}_{charges}", "needs_response", Money(62000, "EUR"), "product_not_received",
                  ago(3), NOW + timedelta(days=6), pid),
        k.PaymentMethod("pm_1", pid, "card", "visa", "4242", 1, 2027),
        k.PaymentMethod("pm_2", pid, "card", "mastercard", "4444", 1, 2024),
    ]  # fmt: skip
    return found


def bill(cx, *records, known_until=None):
    """Records into the mirror, with profiles and the index of payers, as events bring them."""
    touched = service.apply(cx, BANK, [(r, NOW) for r in records], "seats_used")
    identity.index_payers(cx, BANK, records, settings=IdentitySettings())
    service.refresh(cx, BANK, touched, "seats_used")
    caught_up(cx, known_until or utc_now())


def caught_up(cx, until):
    cx.execute(sa.delete(billing_cursor))
    cx.execute(sa.insert(billing_cursor).values(connection_id=BANK, name="events", cursor=iso(until)))


def judged(cx, ticket_id="35436"):
    """The ticket was judged by two rules: one fired."""
    import_yaml(cx, RULES, "test")
    rules = active(cx)
    facts = {"billing.open_dispute": False, "billing.days_to_renewal": 21}
    event = Event("ticket.created", "zendesk", DESK, "evt_1", VendorRef("zendesk", "ticket", ticket_id), NOW)
    seen = EventFacts(event.kind, NOW, facts, {}, DESK, ticket_id, "evt_1")
    outcome = evaluate(rules, seen)
    history.record(cx, [Judgement.of(1, DESK, event, facts, outcome, rules.version)])


def seed(database, charges=10):
    """The whole world: agents, the ticket, its requester, the payer with everything, one judgement."""
    with database.begin() as cx:
        for desk in (DESK, OTHER_DESK):
            staff(cx, desk)
        person(cx)
        ticket(cx)
        judged(cx)
        bill(cx, *everything(charges=charges))
