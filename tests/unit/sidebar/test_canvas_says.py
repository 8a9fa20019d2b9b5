"""What the canvases say of refunds that wait, of who asked for others, and of a click that came to nothing."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from app.refunds import store_work
from app.refunds.models import refund_intent
from tests import canvas_world as inbox
from tests import sidebar_world as world
from tests.canvas_world import Inbox


@pytest.fixture
def app(inbox_app):
    return inbox_app


def test_while_the_vendor_refuses_our_key_the_canvases_say_that_it_waits(admin, database):
    admin.review()
    admin.click("confirm")
    with database.begin() as cx:
        store_work.hold(cx, world.BANK, "The vendor refuses our key.", 300.0)
    text = admin.click("state")
    assert "€12.00 · Waits to be sent" in text
    assert "Stripe refuses our key since" in text
    assert "in a moment" not in text
    assert "Stripe refuses our key since" in admin.click("charge/ch_cus_1_1")
    assert "review" in admin.ids(), "it may be asked for all the same"


def test_who_asked_for_another_refund_is_a_name_and_no_id(admin, client, admins, database):
    admin.review()
    admin.click("confirm")
    inbox.person(database, admins[1])
    other = Inbox(client, admins[1])
    other.open()
    text = other.click("charge/ch_cus_1_0")
    assert f"A refund of €12.00 by Person {admin.admin} is in progress." in text
    assert "per_" not in text


def test_a_click_that_was_cut_off_after_its_confirmation_was_used_says_what_to_do(admin, database):
    """As after a crash between the two transactions: the confirmation is used up, and nothing was asked for."""
    admin.review()
    shown = admin.current
    admin.click("confirm")
    with database.begin() as cx:
        cx.execute(sa.delete(refund_intent))
    admin.current = shown
    text = admin.click("confirm")
    assert "below is what was asked for" not in text
    assert "nothing was asked for with it" in text
    assert "Press Refresh" in text
    assert {"state", "home"} <= set(admin.ids())
