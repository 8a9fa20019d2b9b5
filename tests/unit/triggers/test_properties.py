"""For any facts: evaluation never raises, and explain arrives at the same by the same way."""

from datetime import UTC, datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from app.triggers import short
from app.triggers.catalogue import FACTS
from app.triggers.compiled import clause, compile_rules
from app.triggers.engine import EventFacts, evaluate, explain, nothing_derived, seen_facts
from app.triggers.operators import Context
from app.triggers.rates import Rates
from app.triggers.rules import Condition
from app.triggers.service import parse, to_yaml
from integrations.kernel.events import Change

OPERANDS = {
    "is": ["Team", 5, True, "19.99 USD", "2026-11-24", "open", "low", "question", "agent", "linked", "active"],
    "one_of": [["Team"], ["open"], ["low"], ["question"], ["agent"], ["linked"], ["active"]],
    "contains": ["a"],
    "matches": ["(a|b)+$"],
    "includes_any": [["vip"]],
    "at_least": [5, "5 USD", "4h"],
    "between": [[1, 5], ["1 USD", "5 USD"], ["1h", "4h"], ["2026-01-01", "2026-12-31"]],
    "before": ["2026-11-24"],
    "within_next_days": [30],
    "changed": [True],
    "changed_from": ["low", None],
    "is_present": [True],
}
ALIKE = {
    "is_not": "is", "includes_all": "includes_any", "includes_none": "includes_any", "at_most": "at_least",
    "after": "before", "within_last_days": "within_next_days", "changed_to": "changed_from", "is_absent": "is_present",
}  # fmt: skip
NAMES = [*FACTS, "ticket.custom_fields.360001"]

MONEY = st.builds(
    lambda minor, currency: {"minor": minor, "currency": currency}, st.integers(), st.sampled_from(["USD", 5])
)
WORDS = st.sampled_from(["open", "solved", "closed", "Team", "2026-11-24", "2026-11-24T09:00:00Z", "vip"])
TEXT = st.text(st.characters(exclude_categories=()))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT | WORDS | MONEY,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


def clauses():
    """Every clause that a rule could have: every fact, operator and kind of operand that fit together."""
    from app.triggers.catalogue import fact
    from app.triggers.operators import BadOperand, build, operators_of

    for name in NAMES:
        for operator in operators_of(fact(name)):
            for operand in OPERANDS[ALIKE.get(operator, operator)]:
                try:
                    build(fact(name), operator, operand)
                except BadOperand:
                    continue
                yield {"fact": name, operator: operand}


CLAUSES = list(clauses())
ACTIONS = [
    {"add_tags": {"tags": ["db_plan_{{billing.plan}}", "db_x"]}}, {"remove_tags": {"tags": ["db_plan_*"]}},
    {"set_priority": {"priority": "high"}}, {"set_group": {"group_id": "1"}}, {"set_assignee": {"assignee_id": "1"}},
    {"set_custom_field": {"field_id": "1", "value": "{{billing.mrr}}"}}, {"add_note": {"body": "{{ticket.subject}}!"}},
]  # fmt: skip


def rule(number, every, some, stop, solved, active):
    return {
        "id": f"r{number}", "title": "t", "order": number, "when": ["*"], "all": every, "any": some, "stop": stop,
        "also_solved": solved, "active": active, "actions": ACTIONS,
    }  # fmt: skip


PARTS = st.lists(st.sampled_from(CLAUSES), max_size=3)
RULES = st.lists(st.tuples(PARTS, PARTS, st.booleans(), st.booleans(), st.booleans()), min_size=1, max_size=4)
FACT_SETS = st.dictionaries(st.sampled_from(NAMES), JSON, max_size=12)
CHANGES = st.dictionaries(
    st.sampled_from(["priority", "status", "custom_fields.360001"]), st.builds(Change, JSON, JSON)
)


def compiled(raw):
    rule_set, problems = short.read({"rules": [rule(number, *parts) for number, parts in enumerate(raw)]})
    assert not problems
    return compile_rules(1, rule_set)


@settings(deadline=None)
@given(RULES, FACT_SETS, CHANGES, st.sampled_from(["ticket.created", "ticket.hinted", "dispute.opened"]))
def test_evaluation_is_total_and_explain_agrees_with_it(raw, facts, changes, kind):
    rules = compiled(raw)
    event = EventFacts(kind, datetime(2026, 11, 24, 9, tzinfo=UTC), facts, changes, "c", "1", "e")
    outcome, explained = evaluate(rules, event), explain(rules, event)
    assert [(r.id, r.effects) for r in outcome.fired] == [(r.id, r.effects) for r in explained if r.fired]
    assert all(bool(r.reason) is not r.fired for r in explained)
    for seen in explained:
        for asked in seen.clauses:
            assert asked.known is (asked.fact in seen_facts(event, nothing_derived))


COMPILED = [
    clause(Condition(fact=c["fact"], operator=(op := next(k for k in c if k != "fact")), operand=c[op]), Rates(()))
    for c in CLAUSES
]


@settings(deadline=None)
@given(JSON, JSON)
def test_every_clause_there_can_be_is_total(value, before):
    context = Context(datetime(2026, 11, 24, tzinfo=UTC), {"priority": Change(before, value)})
    for one in COMPILED:
        truth, reason = one.judge(dict.fromkeys(NAMES, value), context)
        assert truth in (True, False, None)
        assert truth is not None or reason


@settings(deadline=None)
@given(RULES)
def test_rules_come_back_from_their_text_unchanged(raw):
    rule_set, _ = short.read({"rules": [rule(number, *parts) for number, parts in enumerate(raw)]})
    assert short.read(short.write(rule_set)) == (rule_set, [])
    sound = rule_set.model_copy(
        update={"rules": tuple(r for r in rule_set.rules if not any(c.fact == "ticket.status" for c in r.all))}
    )
    assert parse(to_yaml(sound)) == sound
