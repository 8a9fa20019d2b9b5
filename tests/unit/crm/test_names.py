"""Names of companies that may be the same one."""

import pytest

from app.crm import fold_name


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Northwind Labs, Inc.", "NORTHWIND LABS"),
        ("Grünwald & Söhne GmbH", "grunwald sohne"),
        ("Acme Corp", "\u0410cme"),  # a Cyrillic letter
        ("ACME S.A.", "Acme"),
    ],
)
def test_these_are_alike(one, other):
    assert fold_name(one) == fold_name(other)


def test_a_name_of_legal_forms_only_keeps_them_and_others_stay_apart():
    assert fold_name("Co") == "co"
    assert fold_name("...") == ""
    assert fold_name("Northwind") != fold_name("Southwind")
