"""What is old is forgotten, money's keys and unfinished work never."""

import sqlalchemy as sa

from app.config import load
from app.inbox import retention

SETTINGS = load({"MODE": "sandbox", "KEY_DAYS": "90"})
OLD = "now() - interval '91 days'"


def rows(cx, table):
    return cx.execute(sa.text(f"SELECT count(*) FROM {table}")).scalar_one()


def test_old_keys_verdicts_and_changes_go_and_money_and_open_work_stay(database):
    with database.begin() as cx:
        for key, state, money, at in (
            ("a", "done", False, OLD), ("b", "done", True, OLD), ("c", "received", False, OLD),
            ("d", "done", False, "now()"),
        ):  # fmt: skip
            cx.execute(
                sa.text(
                    "INSERT INTO delivery_key (connection_id, event_key, kind, lane, state, money, received_at)"
                    f" VALUES ('x', :key, 'k', :key, :state, :money, {at})"
                ),
                {"key": key, "state": state, "money": money},
            )
            cx.execute(sa.text(f"INSERT INTO lane (connection_id, key, busy_until) VALUES ('x', '{key}', {at})"))
        cx.execute(
            sa.text(
                "INSERT INTO outbox (connection_id, ticket_id, change, state, due_at, settled_at) VALUES"
                f" ('x', '1', '{{}}', 'done', {OLD}, {OLD}), ('x', '1', '{{}}', 'dead', {OLD}, {OLD}),"
                f" ('x', '2', '{{}}', 'pending', {OLD}, NULL)"
            )
        )
    found = retention.prune(database, SETTINGS)
    assert found == {"deliveries": 1, "judgements": 0, "changes": 1, "lanes": 2, "gaps": 0}
    with database.begin() as cx:
        assert set(cx.execute(sa.text("SELECT event_key FROM delivery_key")).scalars()) == {"b", "c", "d"}
        assert set(cx.execute(sa.text("SELECT key FROM lane")).scalars()) == {"c", "d"}
        assert rows(cx, "outbox") == 2
    assert retention.prune(database, SETTINGS)["deliveries"] == 0
