"""The demo counts refunds on both sides, and sees when they differ."""

import pytest

from sandbox import refunding


def made(intent, refund="re_1", amount=1200, charge="ch_1"):
    return {"id": refund, "charge": charge, "amount": amount, "currency": "usd", "metadata": {"intent_id": intent}}


def ours(intent, refund="re_1", amount=1200, charge="ch_1"):
    return {"id": intent, "charge": charge, "amount": amount, "currency": "USD", "refund": refund}


def agrees(theirs, recorded, wanted=1, refused=0):
    return refunding.agree({"wanted": wanted, "refused": refused, **refunding.count(theirs, recorded)})


def test_both_sides_alike_agree():
    assert refunding.count([made("rfd_1")], [ours("rfd_1")]) == {"at_vendor": 1, "recorded": 1, "double": 0}
    assert agrees([made("rfd_1")], [ours("rfd_1")], wanted=2, refused=1)


@pytest.mark.parametrize(
    ("theirs", "recorded"),
    [
        ([made("rfd_1"), made("rfd_1", "re_2")], [ours("rfd_1")]),
        ([made("rfd_1")], []),
        ([], [ours("rfd_1")]),
        ([made("rfd_2")], [ours("rfd_1")]),
        ([made("rfd_1", amount=1100)], [ours("rfd_1")]),
        ([made("rfd_1", charge="ch_2")], [ours("rfd_1")]),
        ([made("rfd_1", "re_9")], [ours("rfd_1")]),
    ],
)
def test_a_double_a_missing_and_a_different_refund_are_seen(theirs, recorded):
    assert not agrees(theirs, recorded)


def test_a_refund_that_was_to_be_refused_is_seen():
    assert not agrees([made("rfd_1"), made("rfd_2", "re_2")], [ours("rfd_1"), ours("rfd_2", "re_2")], 2, 1)
