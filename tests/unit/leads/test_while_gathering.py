"""A person answers while a batch is being gathered: both are done, one after the other, and the answer stands."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from app.leads import retrying, review, store
from tests.crm_world import CRM

CUS_4 = "payer:bank:cus_4"
_HASH = "hashtextextended('lead/' || CAST({} AS text), 0)"
# A payer whose company is locked before the other two.
_EARLIER = f"""
    SELECT n FROM generate_series(1, 200) AS n WHERE {_HASH.format("'payer:bank:early_' || n")}
        < least({_HASH.format(":subject")}, {_HASH.format(":company")}) ORDER BY n LIMIT 1
"""
_WAITING = """
    SELECT count(DISTINCT pid) FROM pg_locks l JOIN pg_stat_activity a USING (pid)
    WHERE NOT l.granted AND a.datname = current_database()
"""


@pytest.fixture
def scene(scene):
    """One more payer, known to the CRM by its name only."""
    scene.account("001R", "Reseller", owner="005R")
    scene.payer("cus_4", None, name="Reseller")
    return scene


def meanwhile(scene, work, company=f"account:{CRM}:001R"):
    """A batch has matched its signals and waits for its companies; there somebody does this."""
    early = f"early_{scene.sql(_EARLIER, subject=CUS_4, company=company)[0]['n']}"
    scene.payer(early, None, name="Early")
    scene.signal(payer=early)
    with ThreadPoolExecutor(2) as pool:
        with scene.database.begin() as cx:
            store.lock_companies(cx, [f"payer:bank:{early}"])
            gathering = pool.submit(scene.gather)
            until_waiting(cx, 1, gathering)
            working = pool.submit(in_one, scene, work)
            until_waiting(cx, 2, working)
        gathering.result(30)
        working.result(30)


def in_one(scene, work):
    with scene.database.begin() as cx:
        work(cx)


def until_waiting(cx, count, one):
    for _ in range(500):
        cx.execute(sa.text("SELECT pg_stat_clear_snapshot()"))
        if cx.execute(sa.text(_WAITING)).scalar_one() >= count or one.done():
            return
        time.sleep(0.01)
    raise AssertionError("nobody waits")


def in_review(scene):
    scene.signal(payer="cus_4")
    scene.gather()
    one = scene.one(subject=CUS_4)
    assert one.state == "review"
    return one


def held_and_linked(scene):
    scene.hold("cus_4")
    one = in_review(scene)
    with scene.database.begin() as cx:
        review.link(cx, one.id, CRM, "001R", "per_1")
    scene.gather()
    assert (scene.one().state, scene.one().account_id) == ("held", "001R")
    return one


@pytest.mark.parametrize("seen", ["the same", "more"])
def test_a_link_that_is_taken_back_stays_taken_back(scene, seen):
    one = held_and_linked(scene)
    if seen == "more":
        scene.signal("limit_hit", "renewal", payer="cus_4")
    else:
        scene.sql("UPDATE lead_signal SET judged_digest = ''")
    meanwhile(scene, lambda cx: review.forget(cx, one.id, "per_1"))
    scene.release()
    scene.run()
    mine = scene.one(subject=CUS_4)
    assert (mine.id, mine.company, mine.state, mine.account_id) == (one.id, CUS_4, "review", "")
    assert [record.row.get("AccountId") for record in scene.crm.records() if record.row.get("AccountId")] == []


def test_a_company_that_is_named_is_the_leads_company(scene):
    one = in_review(scene)
    scene.signal("limit_hit", "renewal", payer="cus_4")
    meanwhile(scene, lambda cx: review.link(cx, one.id, CRM, "001R", "per_1"))
    scene.run()
    assert (scene.one(id=one.id).state, scene.one(id=one.id).account_id) == ("pushed", "001R")


def test_what_is_sent_again_is_sent_with_what_was_seen(scene):
    scene.crm.state.object_to("Opportunity", "FIELD_CUSTOM_VALIDATION_EXCEPTION", "Not in this month.", 1)
    scene.signal()
    scene.run()
    dead = scene.one(state="dead")
    scene.signal(step=30)
    meanwhile(scene, lambda cx: retrying.again(cx, dead.id, "per_1"), dead.company)
    scene.run()
    assert (scene.one(id=dead.id).state, scene.one(id=dead.id).score) == ("pushed", 50)
