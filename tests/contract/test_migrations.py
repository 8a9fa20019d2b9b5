"""The migrations make what the models say, and the runtime's role can work with it and no more."""

import psycopg
import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from app.db import Database, load_models, migrations
from app.servers import temporary


@pytest.fixture(scope="module")
def migrated():
    with temporary() as urls:
        migrations.upgrade(urls.migration_url)
        migrations.upgrade(urls.migration_url)  # again: nothing to do, and no harm
        yield urls


APPEND_ONLY = {"audit", "audit_head"}


def ours(item, name, kind, reflected, _):
    return not (kind == "table" and reflected and name.rsplit("_", 1)[-1].isdigit())


def test_models_and_migrations_agree(migrated):
    database = Database(migrated.migration_url)
    with database.begin() as cx:
        context = MigrationContext.configure(cx, opts={"include_object": ours})
        assert compare_metadata(context, load_models()) == []
        assert migrations.current(cx) == migrations.head()
    database.close()


def test_the_runtimes_role_reads_and_writes_rows_and_makes_no_table(migrated):
    with psycopg.connect(migrated.database_url, autocommit=True) as cx:
        for table in load_models().tables:
            cx.execute(f"SELECT * FROM {table} LIMIT 1")
            if table not in APPEND_ONLY:
                cx.execute(f"DELETE FROM {table} WHERE false")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            cx.execute("CREATE TABLE public.mine (v int)")


def test_day_partitions_are_made_by_the_owner_and_take_todays_rows(migrated):
    from app.inbox import partitions

    database = Database(migrated.migration_url)
    for _ in range(2):
        with database.begin() as cx:
            partitions.ensure(cx)
    with database.begin() as cx:
        cx.execute(sa.text("INSERT INTO delivery_body (delivery_id, body) VALUES (1, '')"))
        where = cx.execute(sa.text("SELECT tableoid::regclass::text FROM delivery_body")).scalar_one()
        today = cx.execute(sa.text("SELECT to_char(current_date, 'YYYYMMDD')")).scalar_one()
    assert where == f"delivery_body_{today}"
    database.close()


def test_the_audit_record_is_inserted_and_read_by_the_runtime_and_changed_by_nobody(migrated):
    refused = psycopg.errors.InsufficientPrivilege
    with psycopg.connect(migrated.database_url, autocommit=True) as cx:
        for deed in ("UPDATE audit SET actor = ''", "DELETE FROM audit", "TRUNCATE audit", "DELETE FROM audit_head"):
            with pytest.raises(refused):
                cx.execute(deed)
        cx.execute("INSERT INTO audit VALUES (1, now(), 'a', 'b', 'c', '{}', '{}', '', '')")
        cx.execute("UPDATE audit_head SET seq = seq")
    with psycopg.connect(migrated.migration_url, autocommit=True) as cx:
        for deed in ("UPDATE audit SET actor = ''", "DELETE FROM audit", "TRUNCATE audit"):
            with pytest.raises(psycopg.errors.RaiseException, match="append-only"):
                cx.execute(deed)
