"""The policy on leads: what an admin may set, and what is refused with a sentence."""

import json

import pytest

from app.leads.policy import KIND_OF, WORDS, LeadPolicy, LeadPolicyError, changed, from_json


def test_a_policy_that_was_stored_is_read_back_as_it_was():
    policy = changed(
        LeadPolicy(), {"renewal_days": "120/60", "hold_tags": "outage db_complaint", "words.quote": "a\nb"}
    )
    assert from_json(json.loads(json.dumps(policy.to_json()))) == policy


def test_what_an_older_document_does_not_name_is_as_by_default():
    policy = from_json({"weights": {"renewal": 10}, "hold_tags": ["x"]})
    assert policy.weights["renewal"] == 10
    assert policy.weights["seats_full"] == LeadPolicy().weights["seats_full"]
    assert (policy.hold_tags, policy.renewal_days) == (("x",), (90, 60, 30))


def test_every_signal_has_a_weight_and_every_kind_a_least_score():
    policy = LeadPolicy()
    assert set(policy.weights) == set(KIND_OF)
    assert set(policy.minimum) == set(KIND_OF.values())
    assert set(policy.words) == set(WORDS)


def test_a_signal_with_weight_0_is_not_looked_for():
    policy = changed(LeadPolicy(), {"weight.seats_full": "0"})
    assert not policy.wants("seats_full")
    assert policy.wants("seats_full", "limit_hit")


def test_renewals_and_risk_are_never_kept_back():
    policy = changed(LeadPolicy(), {"holdout_pct": "20"})
    assert [policy.holdout(kind) for kind in ("renewal", "risk", "expansion")] == [0, 0, 20]
    assert LeadPolicy().holdout("expansion") == 0


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("words.quote", "(?=a)b", "RE2 does not take this pattern"),
        ("words.quote", "a" * 1001, "at most 1000 characters"),
        ("words.sales", "a", "no setting"),
        ("weight.nothing", "1", "no setting"),
        ("weights", "1", "no setting"),
        ("words", "1", "no setting"),
        ("weight.renewal", "-1", "a whole number from 0 to 1000"),
        ("weight.renewal", "1.5", "a whole number"),
        ("weight.renewal", "٣", "a whole number"),
        ("renewal_days", "30/60", "the most first"),
        ("renewal_days", "60/60", "different"),
        ("renewal_days", "", "a whole number"),
        ("renewal_months", "1", "from 3 to"),
        ("holdout_pct", "101", "from 0 to 100"),
        ("gather_s", "31", "from 0 to"),
        ("hold_urgent", "maybe", "yes or no"),
        ("decay_days", "0", "from 1 to"),
    ],
)
def test_what_cannot_be_is_refused_with_its_reason(name, value, why):
    with pytest.raises(LeadPolicyError, match=why):
        changed(LeadPolicy(), {name: value})


def test_all_faults_are_told_together():
    with pytest.raises(LeadPolicyError) as error:
        changed(LeadPolicy(), {"seats_pct": "0", "growth_pct": "x"})
    assert "seats_pct" in str(error.value)
    assert "growth_pct" in str(error.value)
