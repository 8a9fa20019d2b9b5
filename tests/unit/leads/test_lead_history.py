"""Years of answered leads: what is asked for all the time goes by an index, and nothing that rested is forgotten."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from app.leads import gather, report, verdicts
from app.leads.models import lead
from tests.crm_world import CRM

HISTORY = """
    INSERT INTO lead (id, company, subject, kind, period, state, crm_id, object_id, shape, verdict, verdict_at, standing)
    SELECT 'led_' || n, 'account:con_crm:' || n, 'payer:bank:old_' || n, 'renewal', '2020-01-01', 'closed', 'con_crm', 'o' || n,
           'deal', CASE n % 4 WHEN 0 THEN 'accepted' WHEN 2 THEN 'won' ELSE 'rejected' END, now() - make_interval(days => 30 + n),
           CASE n % 50 WHEN 0 THEN '{"followed": true}' ELSE '{}' END::jsonb
    FROM generate_series(1, 5000) n
"""
SIGNALS = """
    INSERT INTO lead_signal (subject, kind, name, source, period, digest, judged_digest, happened_at, lead_id)
    SELECT 'payer:bank:old_' || n, 'renewal', 'renewal', 'sub_' || n, '2020-01-01', 'd', 'd', now(), 'led_' || n
    FROM generate_series(1, 5000) n
"""


def plan(cx, statement, **values):
    return "\n".join(cx.execute(sa.text(f"EXPLAIN {statement}"), values).scalars())


def test_neither_what_rested_nor_what_is_followed_reads_all_leads_that_ever_were(scene):
    scene.sql(HISTORY)
    scene.sql(SIGNALS)
    with scene.database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as cx:
        cx.execute(sa.text("ANALYZE lead, lead_signal"))
        since = scene.now - timedelta(hours=1)
        told = plan(cx, gather._AWAKE.text, now=scene.now, since=since, days=90)
        assert "Index Scan using ix_lead_verdict_at" in told, told
        followed = sa.select(lead.c.object_id).where(lead.c.crm_id == CRM, verdicts._FOLLOWED)
        query = str(followed.compile(scene.database.engine, compile_kwargs={"literal_binds": True}))
        told = "\n".join(cx.exec_driver_sql(f"EXPLAIN {query}").scalars())
        assert "ix_lead_followed" in told, told


@pytest.mark.parametrize("days", [1, 30])
def test_what_rested_is_told_when_the_rest_is_over_however_long_nobody_looked(scene, days):
    scene.signal()
    scene.run()
    scene.crm.state.stage(scene.one().object_id, "Closed Lost")
    scene.poll()
    scene.signal(on="2028-01-15")
    scene.run()
    scene.sql("UPDATE crm_cursor SET ran_at = ran_at - make_interval(days => :d) WHERE name = 'awake'", d=days)
    scene.sql("UPDATE lead SET verdict_at = verdict_at - interval '90 days 10 minutes'")
    scene.sql("UPDATE lead_signal SET seen_at = seen_at - interval '90 days'")
    scene.run()
    assert [one.state for one in scene.leads()] == ["closed", "pushed"]


def test_a_shorter_rest_counts_for_those_that_rest_already(scene):
    scene.signal()
    scene.run()
    scene.crm.state.stage(scene.one().object_id, "Closed Lost")
    scene.poll()
    scene.signal(on="2028-01-15")
    scene.now += timedelta(days=40)
    scene.run()
    scene.policy(cooldown_days="20")
    scene.run()
    assert [one.state for one in scene.leads()] == ["closed", "pushed"]


def test_a_lead_of_a_rule_counts_for_the_rule_and_for_its_signal_once_each(scene):
    scene.asked("7", rule="asks_quote")
    scene.asked("8", rule="asks_quote")
    scene.asked("9", name="rule", rule="asks_sso")
    scene.run()
    scene.crm.state.reject("Task", scene.one().object_id, "No budget")
    scene.poll()
    with scene.database.begin() as cx:
        found = {one.name: (one.sent, one.rejected) for one in report.records(cx, scene.now - timedelta(days=1))}
    assert found == {"asks_quote": (1, 1), "quote_words": (1, 1), "asks_sso": (1, 1), "rule": (1, 1)}
