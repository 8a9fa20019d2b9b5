"""The record: appended, verified, exported, forgotten; every tamper is named by its row."""

from __future__ import annotations

import csv
import io
import json
import random
import re
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from app import audit
from app.audit.export import as_csv, as_json
from app.ui.sheets import safe_cell


def fill(database, rows=12):
    for n in range(rows):
        with database.begin() as cx:
            audit.record(
                cx, "per_1", "refund.reserved", f"rfd_{n}", {"amount": n, "lines": ["a", None, True], "é": "\0ü"},
                personal={"note": f"call {n}"}, person=f"con:{n % 3}",
            )  # fmt: skip


@pytest.fixture
def filled(database):
    fill(database)
    return database


def verdict(database, outside=""):
    with database.begin() as cx:
        return audit.verify(cx, outside)


def tamper(database, *statements):
    """As somebody who owns the database would."""
    with database.begin() as cx:
        cx.execute(sa.text("ALTER TABLE audit DISABLE TRIGGER audit_append_only"))
        for statement in statements:
            cx.execute(sa.text(statement))
        cx.execute(sa.text("ALTER TABLE audit ENABLE TRIGGER audit_append_only"))


def test_an_untouched_record_verifies(filled):
    assert (verdict(filled).rows, verdict(filled).broken) == (12, None)


@pytest.mark.parametrize(("statements", "row"), [
    (["UPDATE audit SET actor = 'per_2' WHERE seq = 5"], 5),
    (["UPDATE audit SET data = data || '{\"amount\": 99}' WHERE seq = 7"], 7),
    (["UPDATE audit SET at = at + interval '1 microsecond' WHERE seq = 2"], 2),
    (["UPDATE audit SET commitments = '{}' WHERE seq = 3"], 3),
    (["DELETE FROM audit WHERE seq = 4"], 4),
    (["DELETE FROM audit WHERE seq = 12"], 12),
    (["DELETE FROM audit WHERE seq = 1"], 1),
    (["UPDATE audit SET seq = 100 WHERE seq = 5", "UPDATE audit SET seq = 5 WHERE seq = 6",
      "UPDATE audit SET seq = 6 WHERE seq = 100"], 5),
    (["UPDATE audit SET hash = decode(repeat('11', 32), 'hex') WHERE seq = 9"], 9),
    (["UPDATE audit SET prev = decode(repeat('11', 32), 'hex') WHERE seq = 9"], 9),
    (["UPDATE audit_head SET seq = 20"], 13),
    (["UPDATE audit_personal SET value = 'other' WHERE seq = 6"], 6),
])  # fmt: skip
def test_the_first_row_that_does_not_fit_is_named(filled, statements, row):
    tamper(filled, *statements)
    found = verdict(filled)
    assert found.broken == row, found.why


def test_a_tail_cut_off_with_its_head_shows_by_the_head_copied_outside(filled):
    with filled.begin() as cx:
        outside = audit.head(cx)
    tamper(
        filled, "DELETE FROM audit WHERE seq > 9",
        "UPDATE audit_head SET seq = 9, hash = (SELECT hash FROM audit WHERE seq = 9)",
    )  # fmt: skip
    assert verdict(filled).broken is None
    assert verdict(filled, outside).broken == 10


def test_a_fork_shows_by_the_head_copied_outside(filled):
    """Everything from row 10 on is written anew, properly chained."""
    with filled.begin() as cx:
        outside = audit.head(cx)
    tamper(
        filled, "DELETE FROM audit WHERE seq > 9", "DELETE FROM audit_personal WHERE seq > 9",
        "UPDATE audit_head SET seq = 9, hash = (SELECT hash FROM audit WHERE seq = 9)",
    )  # fmt: skip
    fill(filled, 3)
    assert verdict(filled).broken is None
    assert verdict(filled, outside).broken == 12


