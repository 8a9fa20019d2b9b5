"""The last line of a run says what was not tested."""

from __future__ import annotations

from tests import skips


def test_every_skipped_suite_is_named_with_its_count_and_reason():
    line = skips.last_line(
        [
            ("tests/browser/test_use.py::test_a", "Skipped: no chromium"),
            ("tests/browser/test_look.py::test_b[dark]", "Skipped: no chromium"),
            ("tests/contract/test_c.py::test_d", "Skipped: no ../shared"),
        ]
    )
    assert line.endswith("tests/browser 2 (no chromium); tests/contract 1 (no ../shared)")
    assert line.startswith("SKIPPED 3 tests")


def test_nothing_skipped_is_said_too():
    assert skips.last_line([]) == "Skipped: nothing."
