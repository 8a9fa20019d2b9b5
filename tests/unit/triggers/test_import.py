"""Rules as text: strict YAML, every problem at once with its place, examples that must hold, the way back."""

import time
from pathlib import Path

import pytest

from app.triggers.engine import compile_rules, evaluate
from app.triggers.merge import merge
from app.triggers.service import RulesInvalid, parse, to_yaml

ROOT = Path(__file__).resolve().parents[3]


def problems(text, **options):
    with pytest.raises(RulesInvalid) as error:
        parse(text, **options)
    return [str(problem) for problem in error.value.problems]


def rule(**parts):
    lines = {
        "id": "one",
        "title": "One",
        "order": 1,
        "when": '["*"]',
        "actions": "[{add_tags: {tags: [db_x]}}]",
        **parts,
    }
    return "- {" + ", ".join(f"{name}: {value}" for name, value in lines.items() if value is not None) + "}\n"


def test_every_problem_of_every_rule_is_told_at_once_with_its_place():
    text = (
        "rules:\n"
        + rule(id="first", all="[{fact: billing.sets, at_least: 1}, {fact: billing.seats, at_least: many}, {seats: 1}]")
        + rule(id="second", order="soon", when="[]", colour="red")
        + rule(
            id="third", order=3, actions="[{add_tags: {tags: [vip]}}, {explode: {}}, {set_priority: {priority: max}}]"
        )
        + rule(id="fourth", order=3, when="[ticket.exploded]", title=None, actions="[{add_tags: {tag: db_x}}]")
        + rule(
            id="third",
            order=5,
            any='[{fact: ticket.subject, matches: "(?=x)"}]',
            examples="[{fires: yes, facts: {x: 1}}]",
        )
        + "- just text\n"
        + rule(id="seventh", order=7, all="{fact: billing.seats}", actions=None)
    )
    found = problems(text)
    for start in (
        "first: all.3: a clause is a fact and one operator",
        "second: order: Input should be a valid integer",
        "second: when: Tuple should have at least 1 item",
        "second: colour: there is no such name here; there are id, title, order",
        "third: actions.1 (add_tags): 'vip' is not ours: write a tag that begins with 'db_'",
        "third: actions.2 (explode): there is no such action; there are add_note, add_tags",
        "third: actions.3 (set_priority).priority: Input should be 'low', 'normal', 'high' or 'urgent'",
        "fourth: title: is missing; add it",
        "third: id: is given twice",
        "third: any.1 (ticket.subject matches): RE2 does not take this pattern",
        "rule 6: a rule is a mapping",
        "seventh: all: give a list",
        "seventh: actions: is missing; add it",
    ):
        assert any(problem.startswith(start) for problem in found), (start, found)


@pytest.mark.parametrize("name", ["renewal", "quote_words", "rule"])
def test_a_rule_that_makes_leads_may_not_be_called_as_a_signal_is(name):
    leads = "[{create_lead: {kind: request}}, {create_lead: {words: [quote]}}]"
    told = problems("rules:\n" + rule(id=name, actions=leads))
    assert told == [f"{name}: id: {name} is the name of a signal, and create_lead counts by name; use another id"]
    assert parse("rules:\n" + rule(id=name))
    assert parse("rules:\n" + rule(id="my_renewal", actions=leads))


def test_clauses_and_orders_and_kinds_are_checked_too():
    found = problems(
        "rules:\n"
        + rule(id="first", all="[{fact: billing.sets, at_least: 1}, {fact: billing.seats, at_least: many}]")
        + rule(id="second", when="[ticket.exploded, tickets.*]")
    )
    assert found[0] == "second: order: 1 is that of first; every rule needs its own"
    assert found[1].startswith("first: all.1 (billing.sets at_least): there is no such fact")
    assert found[2] == "first: all.2 (billing.seats at_least): give a number"
    assert found[3].startswith("second: when: no vendor reports 'ticket.exploded'; there are ticket.assignee_changed, ")
    assert found[4].startswith("second: when: no vendor reports 'tickets.*'")