def test_random_changes_of_single_bytes_are_all_found(filled):
    dice = random.Random(7)
    for _ in range(30):
        seq, column = dice.randint(1, 12), dice.choice(["actor", "action", "subject"])
        with filled.begin() as cx:
            before = cx.execute(sa.text(f"SELECT {column} FROM audit WHERE seq = {seq}")).scalar_one()
        place = dice.randrange(len(before))
        after = before[:place] + chr(ord(before[place]) ^ 1) + before[place + 1 :]
        tamper(filled, f"UPDATE audit SET {column} = $${after}$$ WHERE seq = {seq}")
        assert verdict(filled).broken == seq
        tamper(filled, f"UPDATE audit SET {column} = $${before}$$ WHERE seq = {seq}")
    assert verdict(filled).broken is None


@pytest.mark.parametrize("after", ["audit", "audit_head"])
def test_what_is_appended_while_it_is_verified_is_no_hole(filled, after):
    """Once between the last page and the end, once between the head and the first page."""
    appended = []

    def append(_c, _cursor, text, *_):
        if not appended and re.search(rf"FROM {after}\s", text):
            appended.append(text)
            other = threading.Thread(target=fill, args=(filled, 1))
            other.start()
            other.join()

    with filled.begin() as cx:
        sa.event.listen(cx, "after_cursor_execute", append)
        found = audit.verify(cx)
    assert (len(appended), found.broken, found.why) == (1, None, "")
    assert (verdict(filled).rows, verdict(filled).broken) == (13, None)


def test_rows_beyond_the_head_are_named(filled):
    tamper(filled, "UPDATE audit_head SET seq = 9, hash = (SELECT hash FROM audit WHERE seq = 9)")
    assert (verdict(filled).broken, verdict(filled).why) == (10, "row 10: the head does not know of it; it names row 9")


def test_another_hash_in_the_head_is_named(filled):
    tamper(filled, "UPDATE audit_head SET hash = decode(repeat('11', 32), 'hex')")
    assert (verdict(filled).broken, verdict(filled).why) == (12, "row 12: it is not the row that the head names")


def test_a_person_is_forgotten_and_the_chain_still_verifies(filled):
    with filled.begin() as cx:
        assert audit.forget(cx, "con:1") == 4
    assert verdict(filled).broken is None
    with filled.begin() as cx:
        assert cx.execute(sa.text("SELECT count(*) FROM audit_personal WHERE person = 'con:1'")).scalar() == 0


def test_rows_written_at_once_make_one_chain(database):
    start = threading.Barrier(8)

    def write(n):
        start.wait()
        for _ in range(5):
            with database.begin() as cx:
                audit.record(cx, f"per_{n}", "x.done", "y")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(8)))
    assert (verdict(database).rows, verdict(database).broken) == (40, None)


def test_what_is_rolled_back_leaves_no_hole(filled):
    with filled.engine.connect() as cx:
        audit.record(cx, "per_1", "x.done", "y")
        cx.rollback()
    fill(filled, 1)
    assert (verdict(filled).rows, verdict(filled).broken) == (13, None)


@pytest.mark.parametrize("value", [1.5, {"a": 0.1}, [object()], b"x"])
def test_what_a_database_does_not_give_back_as_it_was_is_not_written(database, value):
    with pytest.raises(TypeError), database.begin() as cx:
        audit.record(cx, "per_1", "x.done", "y", {"value": value})


def test_exports_are_whole_and_no_cell_starts_a_formula(database):
    hostile = ["=1+1", "+1", "-1", "@x", "\tx", "\rx", "\nx", "＝1", "＠x", '=cmd|"/c calc"!A1']
    with database.begin() as cx:
        for text in hostile:
            audit.record(cx, text, text, text, {"x": text})
        rows = list(csv.reader(io.StringIO("".join(as_csv(cx)))))
        lines = [json.loads(line) for line in as_json(cx)]
    assert len(rows) == len(hostile) + 1
    assert not [cell for row in rows[1:] for cell in row if cell.startswith(tuple("=+-@\t\r\n＝＋－＠"))]
    assert [line["actor"] for line in lines] == hostile
    assert safe_cell("per_1") == "per_1"


def test_the_head_is_copied_outside(filled, tmp_path):
    path = tmp_path / "heads"
    first, second = audit.copy_head(filled, str(path)), audit.copy_head(filled, str(path))
    assert first == second
    assert [line.split()[1] for line in path.read_text().splitlines()] == [first, second]
