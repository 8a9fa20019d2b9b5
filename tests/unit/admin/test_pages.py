"""Renewals, policy and exports: sums by currency, messages beside fields, versions, cells that compute nothing."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import replace
from datetime import date

import pytest
import sqlalchemy as sa

from app import audit
from app.access import Role
from app.admin import policy_form
from app.leads import store_policy
from app.leads.policy import LeadPolicy
from app.leads.renewals import by_month, currencies
from tests import leads_world as leads
from tests.admin_world import text_of


@pytest.fixture
def ada(people):
    return people[Role.ADMIN].let_in()


def read(answer):
    return list(csv.reader(io.StringIO(answer.get_data(as_text=True))))


@pytest.fixture
def terms(database):
    """Two months in two currencies, with each reason for risk."""
    with database.begin() as cx:
        soon, later = leads.month(1), leads.month(2)
        leads.term(cx, 1, soon)
        leads.term(cx, 2, soon, 300000, failed_on=leads.NOW.date())
        leads.term(cx, 3, None, 500000, ends_on=soon)
        leads.term(cx, 4, soon, 70000)
        leads.term(cx, 5, later, 1250, "KWD")
        leads.term(cx, 6, later, None, "KWD", failed_on=leads.NOW.date())
        leads.term(cx, 7, soon, months=1)
        leads.term(cx, 8, leads.month(7))
        leads.term(cx, 9, soon, 800, failed_on=None, status="past_due")
        leads.put(cx, "held", "risk", company="account:sales:1", signals=[risk("cus_4")])
        leads.put(cx, "closed", "risk", company="account:sales:2", signals=[risk("cus_9")], verdict="rejected")
    return soon, later


def risk(payer):
    """A payer's own cancellation."""
    one = leads.cancelled()
    return replace(one, subject=f"payer:bank:{payer}", source=f"sub_{payer}", payer=("bank", payer))


def test_every_payer_that_a_companys_open_risk_lead_tells_of_is_at_risk(database):
    soon = leads.month(1)
    with database.begin() as cx:
        for n in range(1, 5):
            leads.term(cx, n, soon, 100)
        lead_id = leads.put(cx, "pushed", "risk", signals=[risk(f"cus_{n}") for n in (1, 2, 3)])
        leads.put(cx, "pushed", "renewal", signals=[replace(leads.renewal(), payer=("bank", "cus_4"))])
        cx.execute(
            sa.text("UPDATE lead_signal SET ended_at = now() WHERE lead_id = :l AND payer_id = 'cus_1'"), {"l": lead_id}
        )
        (one,) = by_month(cx, leads.NOW.date().replace(day=1), 6)
    assert (one.number, one.at_risk, one.risk_money, one.warned) == (4, 2, 200, 2)


def test_renewals_are_summed_by_month_and_currency_each_reason_by_itself(database, terms):
    soon, later = (day.replace(day=1) for day in terms)
    with database.begin() as cx:
        found = {(m.month, m.currency): m for m in by_month(cx, leads.NOW.date().replace(day=1), 6)}
    one, other = found[soon, "EUR"], found[later, "KWD"]
    assert set(found) == {(soon, "EUR"), (later, "KWD")}
    assert (one.number, one.money, one.at_risk, one.risk_money) == (5, 2070800, 3, 870000)
    assert (one.ending, one.failed, one.warned, one.unpriced) == (1, 1, 1, 0)
    assert (other.number, other.money, other.at_risk, other.risk_money, other.unpriced) == (2, 1250, 1, 0, 1)
    assert currencies(found.values()) == ["EUR", "KWD"]


@pytest.mark.parametrize(
    ("today", "months", "end"), [((2026, 11), 3, (2027, 2)), ((2026, 12), 12, (2027, 12)), ((2026, 1), 6, (2026, 7))]
)
def test_the_months_end_where_the_calendar_says(today, months, end):
    from app.leads.renewals import _later

    assert _later(date(*today, 1), months) == date(*end, 1)


def test_the_page_of_renewals_never_adds_currencies(ada, terms):
    answer = ada.get("/admin/renewals?months=6")
    told = text_of(answer)
    assert "€20,708.00, €8,700.00 of it at risk" in told
    assert "KWD 1.250, 1 at risk, worth not known" in told
    assert answer.text.count("<svg") == 2
    assert "The worth of 1 is not known" in told
    assert re.search(r"<desc[^>]*>[^<]*€20,708.00, of it €8,700.00 at risk", answer.text)
    assert 'style="' not in answer.text
    widths = [float(w) for w in re.findall(r'<rect class="(?:risk|safe)"[^>]*width="([\d.]+)%"', answer.text)]
    assert widths == [42.01, 57.99, 100.0]
    assert ada.get("/admin/renewals?months=999").status_code == 200


