"""Why a lead is where it is, and a person who wants it sent again."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from app.audit.models import audit as record
from app.leads import explaining, retrying
from integrations.kernel.errors import NotFound
from tests.lead_scene import Scene


@pytest.fixture
def scene(database, org):
    made = Scene(database, org=org)
    made.account(domains=("northwind.example",))
    made.payer("cus_1", "northwind.example")
    return made


def told(scene, which, what=explaining.of_lead):
    with scene.database.begin() as cx:
        return "\n".join(what(cx, which))


def test_a_leads_story_is_told_from_signal_to_record(scene):
    scene.asked("7", rule="asks_quote")
    scene.run()
    story = told(scene, scene.one().id)
    assert "50 points. Northwind Labs has the domain northwind.example." in story
    assert f"at the CRM: task {scene.one().object_id}, owner 005A" in story
    assert [word for word in ("found", "due", "pushed") if word in story] == ["found", "due", "pushed"]
    assert told(scene, "7", explaining.of_ticket).startswith("quote_words of payer:bank:cus_1 (rule asks_quote): led_")


def test_a_ticket_without_a_signal_says_so(scene):
    assert told(scene, "8", explaining.of_ticket) == (
        "No signal was seen in ticket 8: no rule with create_lead fired on it."
    )
    with pytest.raises(NotFound):
        told(scene, "led_none")


def test_what_was_refused_goes_out_again_once_it_is_repaired_and_a_person_says_so(scene):
    scene.signal()
    scene.gather()
    scene.crm.state.delete("Account", "001A")
    scene.push()
    assert scene.one().state == "dead"
    scene.crm.has("Account", "001A", IsDeleted=False)
    refused = scene.one().id
    with scene.database.begin() as cx:
        retrying.again(cx, refused, "per_ops")
    scene.push()
    assert scene.one().state == "pushed"
    with scene.database.begin() as cx:
        assert "leads.push_wanted" in cx.execute(sa.select(record.c.action)).scalars().all()


def test_patience_is_no_way_around_a_hold(scene):
    scene.hold()
    scene.signal()
    scene.run()
    held = scene.one().id
    with pytest.raises(retrying.NotSendable), scene.database.begin() as cx:
        retrying.again(cx, held, "per_ops")
