"""Placeholders: facts in, nothing else; never raises; what a customer wrote stays text."""

import html
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.actions import Subject, actions
from app.actions.placeholders import fill, problems, slug, words
from app.triggers.catalogue import is_known
from integrations.kernel.records import Note

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(exclude_categories=())),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=10,
)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ({"minor": 1999, "currency": "USD"}, "19.99 USD"),
        ({"minor": -1234567, "currency": "JPY"}, "-1,234,567 JPY"),
        ({"minor": 1, "currency": "KWD"}, "0.001 KWD"),
        ([{"minor": 5, "currency": "USD"}, {"minor": 7, "currency": "EUR"}], "0.05 USD, 0.07 EUR"),
        (True, "yes"),
        (["a", "b"], "a, b"),
        (None, ""),
        (0, "0"),
        ({"minor": "5", "currency": "USD"}, ""),
        (10**400, ""),
        (float("nan"), ""),
        ("two\nlines\ttab", "two lines tab"),
        ("\u202etfel\u200b", "tfel"),
    ],
)
def test_a_fact_reads_as_a_person_writes_it(value, shown):
    assert words(value) == shown


@pytest.mark.parametrize(
    "text",
    [
        "{{config}}", "{{ config.items() }}", "{{billing.plan.__class__}}", "{{ticket.subject|upper()|x}}", "{{''}}",
        "{{billing.plan", "billing.plan}}", "{% if x %}{{}}", "{{7*7}}", "{{nothing.known}}",
        "{{ticket.custom_fields.a}}", "{{Billing.Plan}}",
    ],
)  # fmt: skip
def test_what_is_no_fact_is_refused_when_the_rule_is_saved_and_harmless_when_it_runs(text):
    assert problems(text, is_known)
    assert "{" in fill(text, {}) or fill(text, {}) in ("", "billing.plan}}")


def test_what_was_put_in_is_not_looked_into_again():
    assert fill("{{ticket.subject}}", {"ticket.subject": "{{requester.email}}", "requester.email": "x"}) == (
        "{{requester.email}}"
    )


def test_words_stand_in_for_a_missing_and_for_an_empty_fact():
    assert fill("{{billing.plan|no plan}}", {}) == "no plan"
    assert fill("{{ billing.plan | no plan }}", {"billing.plan": None}) == "no plan"
    assert fill("{{billing.plan|no plan}}", {"billing.plan": "Team"}) == "Team"
    assert fill("[{{billing.plan}}]", {}) == "[]"


@settings(deadline=None)
@given(JSON)
def test_no_fact_can_make_it_raise(value):
    shown = fill("{{billing.plan|-}}", {"billing.plan": value})
    assert "\n" not in shown
    shown.encode()
    assert len(shown) <= 600
    assert slug(shown).isascii()


def test_a_hostile_template_takes_linear_time():
    began = time.process_time()
    problems("{{" * 2000 + "a." * 500, is_known)
    fill("{{ " + "a" * 3000 + "|" * 900, {})
    assert time.process_time() - began < 0.2


@settings(deadline=None)
@given(JSON)
def test_a_tag_that_leaves_is_ours_whatever_the_fact(value):
    action = actions()["add_tags"]
    params = action.params.model_validate({"tags": ["db_plan_{{billing.plan}}"]})
    for effect in action.plan(Subject("c", "1", "r", {"billing.plan": value}), params):
        assert all(tag.startswith("db_plan_") and tag.replace("_", "").isalnum() for tag in effect.payload["tags"])


def test_a_tag_of_others_does_not_leave_even_when_the_check_was_passed_by():
    action = actions()["remove_tags"]
    params = action.params.model_validate({"tags": ["vip", "*", "db_", "db_x"]})
    (effect,) = action.plan(Subject("c", "1", "r", {"ticket.tags": ["vip", "db_y"]}), params)
    assert effect.payload == {"tags": ["db_x"]}


def note(rule, facts, **params):
    action = actions()["add_note"]
    (effect,) = action.plan(Subject("c", "1", rule, facts), action.params.model_validate(params))
    return effect


def test_a_note_goes_by_one_name_for_ever_and_by_its_text_when_asked():
    old, new = {"billing.plan": "Team"}, {"billing.plan": "Pro"}
    once = {"body": "{{billing.plan}}"}
    assert note("r", old, **once).payload["key"] == note("r", new, **once).payload["key"]
    assert note("r", old, **once).key == note("r", new, **once).key
    assert note("r", old, **once).payload["key"] != note("other", old, **once).payload["key"]
    each = {**once, "once": False}
    assert note("r", old, **each).payload["key"] == note("r", dict(old), **each).payload["key"]
    assert note("r", old, **each).payload["key"] != note("r", new, **each).payload["key"]


def test_markup_in_a_fact_is_escaped_exactly_once_on_its_way_to_the_helpdesk():
    from integrations.kernel.records import TicketChange
    from integrations.zendesk import wire

    effect = note("r", {"ticket.subject": "<img src=x onerror=alert(1)>"}, body="{{ticket.subject}}")
    body = wire.ticket(TicketChange("1", note=Note(**effect.payload)))["comment"]["html_body"]
    assert html.escape("<img src=x onerror=alert(1)>") in body
    assert "<img" not in body
    assert "&amp;lt;" not in body
