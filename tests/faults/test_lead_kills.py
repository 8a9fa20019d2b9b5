"""kill -9 at every boundary of a lead on its way, four workers, a CRM that fails: one record, always. Short form."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import pytest

from tests.faults.lead_harness import ANSWERS, BOUNDARIES, Harness

APP = Path(__file__).resolve().parents[2] / "app"
GATE = list(zip(BOUNDARIES, itertools.cycle(ANSWERS), strict=False))


@pytest.fixture(scope="module")
def leads(module_database):
    made = Harness(module_database)
    yield made
    made.stop()


def test_every_fail_point_of_leads_is_struck_here():
    found = set()
    for path in APP.rglob("*.py"):
        found |= set(re.findall(r'\bfp\("(lead\.[^"]+)"\)', path.read_text(encoding="utf-8")))
    assert found == set(BOUNDARIES)


@pytest.mark.parametrize(("boundary", "answer"), GATE)
def test_a_kill_at(leads, boundary, answer):
    leads.strike(boundary, answer)


def test_nothing_is_there_twice_at_the_end_of_it_all(leads):
    figures = leads.figures()
    assert figures["duplicates"] == 0
    assert figures["kills"] >= figures["points"] // 2
