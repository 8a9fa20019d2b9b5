"""The staff's mirror on a real PostgreSQL: whole readings, who left, when to read again."""

from datetime import UTC, datetime, timedelta

from app import agents
from app.agents import store
from integrations.kernel.records import AgentRecord

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
DESK = "con_desk"


def member(id_="1", **known):
    return AgentRecord(
        id_, NOON, **{"name": "Ann", "role": "agent", "restriction": "groups", "groups": ("7",), **known}
    )


def test_a_reading_is_kept_whole_and_who_is_not_in_the_next_is_no_longer_active(database):
    with database.begin() as cx:
        store.replace_all(cx, DESK, [member(), member("2", role="admin", restriction="all")], NOON)
        store.replace_all(cx, DESK, [member("2", role="agent")], NOON + timedelta(minutes=10))
        found = agents.find(cx, DESK, ["1", "2", "3"])
    assert sorted(found) == ["1", "2"]
    assert (found["1"].active, found["2"].active, found["2"].role) == (False, True, "agent")
    assert found["2"].read_at == NOON + timedelta(minutes=10)
    assert found["1"].groups == ("7",)


def test_a_reading_that_was_overtaken_changes_nothing(database):
    with database.begin() as cx:
        store.replace_all(cx, DESK, [member(role="admin")], NOON)
        store.replace_all(cx, DESK, [], NOON - timedelta(seconds=1))
        assert agents.find(cx, DESK, ["1"])["1"].active
        assert agents.find(cx, "con_other", ["1"]) == {}


def test_the_staff_is_due_when_never_read_too_old_or_somebody_of_it_changed(database):
    every = timedelta(minutes=10)
    with database.begin() as cx:
        store.replace_all(cx, "con_a", [member()], NOON)
        store.replace_all(cx, "con_b", [member()], NOON - every)
    assert agents.due(database, ["con_a", "con_b", "con_c"], NOON, every) == ["con_b", "con_c"]
    with database.begin() as cx:
        agents.want(cx, "con_a", ["somebody else"])
    assert agents.due(database, ["con_a"], NOON, every) == []
    with database.begin() as cx:
        agents.want(cx, "con_a", ["1", "9"])
    assert agents.due(database, ["con_a"], NOON, every) == ["con_a"]
    with database.begin() as cx:
        store.replace_all(cx, "con_a", [member()], NOON + timedelta(seconds=1))
    assert agents.due(database, ["con_a"], NOON, every) == []
