"""What is kept how long: bodies and facts by whole days, keys and verdicts for longer, money's keys for ever."""

from __future__ import annotations

import sqlalchemy as sa

from app.config import Settings
from app.db import Database
from app.inbox import gaps, partitions

BATCH = 5000
GAP_DAYS = 400

# Each in batches, so that no lock is held for long, and nothing that is still being worked on.
_OLD = {
    "deliveries": """DELETE FROM delivery_key WHERE id IN (
        SELECT id FROM delivery_key WHERE NOT money AND state <> 'received'
          AND received_at < now() - make_interval(days => :days) ORDER BY id LIMIT :batch)""",
    "judgements": """DELETE FROM judgement WHERE id IN (
        SELECT id FROM judgement WHERE judged_at < now() - make_interval(days => :days) ORDER BY id LIMIT :batch)""",
    "changes": """DELETE FROM outbox WHERE id IN (
        SELECT id FROM outbox WHERE state IN ('done', 'dropped')
          AND settled_at < now() - make_interval(days => :days) ORDER BY id LIMIT :batch)""",
    "lanes": """DELETE FROM lane WHERE (connection_id, key) IN (
        SELECT l.connection_id, l.key FROM lane l WHERE l.busy_until < now() - make_interval(days => :days)
          AND NOT EXISTS (SELECT FROM delivery_key d WHERE d.connection_id = l.connection_id AND d.lane = l.key
                          AND d.state = 'received') LIMIT :batch)""",
}


def prune(database: Database, settings: Settings) -> dict[str, int]:
    """Forget what is older than KEY_DAYS; answers how many rows of each went."""
    gone: dict[str, int] = {}
    for name, statement in _OLD.items():
        gone[name] = 0
        while True:
            with database.begin() as cx:
                count = cx.execute(sa.text(statement), {"days": settings.key_days, "batch": BATCH}).rowcount
            gone[name] += count
            if count < BATCH:
                break
    with database.begin() as cx:
        gone["gaps"] = gaps.prune(cx, GAP_DAYS)
    return gone


def drop_days(owner: Database, settings: Settings) -> None:
    """Make the partitions of the days to come and drop those of days past. `owner`: the role that owns the tables."""
    with owner.begin() as cx:
        partitions.ensure(cx)
        partitions.drop(cx, settings.body_days)
