"""Versions of the rules in the database: immutable, one live, compiled once, and the way back."""

import pytest
import sqlalchemy as sa

from app.triggers import store
from app.triggers.models import rule_set
from app.triggers.service import RulesInvalid, export_yaml, import_yaml, parse, roll_back
from integrations.kernel.errors import NotFound

ONE = 'rules: [{id: one, title: One, order: 1, when: ["*"], actions: [{add_tags: {tags: [db_one]}}]}]'
TWO = ONE.replace("one", "two")


def test_without_rules_there_is_version_0_and_nothing_fires(database):
    with database.begin() as cx:
        assert store.active(cx).rules == ()
        assert export_yaml(cx) == "rules: []\n"


def test_an_import_makes_a_version_and_makes_it_live(database):
    with database.begin() as cx:
        assert import_yaml(cx, ONE, "per_1") == 1
        assert import_yaml(cx, TWO, "per_2") == 2
    with database.begin() as cx:
        assert store.active(cx).version == 2
        assert [c.rule.id for c in store.active(cx).rules] == ["two"]
        assert [(v.version, v.created_by, v.active) for v in store.versions(cx)] == [
            (2, "per_2", True),
            (1, "per_1", False),
        ]
        assert store.source(cx, 1) == ONE


def test_the_same_text_again_makes_no_new_version(database):
    with database.begin() as cx:
        assert import_yaml(cx, ONE, "per_1") == import_yaml(cx, ONE, "per_2") == 1
        assert import_yaml(cx, ONE + "\n# reviewed", "per_2") == 2


def test_a_refused_import_stores_nothing(database):
    with database.begin() as cx:
        import_yaml(cx, ONE, "per_1")
        with pytest.raises(RulesInvalid):
            import_yaml(cx, TWO.replace("db_two", "two"), "per_1")
        assert store.active_version(cx) == 1
        assert len(store.versions(cx)) == 1


def test_a_version_is_compiled_once_a_process(database):
    with database.begin() as cx:
        import_yaml(cx, ONE, "per_1")
        first = store.active(cx)
    with database.begin() as cx:
        assert store.active(cx) is first


def test_going_back_makes_the_old_version_live_as_it_was(database):
    with database.begin() as cx:
        import_yaml(cx, ONE, "per_1")
        import_yaml(cx, TWO, "per_1")
        roll_back(cx, 1, "per_2")
        assert [c.rule.id for c in store.active(cx).rules] == ["one"]
        assert len(store.versions(cx)) == 2
        with pytest.raises(NotFound):
            roll_back(cx, 9, "per_2")
        assert import_yaml(cx, TWO, "per_3") == 3


def test_what_is_exported_imports_to_the_same(database):
    with database.begin() as cx:
        import_yaml(cx, ONE, "per_1")
        assert parse(export_yaml(cx)) == parse(ONE) == store.load(cx, 1)[0]


def test_the_tags_prefix_is_part_of_the_version(database):
    with database.begin() as cx:
        import_yaml(cx, ONE.replace("db_one", "acme_one"), "per_1", tag_prefix="acme_")
        assert store.active(cx).tag_prefix == "acme_"


def test_a_version_number_is_never_used_twice(database):
    with database.begin() as cx:
        import_yaml(cx, ONE, "per_1")
    with pytest.raises(sa.exc.IntegrityError), database.begin() as cx:
        cx.execute(rule_set.insert().values(version=1, created_by="x", rules={}, source="", tag_prefix="db_"))
