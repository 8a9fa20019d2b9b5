"""The review queue: candidates, one answer, remembered, in the record; looked for, refused, and taken back."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from app import audit
from app.access import Role
from app.leads import review
from app.leads.models import account_link, lead
from app.leads.review import Answered
from tests import leads_world as leads
from tests.admin_world import text_of

SUBJECT = "domain:northwind.example"


def put(cx, *found, subject=SUBJECT, **more):
    told = [{"account_id": one, "reason": f"{one} has the domain northwind.example"} for one in found]
    return leads.put(cx, "review", "request", subject=subject, account_id="", owner_id="", period=leads.new_id("p"),
                     company=leads.new_id("c"), match={"strength": "ambiguous", "candidates": told}, **more)  # fmt: skip


@pytest.fixture
def eve(people):
    return people[Role.APPROVER].let_in()


@pytest.fixture
def waiting(database):
    """Two leads of one subject with two candidates, one of another without any."""
    with database.begin() as cx:
        leads.account(cx, domains=["northwind.example"])
        leads.account(cx, "001B", "Northwind Holding")
        leads.account(cx, "001G", "Northwind Gone", gone=True)
        return [put(cx, "001A", "001B", "001G", why="Two accounts have this domain."), put(cx, "001A", "001B"),
                put(cx, subject="domain:else.example")]  # fmt: skip


def rows(database, table, *columns):
    with database.begin() as cx:
        return [tuple(row) for row in cx.execute(sa.select(*(table.c[c] for c in columns)).order_by(table.c.id))]


def actions(database, name):
    with database.begin() as cx:
        return [(e.actor, e.subject, e.data) for e, _, _ in audit.store.rows(cx) if e.action == name]


def test_what_waits_is_shown_with_its_candidates(eve, waiting):
    answer = eve.get("/admin/review")
    told = text_of(answer)
    for line in ("3 leads wait for a person", "Northwind Labs", "Northwind Holding", "001A has the domain northwind.example",
                 "Two accounts have this domain.", "The match found no company to offer."):  # fmt: skip
        assert line in told, line
    assert "Northwind Gone" not in told
    assert len(re.findall('type="radio"', answer.text)) == 4


def test_one_answer_is_remembered_and_every_lead_of_the_subject_goes_on(eve, waiting, database):
    answer = eve.post("/admin/review", lead=waiting[0], account="sales 001B")
    assert (answer.status_code, answer.location) == (303, "/admin/review?linked=2")
    assert "Remembered. 2 leads go on." in text_of(eve.get(answer.location))
    assert rows(database, account_link, "subject", "crm_id", "account_id", "strength", "made_by", "ended_at") == [
        (SUBJECT, "sales", "001B", "linked", eve.person_id, None)
    ]
    assert sorted(dict(rows(database, lead, "id", "state")).items()) == sorted(
        zip(waiting, ["new", "new", "review"], strict=True)
    )
    [(actor, subject, data)] = actions(database, "leads.account_linked")
    assert (actor, subject) == (eve.person_id, waiting[0])
    assert data == {"crm_id": "sales", "account_id": "001B", "subject": SUBJECT, "leads": 2}
    told = text_of(eve.get(f"/admin/leads/{waiting[1]}"))
    assert "Linked: It is about the company 001B at sales. by Approver" in told
    assert "Approver said on" in told


def test_the_second_answer_is_told_and_changes_nothing(eve, waiting, database):
    eve.post("/admin/review", lead=waiting[0], account="sales 001B")
    for one in waiting[:2]:
        late = eve.post("/admin/review", lead=one, account="sales 001A")
        assert (late.status_code, "Somebody said already" in text_of(late)) == (409, True)
    assert len(rows(database, account_link, "id")) == len(actions(database, "leads.account_linked")) == 1


@pytest.mark.parametrize(("account", "status", "message"), [
    ("", 422, "Choose a company first."), ("sales", 422, "Choose a company first."),
    ("sales 001X", 422, "no such company any more"), ("sales 001G", 422, "no such company any more"),
    ("other 001A", 422, "no such company any more"), ("sales 001\x00A", 422, "no such company"),
])  # fmt: skip
def test_what_cannot_be_is_said_at_its_lead(eve, waiting, database, account, status, message):
    account = account if "\x00" not in account else "sales \x00"
    answer = eve.post("/admin/review", lead=waiting[0], account=account)
    section = re.search(rf'<article class="note" id="{waiting[0]}".*?</article>', answer.text, re.S).group(0)
    assert answer.status_code == status
    assert message in section or account == "sales \x00"
    assert rows(database, account_link, "id") == []
    assert eve.post("/admin/review", lead="led_nothing", account="sales 001A").status_code == 404


def test_another_company_is_looked_for_and_chosen(eve, waiting, database):
    for part in ("holding", "001B"):
        answer = eve.get(f"/admin/review?lead={waiting[2]}&find={part}")
        assert "Found for “" in text_of(answer)
        assert 'value="sales 001B"' in answer.text.split(waiting[2], 1)[1]
    assert "northwind.example · 001A" in text_of(eve.get(f"/admin/review?lead={waiting[2]}&find=northwind.example"))
    nothing = text_of(eve.get(f"/admin/review?lead={waiting[2]}&find=%25zz"))
    assert "The CRM has no company whose name holds “%zz”." in nothing
    assert eve.post("/admin/review", lead=waiting[2], account="sales 001B").status_code == 303


def test_a_link_that_was_wrong_is_ended_not_deleted(eve, waiting, database):
    eve.post("/admin/review", lead=waiting[0], account="sales 001B")
    assert "That was wrong: forget it" in eve.get(f"/admin/leads/{waiting[0]}").text
    assert eve.post("/admin/review/forget", lead=waiting[0]).status_code == 303
    [(ended_by, ended_at)] = rows(database, account_link, "ended_by", "ended_at")
    assert (ended_by, ended_at is None) == (eve.person_id, False)
    assert "That was wrong" not in eve.get(f"/admin/leads/{waiting[0]}").text
    assert [a for a, _, _ in actions(database, "leads.account_link_ended")] == [eve.person_id]
    again = eve.post("/admin/review/forget", lead=waiting[0])
    assert (again.status_code, "Nothing is remembered" in text_of(again)) == (404, True)


def test_two_people_who_answer_at_once_make_one_link(database, waiting):
    def say(n):
        try:
            with database.begin() as cx:
                return review.link(cx, waiting[n % 2], "sales", "001A" if n % 2 else "001B", f"per_{n}")
        except Answered:
            return 0

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(say, range(8))) == [0] * 7 + [2]
    assert len(rows(database, account_link, "id")) == 1


def test_a_long_queue_goes_on_by_key(eve, database):
    with database.begin() as cx:
        leads.account(cx)
        made = [put(cx, "001A", subject=f"domain:d{n}.example") for n in range(60)]
    first = eve.get("/admin/review")
    assert "50+ leads wait" in text_of(first)
    onward = re.search(r'href="(/admin/review\?after=[^"]+)"', first.text).group(1)
    second = eve.get(onward)
    shown = [i for page in (first, second) for i in re.findall(r'<article class="note" id="(led_\w+)"', page.text)]
    assert sorted(shown) == sorted(made)
    last = shown[-1]
    assert last not in first.text
    assert f'id="{last}"' in eve.get(f"/admin/review?lead={last}").text, (
        "a lead of a later page is shown when it is asked about"
    )
    assert eve.get("/admin/review?lead=%00").status_code == 200