def test_no_renewal_is_said_in_words(ada):
    assert "No subscription renews in these months." in text_of(ada.get("/admin/renewals"))


def test_renewals_are_read_by_their_dates(database):
    from app.leads.renewals import _BY_DAY

    with database.begin() as cx:
        cx.execute(sa.text(
            "INSERT INTO billing_term (connection_id, subscription_id, payer_id, status, plan, currency, minor, seats, months, "
            "started_on, renews_on) SELECT 'bank', 'sub_'||n, 'cus_'||n, 'active', 'p', 'EUR', 100, 1, 12, '2024-01-01', "
            "DATE '2020-01-01' + n % 3000 FROM generate_series(1, 30000) n"))  # fmt: skip
        cx.execute(sa.text("ANALYZE billing_term"))
        plan = "\n".join(
            cx.execute(
                sa.text("EXPLAIN " + _BY_DAY.text.replace(":open", "'{new}'")),
                {"first": date(2026, 11, 1), "end": date(2027, 5, 1)},
            ).scalars()
        )
    assert "Seq Scan on billing_term" not in plan, plan
    assert "ix_billing_term_renews_on" in plan


def form(page):
    """What a browser would send back of the policy's form."""
    found = dict(re.findall(r'<input id="[^"]*" name="([^"]+)" value="([^"]*)"', page.text))
    found |= {
        name: text
        for name, text in re.findall(r'<textarea id="[^"]*" name="([^"]+)"[^>]*>([^<]*)</textarea>', page.text)
    }
    found["hold_urgent"] = re.search(r'<option value="(\w+)" selected', page.text).group(1)
    found["version"] = re.search(r'name="version" value="(\d+)"', page.text).group(1)
    import html

    return {name: html.unescape(value) for name, value in found.items()}


def test_every_setting_of_the_policy_has_its_field():
    document = LeadPolicy().to_json()
    names = {f.name for f in policy_form.FIELDS}
    assert names == set(policy_form._flat(document))


def test_territories_are_put_changed_and_taken_away(ada, database):
    for typed, kept in (
        ("West = 005A\r\nNorth=East = 005B", {"West": "005A", "North=East": "005B"}),
        ("West=005C", {"West": "005C"}),
        ("", {}),
    ):
        wishes = form(ada.get("/admin/policy")) | {"territories": typed, "task_kinds": "risk", "fallback_owner": "005F"}
        assert ada.post("/admin/policy", **wishes).status_code == 303
        with database.begin() as cx:
            now = store_policy.newest(cx)[1]
        assert (dict(now.territories), now.task_kinds, now.fallback_owner) == (kept, ("risk",), "005F")


def test_a_form_sent_back_as_it_came_changes_nothing(ada, database):
    answer = ada.post("/admin/policy", **form(ada.get("/admin/policy")))
    assert answer.status_code == 303
    with database.begin() as cx:
        assert store_policy.newest(cx) == (0, LeadPolicy())


def test_a_change_is_a_version_with_author_and_audit(ada, database):
    wishes = form(ada.get("/admin/policy")) | {
        "weight.quote_words": "77",
        "words.quote": "\\bofferte\\b\r\n\r\nprijs",
        "hold_tags": "outage  vip",
    }
    answer = ada.post("/admin/policy", **wishes)
    assert (answer.status_code, answer.location) == (303, "/admin/policy?saved=1")
    with database.begin() as cx:
        version, now = store_policy.newest(cx)
        entry = next(e for e, _, _ in audit.store.rows(cx) if e.action == "leads.policy_set")
    assert (version, now.weights["quote_words"], now.words["quote"], now.hold_tags) == (
        1,
        77,
        ("\\bofferte\\b", "prijs"),
        ("outage", "vip"),
    )
    assert entry.actor == ada.person_id
    told = text_of(ada.get("/admin/policy?saved=1"))
    for line in (
        "Version 1 is in force now.",
        "Version 1 by Admin",
        "Quote words in a ticket: 50 → 77",
        "Tags that hold leads back: nothing → outage vip",
    ):
        assert line in told, line


