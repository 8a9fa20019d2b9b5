"""Every table of the mirror says whose it is, what is personal in it, and what erasure does."""

from app.billing import models
from app.billing.data import TABLES


def test_every_table_is_declared():
    import sqlalchemy as sa

    tables = {t.name: t for t in vars(models).values() if isinstance(t, sa.Table)}
    assert set(tables) == set(TABLES)
    for name, told in TABLES.items():
        assert set(told) == {"owner", "source", "personal", "linked_by", "retention", "erasure"}
        assert {*told["personal"], *([told["linked_by"]] if told["linked_by"] else [])} <= set(tables[name].c.keys())
        assert "connection_id" in tables[name].c
