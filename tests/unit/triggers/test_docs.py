"""docs/rules.md says what there is: every type, operator, fact and action, and its examples import."""

import re
from pathlib import Path

from app.actions import actions
from app.triggers.catalogue import FACTS, Fact, Type
from app.triggers.operators import operators_of
from app.triggers.rules import Rule
from app.triggers.service import parse

TEXT = (Path(__file__).resolve().parents[3] / "docs" / "rules.md").read_text(encoding="utf-8")


def table(heading):
    """Rows of the table below a heading, by their first cell."""
    part = TEXT.split(f"| {heading} |", 1)[1].split("\n\n", 1)[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in part.splitlines()[2:]]
    return {row[0].strip("`"): row[1:] for row in rows}


def test_every_fact_stands_there_with_its_type_and_choices():
    rows = table("fact")
    assert set(rows) == {*FACTS, "ticket.custom_fields.<id>"}
    for name, fact in FACTS.items():
        assert rows[name][0] == f"{fact.type}{'*' if fact.changes else ''}", name
        assert rows[name][1].endswith(", ".join(fact.choices)), name


def test_every_type_stands_there_with_its_operators():
    rows = table("type")
    assert set(rows) == {kind.value for kind in Type}
    for kind in Type:
        assert set(re.findall(r"`(\w+)`", rows[kind.value][0])) == set(operators_of(Fact("x", kind, "")))
    for operator in set(operators_of(Fact("x", Type.TEXT, "", changes=True))) - set(
        operators_of(Fact("x", Type.TEXT, ""))
    ):
        assert f"`{operator}: " in TEXT, operator


def test_every_action_stands_there_with_its_parameters():
    rows = table("action")
    assert set(rows) == set(actions())
    for key, action in actions().items():
        assert rows[key][0] == action.title
        assert set(re.findall(r"`(\w+)`", rows[key][1])) == set(action.params.model_fields)


def test_every_part_of_a_rule_is_shown_and_every_example_imports():
    blocks = re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)
    assert len(blocks) == 2
    for block in blocks:
        parse(block)
    assert all(f"{name}:" in blocks[0] for name in Rule.model_fields)
