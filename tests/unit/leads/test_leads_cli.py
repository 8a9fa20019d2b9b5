"""`flask leads ...`, run as it is run."""

from __future__ import annotations

import json

import pytest
import sqlalchemy as sa

from app.cli import register
from app.config import load
from app.factory import create_app
from app.leads.models import lead_signal


@pytest.fixture
def run(world):
    app = create_app(load({"DATABASE_URL": world.database.url, "REDIS_URL": "redis://127.0.0.1:1"}))
    if not app.cli.commands.get("leads"):
        register(app)
    runner = app.test_cli_runner()
    yield lambda *words: runner.invoke(args=[*words])
    app.extensions["deskbridge"].database.close()


def counts(output):
    return {
        row.split()[0]: tuple(map(int, row.split()[1:])) for row in output.splitlines() if row.split()[-1].isdigit()
    }


def test_a_dry_run_says_what_the_scan_then_does(run, world):
    world.term(renews_on=world.day(20), seats_used=50)
    dry = run("leads", "scan", "--dry-run")
    assert dry.exit_code == 0, dry.output
    assert "Nothing of it was written." in dry.output
    assert world.rows() == []
    done = run("leads", "scan")
    assert counts(done.output) == counts(dry.output)
    assert counts(done.output)["all"] == (3, 3, 0)
    assert counts(run("leads", "scan").output)["all"] == (3, 0, 0)


def test_the_policy_is_set_shown_recorded_and_used(run, world):
    done = run("leads", "policy", "set", "seats_pct=80", "weight.limit_hit=0", "--by", "bea")
    assert done.exit_code == 0, done.output
    shown = json.loads(run("leads", "policy", "show").output)
    assert (shown["seats_pct"], shown["weights"]["limit_hit"], shown["renewal_months"]) == (80, 0, 6)
    assert "leads.policy_set" in run("audit", "export").output
    world.term(seats_used=41)
    world.term("sub_2", seats_used=50)
    run("leads", "scan")
    with world.database.begin() as cx:
        assert cx.execute(sa.select(lead_signal.c.name)).scalars().all() == ["seats_full", "seats_full"]


def test_words_come_from_a_file_and_a_bad_pattern_is_refused_with_its_reason(run, tmp_path):
    file = tmp_path / "words.txt"
    file.write_text("\\bangebot\\b\n\\bpreis\\w*\n")
    assert run("leads", "policy", "set", f"words.quote=@{file}").exit_code == 0
    assert json.loads(run("leads", "policy", "show").output)["words"]["quote"] == ["\\bangebot\\b", "\\bpreis\\w*"]
    refused = run("leads", "policy", "set", "words.quote=(?=x)")
    assert refused.exit_code == 1
    assert "RE2 does not take this pattern" in refused.output


def test_an_answer_without_a_crm_is_refused_in_a_sentence(run):
    done = run("leads", "review", "link", "led_1", "001A", "--by", "bea")
    assert (done.exit_code, "There is no CRM connection yet" in done.output) == (1, True), done.output
