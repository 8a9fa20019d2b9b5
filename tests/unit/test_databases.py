"""The next test finds a database as the migrations leave it, whatever the last one did."""

from __future__ import annotations

import sqlalchemy as sa


def test_rows_go_rows_of_the_migrations_come_back_and_numbers_begin_at_one(databases, new_database):
    with new_database() as first, first.begin() as cx:
        cx.execute(sa.text("INSERT INTO lead_step (lead_id, what) VALUES ('x', 'y')"))
        before = cx.execute(sa.text("SELECT * FROM audit_head")).all()
    with databases.opened(databases.peek()) as owner:
        owner.execute("UPDATE alembic_version SET version_num = 'x'")
        owner.execute("DELETE FROM audit_head")
    databases.give_back(databases.take())
    with new_database() as again, again.begin() as cx:
        assert again.url == first.url
        assert cx.execute(sa.text("SELECT * FROM audit_head")).all() == before
        assert cx.execute(sa.text("SELECT version_num FROM alembic_version")).scalar() != "x"
        asked = "INSERT INTO lead_step (lead_id, what) VALUES ('x', 'y') RETURNING id"
        assert cx.execute(sa.text(asked)).scalar() == 1


def test_one_whose_schema_was_changed_is_not_used_again(databases, new_database):
    with new_database() as first, databases.opened(databases.name_of(first.url)) as owner:
        owner.execute("ALTER TABLE lead_step ADD COLUMN more text")
    with new_database() as again:
        assert again.url != first.url