def test_a_rule_that_could_never_fire_is_told():
    asks = "[{fact: ticket.status, is: solved}]"
    assert "would never fire; add also_solved" in problems("rules:\n" + rule(all=asks))[0]
    parse("rules:\n" + rule(all=asks, also_solved="true"))
    assert "never judged" in problems("rules:\n" + rule(all="[{fact: ticket.status, is: closed}]"))[0]


def test_two_notes_that_go_by_one_name_are_told():
    note = "{add_note: {body: Hello}}"
    assert "two notes go by one name" in problems("rules:\n" + rule(actions=f"[{note}, {note}]"))[0]
    parse("rules:\n" + rule(actions="[{add_note: {body: Hello}}, {add_note: {body: Bye, once: false}}]"))


def test_another_owned_prefix_is_the_one_that_counts():
    assert "begins with 'acme_'" in problems("rules:\n" + rule(), tag_prefix="acme_")[0]


def test_an_example_that_does_not_hold_stops_the_import_and_says_what_the_clause_saw():
    clause = "[{fact: billing.seats, at_least: 5}]"
    (found,) = problems("rules:\n" + rule(all=clause, examples="[{facts: {billing.seats: 4}, fires: true}]"))
    assert found.startswith("one: examples.1: must fire, but it does not: a clause does not hold. ")
    assert "billing.seats at_least 5 saw 4" in found
    (found,) = problems("rules:\n" + rule(all=clause, examples="[{facts: {billing.seats: 5}, fires: false}]"))
    assert found.startswith("one: examples.1: must not fire, but it fires")


@pytest.mark.parametrize(
    ("facts", "text"),
    [
        ("{billing.sets: 4}", "billing.sets is no fact"),
        ('{billing.seats: "4"}', "billing.seats is a number; '4' is none"),
        ("{ticket.tags: vip}", "ticket.tags is a tag set"),
        ("{billing.mrr: 5}", "billing.mrr is a money"),
        ("{billing.renews_on: soon}", "billing.renews_on is a date"),
    ],
)
def test_an_example_with_facts_that_cannot_be_is_told(facts, text):
    assert text in problems("rules:\n" + rule(examples=f"[{{facts: {facts}, fires: false}}]"))[0]


def test_an_example_of_an_inactive_rule_is_judged_as_if_it_were_active():
    parse("rules:\n" + rule(active="false", examples="[{facts: {}, fires: true}]"))


def test_an_example_has_its_own_time_changes_and_derived_facts():
    text = "rules:\n" + rule(
        all="[{fact: ticket.priority, changed_to: high}, {fact: billing.days_to_renewal, at_most: 30}]",
        examples='[{facts: {}, changes: {priority: [low, high]}, at: "2026-11-24T09:00:00Z", fires: true}]',
    )
    seen = []

    def derive(facts, at):
        seen.append(at)
        return {"billing.days_to_renewal": 3}

    parse(text, derive=derive)
    assert f"{seen[0]:%Y-%m-%d}" == "2026-11-24"
    assert "must fire" in problems(text)[0]
    given = text.replace("facts: {}", "facts: {billing.days_to_renewal: 31}")
    assert "must fire" in problems(given, derive=derive)[0]  # what the example says stands


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("rules: [", "not YAML"),
        ("rules: &a []\nmore: *a", "line 1: anchors and aliases"),
        ("a: &a [x,x]\nb: [*a,*a]", "anchors and aliases"),
        ("rules: []\nrules: []", "line 2: 'rules' is given twice"),
        ("rules:\n- {id: a, id: b}", "line 2: 'id' is given twice"),
        ("rules: !!python/object/apply:os.system ['true']", "not YAML"),
        ("rules: !!binary aGVsbG8=", "cannot be stored"),
        ("rules:\n- {id: .nan}", "cannot be stored"),
        ("rules:\n- {id: .inf}", "cannot be stored"),
        ("rules:\n- {id: 99999999999999999999}", "cannot be stored"),
        ('rules:\n- {id: "\\0"}', "cannot be stored"),
        ('rules:\n- {id: "\\uD800"}', ""),
        ("rules:\n- {1: x}", "the key 1 is not a word"),
        ("rules:\n- {[a]: x}", "a key must be a plain word"),
        ("{<<: {rules: []}}", "a key must be a plain word"),
        ("[" * 30 + "]" * 30, "nested too deep"),
        ("[" * 50_000, "nest"),
        ("rules: [" + "[]," * 100_000 + "]", "too long"),
        ("a" * ((1 << 20) + 1), "larger than 1 MiB"),
        ("", "must hold `rules:`"),
        ("rules: {}", "must hold `rules:`"),
        ("rules: []\nrulez: []", "rulez: there is no such name here"),
        ("--- {}\n--- {}", "not YAML"),
    ],
)
def test_text_that_is_no_rules_is_refused_with_what_is_wrong(text, told):
    began = time.process_time()
    assert told in problems(text)[0]
    assert time.process_time() - began < 2


