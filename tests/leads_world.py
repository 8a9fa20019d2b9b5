"""Leads in every state with all that hangs on them, written as rows of the tables: what the engine leaves behind."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import sqlalchemy as sa

from app.billing.models import billing_term
from app.crm.models import crm_account, crm_user
from app.holds.models import hold
from app.leads.card import card
from app.leads.models import lead, lead_signal, lead_step
from app.leads.policy import LeadPolicy
from app.leads.signal import Signal
from integrations.kernel.ids import new_id

CRM = "sales"
NOW = datetime.now(UTC).replace(microsecond=0)
EMPTY = LeadPolicy()


def ago(days=0, **more):
    return NOW - timedelta(days=days, **more)


def account(cx, account_id="001A", name="Northwind Labs", owner="005A", **more):
    cx.execute(sa.insert(crm_account).values(
        connection_id=CRM, id=account_id, as_of=NOW, name=name, folded_name=name.casefold(), owner_id=owner, **more))  # fmt: skip


def owner(cx, user_id="005A", name="Rita Rep", active=True):
    cx.execute(sa.insert(crm_user).values(connection_id=CRM, id=user_id, name=name, active=active))


def renewal(on="2026-12-17", minor=1488000, currency="EUR", **facts):
    told = {
        "plan": "Scale",
        "seats": 50,
        "used": 42,
        "minor": minor,
        "currency": currency,
        "months": 12,
        "on": on,
        "step": 30,
    }
    return Signal(
        "renewal", "renewal", "sub_cus_1", on, ago(3), told | facts, "payer:bank:cus_1", "", ("bank", "cus_1")
    )


def quoted(text="Can we get a quote for 80 seats and SSO?", ticket="35436", rule="asks_quote"):
    told = {"quotes": [{"on": f"{ago(2):%Y-%m-%d}", "text": text}], "words": ["quote"]}
    return Signal("quote_words", "request", f"ticket:desk:{ticket}", "2026-Q4", ago(2), told, "payer:bank:cus_1", rule,
                  ("bank", "cus_1"), ("desk", ticket), "10001")  # fmt: skip


def cancelled(on="2026-12-17"):
    told = {"plan": "Scale", "minor": 1488000, "currency": "EUR", "months": 12, "on": on}
    return Signal("cancellation", "risk", "sub_cus_1", on, ago(1), told, "payer:bank:cus_1", "", ("bank", "cus_1"))


def put(
    cx,
    state="pushed",
    kind="renewal",
    *,
    signals=(),
    company="",
    lead_id="",
    minor=0,
    currency="EUR",
    account_id="001A",
    **more,
):
    """One lead; with signals, its card is made of them by the real policy."""
    lead_id = lead_id or new_id("led")
    values = {
        "id": lead_id, "company": company or f"account:{CRM}:{lead_id}", "subject": "payer:bank:cus_1", "kind": kind,
        "period": "2026-12-17", "state": state, "state_at": ago(1), "crm_id": CRM, "account_id": account_id,
        "match": {"strength": "domain", "reason": "northwind.example is a verified domain of one account"},
        "owner_id": "005A",
    }  # fmt: skip
    if minor:
        values |= {"money": minor, "currency": currency}
    if signals:
        made = card(kind, signals, EMPTY, NOW.date())
        values |= {"card": made.to_json(), "score": made.score, "digest": made.digest(),
                   "rules": sorted({name for s in signals for name in (s.name, s.rule) if name})}  # fmt: skip
        if made.money:
            values |= {"money": made.money[0].minor, "currency": made.money[0].currency}
    cx.execute(sa.insert(lead).values(**values | more))
    for one in signals:
        cx.execute(sa.insert(lead_signal).values(
            subject=one.subject, kind=one.kind, name=one.name, source=one.source, period=one.period, rule=one.rule,
            payer_connection_id=one.payer[0], payer_id=one.payer[1], connection_id=one.ticket[0], ticket_id=one.ticket[1],
            person_id=one.person_id, facts=one.facts, happened_at=one.happened_at, lead_id=lead_id))  # fmt: skip
    return lead_id


def step(cx, lead_id, what, detail="", actor="machine", at=None):
    cx.execute(sa.insert(lead_step).values(lead_id=lead_id, what=what, detail=detail, actor=actor, at=at or NOW))


def held(cx, why="A dispute of 620.00 EUR is open.", until="until the dispute is closed"):
    cx.execute(sa.insert(hold).values(
        source="dispute", source_id="dp_1", payer_connection_id="bank", payer_id="cus_1", why=why, until_what=until,
        opened_at=ago(4)))  # fmt: skip


def term(cx, n, renews_on, minor=1200000, currency="EUR", **more):
    told = {
        "connection_id": "bank", "subscription_id": f"sub_{n}", "payer_id": f"cus_{n}", "status": "active", "plan": "Scale",
        "currency": currency, "minor": minor, "seats": 10, "months": 12, "started_on": date(2024, 1, 1),
        "renews_on": renews_on,
    }  # fmt: skip
    cx.execute(sa.insert(billing_term).values(**told | more))


def month(n):
    """The 17th of the month n months from now."""
    today = NOW.date()
    count = today.year * 12 + today.month - 1 + n
    return date(count // 12, count % 12 + 1, 17)


def judged(cx, rules, *, reason="No budget", **numbers):
    """Leads of these rules that were sent, so many with each verdict; open: with none yet. Won ones are worth 100.00 EUR."""
    for verdict, number in numbers.items():
        told = {"verdict": verdict, "verdict_at": ago(1)} if verdict != "open" else {}
        if verdict == "won":
            told |= {"won": 10000, "won_currency": "EUR"}
        if verdict == "rejected":
            told |= {"verdict_reason": reason}
        for _ in range(number):
            put(cx, "pushed" if verdict == "open" else "closed", "request", rules=rules, pushed_at=ago(10), **told)


def everything(cx):
    """One lead of each state; answers their ids by state."""
    account(cx)
    account(cx, "001B", "Grünwald & Söhne GmbH", owner="005B")
    owner(cx)
    owner(cx, "005B", "Sam Seller")
    held(cx)
    found = {
        "held": put(cx, "held", signals=[renewal(), cancelled()], why="Held: a dispute of 620.00 EUR is open."),
        "pushed": put(cx, "pushed", "request", signals=[quoted()], account_id="001B", owner_id="005B", shape="task",
                      object_id="00T000000000001", pushed_at=ago(1), connection_id="desk", ticket_id="35436"),
        "closed": put(cx, "closed", "expansion", minor=480000, shape="deal", object_id="006000000000001", verdict="won",
                      verdict_reason="Signed", verdict_at=ago(0), won=1500, won_currency="JPY", rules=["seats_full"],
                      pushed_at=ago(20), standing={"stage": "Closed Won", "closed": True, "won": True}),
        "dropped": put(cx, "dropped", "trial", minor=90000, why="Held for 30 days; dropped, as 2026-10-01 has passed."),
        "dead": put(cx, "dead", "payment", minor=1250, currency="KWD",
                    why="The CRM has no field Deskbridge_Key__c: run `flask salesforce setup`."),
        "withheld": put(cx, "withheld", "request", why="Of the share that is never sent."),
        "new": put(cx, "new", "risk", company="payer:bank:cus_7", account_id="", match={}, subject="payer:bank:cus_7"),
        "due": put(cx, "due", "payment", minor=124000),
        "sending": put(cx, "sending", "trial", minor=99),
        "unknown": put(cx, "unknown", "expansion", minor=50000, currency="USD"),
        "review": put(cx, "review", "request", company="domain:northwind.example", subject="domain:northwind.example",
                      account_id="", owner_id="", why="Two accounts have this domain.", match={}),
    }  # fmt: skip
    step(cx, found["pushed"], "found", "Quote words in ticket 35436.", at=ago(2))
    step(cx, found["pushed"], "pushed", "Task 00T000000000001 was made.", at=ago(1))
    return found
