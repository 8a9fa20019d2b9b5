"""What the tests of rules share: a rule from its short form, an event, a judgement."""

from datetime import UTC, datetime

import pytest

from app.triggers import short
from app.triggers.engine import EventFacts, compile_rules, evaluate
from integrations.kernel.events import Change

AT = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)


class Desk:
    """Rules in short form, judged."""

    def rule(self, id_="r", order=1, **parts):
        tag = [{"add_tags": {"tags": [f"db_{id_}"]}}]
        return {"id": id_, "title": id_, "order": order, "when": ["*"], "actions": tag, **parts}

    def compiled(self, *rules, rates=()):
        rule_set, problems = short.read({"rules": list(rules), "rates": list(rates)})
        assert not problems
        return compile_rules(1, rule_set)

    def event(self, facts=None, kind="ticket.created", changes=None, at=AT):
        told = {name: Change(*sides) for name, sides in (changes or {}).items()}
        return EventFacts(kind, at, facts or {}, told, "con_1", "35436", "evt_1")

    def fired(self, rules, event):
        return [rule.id for rule in evaluate(rules, event).fired]


@pytest.fixture
def desk():
    return Desk()