@pytest.mark.parametrize(("name", "value", "message"), [
    ("weight.renewal", "many", "A whole number from 0 to 1000."), ("weight.renewal", "", "A whole number from 0 to 1000."),
    ("seats_pct", "101", "A whole number from"), ("renewal_days", "30/60", "Up to six different numbers of days"),
    ("words.quote", "(", "RE2 does not take this pattern"), ("words.quote", "a(?=b)", "RE2 does not take this pattern"),
    ("territories", "West", "One a line, such as"), ("territories", "West = x y", "The id of a user at the CRM"),
    ("task_kinds", "risk selling", "There is no 'selling'"), ("fallback_owner", "a b", "The id of a user at the CRM"),
    ("hold_urgent", "perhaps", "Yes or no."), ("hold_days", "-1", "A whole number from 1 to 730."),
])  # fmt: skip
def test_what_cannot_be_is_said_beside_its_field_and_the_rest_is_kept(ada, database, name, value, message):
    wishes = form(ada.get("/admin/policy")) | {"cooldown_days": "45", name: value}
    answer = ada.post("/admin/policy", **wishes)
    told = text_of(answer)
    assert (answer.status_code, told.count(message)) == (422, 2), "in the summary and beside the field"
    assert f'href="#f-{name}"' in answer.text
    assert name == "hold_urgent" or re.search(rf'id="f-{re.escape(name)}"[^>]*aria-invalid="true"', answer.text)
    assert 'name="cooldown_days" value="45"' in answer.text
    with database.begin() as cx:
        assert store_policy.newest(cx)[0] == 0


def test_the_second_of_two_who_save_is_told(ada, database, people):
    mine = form(ada.get("/admin/policy"))
    assert ada.post("/admin/policy", **mine | {"seats_pct": "80"}).status_code == 303
    late = ada.post("/admin/policy", **mine | {"seats_pct": "70"})
    assert (late.status_code, "Somebody changed the policy meanwhile" in text_of(late)) == (422, True)
    with database.begin() as cx:
        assert store_policy.newest(cx)[1].seats_pct == 80


def test_an_approver_reads_the_policy_and_cannot_change_it(people):
    eve = people[Role.APPROVER].let_in()
    page = eve.get("/admin/policy")
    assert (page.status_code, "Save as a new version" in page.text, "Export" in eve.get("/admin/").text) == (
        200,
        False,
        False,
    )


def test_leads_are_exported_with_the_filters_of_the_page(ada, database):
    with database.begin() as cx:
        found = leads.everything(cx)
    rows = read(ada.get("/admin/leads.csv?kind=request"))
    assert rows[0][0] == "lead"
    assert {row[0] for row in rows[1:]} == {found["pushed"], found["review"]}
    mine = dict(zip(rows[0], next(row for row in rows if row[0] == found["pushed"]), strict=True))
    assert (mine["company"], mine["owner"], mine["record"], mine["rules"]) == (
        "Grünwald & Söhne GmbH",
        "Sam Seller",
        "00T000000000001",
        "asks_quote quote_words",
    )
    assert (
        ada.get("/admin/leads.csv?state=lost").status_code,
        ada.get("/admin/leads.csv?state=closed").status_code,
    ) == (400, 200)
    with database.begin() as cx:
        assert [e.actor for e, _, _ in audit.store.rows(cx) if e.action == "leads.exported"] == [ada.person_id] * 3


def test_an_export_goes_on_beyond_a_page_and_no_cell_computes(ada, database):
    hostile = ["=1+1", "+1", "-1", "@x", "\tx", "\rx", "＝1", "＠x", '=cmd|"/c calc"!A1', 'a,b\n"c"']
    with database.begin() as cx:
        for n in range(120):
            leads.put(cx, "due", why=hostile[n % len(hostile)], verdict_reason=hostile[n % len(hostile)])
    answer = ada.get("/admin/leads.csv")
    rows = read(answer)
    assert len(rows) == 121
    assert len({row[0] for row in rows}) == 121
    assert not [cell for row in rows for cell in row if cell.startswith(tuple("=+-@\t\r\n＝＋－＠"))]
    assert answer.headers["Content-Disposition"] == 'attachment; filename="leads.csv"'
    assert answer.mimetype == "text/csv"


def test_renewals_are_exported_in_minor_units(ada, terms):
    rows = read(ada.get("/admin/renewals.csv?months=6"))
    assert rows[1][:6] == [f"{terms[0]:%Y-%m}", "EUR", "5", "2070800", "3", "870000"]
    assert rows[2][1:4] == ["KWD", "2", "1250"]