def test_rates_are_read_and_checked():
    good = "rules: []\nrates: [{from: EUR, to: USD, rate: '1.08', since: 2026-11-01}]"
    assert parse(to_yaml(parse(good))) == parse(good)
    found = problems("rules: []\nrates: [{from: eur, to: USD, rate: -1, since: soon}]")
    assert {problem.split(": ")[0] for problem in found} == {"rates.1.from", "rates.1.rate", "rates.1.since"}


def test_the_starter_rules_import_and_come_back_the_same():
    rules = parse((ROOT / "examples" / "rules.yaml").read_text(encoding="utf-8"))
    assert parse(to_yaml(rules)) == rules
    assert all(len({example.fires for example in rule.examples}) == 2 for rule in rules.rules), "each way once"
    written = {effect for rule in rules.rules for step in rule.actions for effect in [step.action]}
    assert written == {"add_tags", "remove_tags", "set_priority", "create_lead", "hold_leads"}, "no notes"
    tags = {tag for rule in rules.rules for step in rule.actions for tag in step.params.get("tags", ())}
    assert {"db_status_past_due", "db_dispute_open", "db_renews_30d", "db_payment_failed"} <= tags


def test_the_starter_rules_take_off_what_they_put_on_with_the_facts_billing_gives(desk):
    """The tags of a ticket follow billing's own facts, there and back; without billing's facts nothing is touched."""
    from app.billing.facts import base_facts, relative_facts
    from app.triggers.catalogue import is_known

    rules = compile_rules(1, parse((ROOT / "examples" / "rules.yaml").read_text(encoding="utf-8")))
    nobody = base_facts([], [])
    seen = {**nobody, **relative_facts(nobody, desk.event().at)}
    assert [name for name in seen if not is_known(name) and not name.startswith("billing._")] == []
    troubled = {
        **nobody, "billing.plan": "Team", "billing.status": "past_due", "billing.delinquent": True,
        "billing.open_dispute": True, "billing.renews_on": "2026-12-01", "billing._failed": ["2026-11-20T00:00:00Z"],
    }  # fmt: skip

    def tags(facts, before):
        merged = merge(evaluate(rules, desk.event({**facts, "ticket.tags": before}), relative_facts).effects)
        desired = merged.get(("con_1", "35436"))
        return desired.wanted.applied_to({"tags": before})["tags"] if desired else before

    ours = ["db_dispute_open", "db_payment_failed", "db_plan_team", "db_renews_30d", "db_status_past_due", "vip"]
    assert tags(troubled, ["vip"]) == ours
    assert tags(nobody, ours) == ["vip"]
    assert tags({}, ours) == ours
