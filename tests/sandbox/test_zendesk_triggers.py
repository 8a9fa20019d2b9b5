"""Triggers of the simulated Zendesk: conditions as the vendor's table has them, templates as an admin writes them."""

from __future__ import annotations

import hashlib

import pytest

from sandbox.zendesk.conditions import hold
from sandbox.zendesk.state import OWN_USER
from sandbox.zendesk.store import Save

HOOK = {"name": "x", "status": "active", "http_method": "POST", "request_format": "json",
        "subscriptions": ["conditional_ticket_events"]}  # fmt: skip
TEMPLATE = '{"ticket_id":"{{ticket.id}}","status":"{{ticket.status}}","tags":"{{ticket.tags}}"}'


def save(before=None, via="web", comment=None, actor=500, **values):
    row = {"status": "open", "priority": None, "type": None, "group_id": 800, "assignee_id": 501, "requester_id": 10000,
           "organization_id": None, "tags": ["vip"], "subject": "Refund please", "via": {"channel": "email"},
           "custom_fields": [{"id": 360001, "value": "gold"}], **values}  # fmt: skip
    return Save(row, None if before is None else {**row, **before}, comment, actor, via)


CHANGED = {"before": {"status": "new", "priority": "low"}, "priority": "high"}
PUBLIC, NOTE = ({"public": one, "plain_body": "Please cancel it"} for one in (True, False))


@pytest.mark.parametrize(
    ("field", "operator", "value", "how", "holds"),
    [
        ("status", "is", "open", {}, True), ("status", "is_not", "open", {}, False),
        ("status", "less_than", "pending", {}, True), ("status", "greater_than", "open", {}, False),
        ("priority", "is", "", {}, True), ("priority", "greater_than", "normal", CHANGED, True),
        ("status", "changed", None, CHANGED, True), ("type", "changed", None, CHANGED, False),
        ("type", "not_changed", None, CHANGED, True), ("status", "value", "open", CHANGED, True),
        ("status", "value", "new", CHANGED, False), ("status", "value", "open", {"before": {}}, False),
        ("status", "value_previous", "new", CHANGED, True), ("status", "not_value", "open", CHANGED, False),
        ("status", "not_value_previous", "new", CHANGED, False), ("group_id", "is", "800", {}, True),
        ("assignee_id", "is", "current_user", {"actor": 501}, True), ("organization_id", "is", "", {}, True),
        ("current_tags", "includes", "press vip", {}, True), ("current_tags", "not_includes", "press vip", {}, False),
        ("custom_fields_360001", "is", "gold", {}, True), ("custom_fields_360002", "is_not", "gold", {}, True),
        ("via_id", "is", "4", {"via": "api"}, True), ("current_via_id", "is_not", "5", {"via": "api"}, False),
        ("current_via_id", "is_not", "5", {}, True), ("update_type", "", "Create", {}, True),
        ("update_type", "is", "Change", {}, False), ("update_type", "", "Change", {"before": {}}, True),
        ("comment_is_public", "", "true", {"comment": PUBLIC}, True),
        ("comment_is_public", "", "true", {"comment": NOTE}, False),
        ("comment_is_public", "", "false", {"comment": NOTE}, True), ("comment_is_public", "", "not_relevant", {}, False),
        ("comment_is_public", "", "not_relevant", {"comment": NOTE}, True),
        ("subject_includes_word", "includes", "money refund", {}, True),
        ("subject_includes_word", "not_includes", "refund", {}, False), ("subject_includes_word", "is", "fund pl", {}, True),
        ("comment_includes_word", "includes", "cancel", {"comment": PUBLIC}, True),
        ("comment_includes_word", "is_not", "cancel it", {"comment": PUBLIC}, False),
    ],
)  # fmt: skip
def test_a_condition_holds_as_the_vendors_table_says(field, operator, value, how, holds):
    condition = {"field": field, "operator": operator, "value": value}
    assert hold({"all": [condition], "any": []}, save(**how)) is holds


def test_all_of_all_and_one_of_any():
    yes, no = ({"field": "status", "operator": "is", "value": v} for v in ("open", "new"))
    assert hold({"all": [yes, yes], "any": [no, yes]}, save())
    assert not hold({"all": [yes, no], "any": []}, save())
    assert not hold({"all": [yes], "any": [no, no]}, save())
    assert hold({"all": [], "any": []}, save())


@pytest.fixture
def hook(call, receiver):
    return call.post("/webhooks", {"webhook": {**HOOK, "endpoint": receiver.url}}).json()["webhook"]["id"]


def trigger(call, hook, template=TEMPLATE, *every, **changed):
    action = {"field": "notification_webhook", "value": [hook, template]}
    wanted = {"title": "T", "conditions": {"all": list(every), "any": []}, "actions": [action], **changed}
    return call.post("/triggers", {"trigger": wanted})


CREATE = {"field": "update_type", "value": "Create"}
NOT_API = {"field": "current_via_id", "operator": "is_not", "value": "5"}


def test_a_trigger_sends_the_admins_words_with_the_tickets_values(zendesk, call, receiver, rest, hook):
    words = ('{"id":"{{ticket.id}}","s":"{{ ticket.status }}","p":"{{ticket.priority}}","mail":"{{ticket.requester.email}}",'
             '"group":"{{ticket.group.name}}","org":"{{ticket.organization.name}}","f":"{{ticket.ticket_field_360001}}",'
             '"tags":"{{ticket.tags}}","via":"{{ticket.via}}","who":"{{current_user.name}}","none":"{{ticket.colour}}",'
             '"by":"{{ticket.assignee.name}}"}')  # fmt: skip
    assert trigger(call, hook, words, CREATE).status_code == 201
    ticket = zendesk.ticket(tags=["a", "b"], priority="high", group_id=800)
    rest(zendesk)
    assert len(receiver.got) == 1
    user = zendesk.state.users[zendesk.state.tickets[ticket]["requester_id"]]
    assert receiver.got[0].body == {
        "id": str(ticket), "s": "New", "p": "High", "mail": user["email"], "group": "Billing", "org": "", "f": "",
        "tags": "a b", "via": "Mail", "who": user["name"], "none": "", "by": "",
    }  # fmt: skip


def test_quotation_marks_in_free_text_break_an_admins_template_as_they_may_at_the_vendor(
    zendesk, call, receiver, rest, hook
):
    trigger(call, hook, '{"title":"{{ticket.title}}"}', CREATE)
    zendesk.state.create_ticket(10000, 'Say "hello"', "x")
    rest(zendesk)
    with pytest.raises(ValueError, match="delimiter"):
        assert receiver.got[0].body


def test_a_delivery_of_a_trigger_is_known_by_what_was_signed(zendesk, call, receiver, rest, hook):
    trigger(call, hook, TEMPLATE, CREATE)
    receiver.answers = [(409, {}), (200, {})]
    zendesk.ticket()
    rest(zendesk)
    stamp = "x-zendesk-webhook-signature-timestamp"
    keys = [hashlib.sha256(got.headers[stamp].encode() + got.raw).hexdigest() for got in receiver.got]
    record = next(iter(zendesk.ledger.deliveries.values()))
    assert (record["signed_as"], record["acknowledged"]) == (keys, True)


def test_a_guard_keeps_our_own_writes_from_coming_back(zendesk, call, receiver, rest, hook):
    trigger(call, hook, TEMPLATE, NOT_API)
    ticket = zendesk.ticket()
    rest(zendesk)
    call.put(f"/tickets/{ticket}/tags", {"tags": ["db_a"]})
    call.finish(call.put("/tickets/update_many", {"tickets": [{"id": ticket, "priority": "low"}]}))
    rest(zendesk)
    assert len(receiver.got) == 1
    assert {a["author_id"] for a in zendesk.state.audits[ticket][1:]} == {OWN_USER}
    zendesk.state.comment(ticket, 500, "By a person")
    rest(zendesk)
    assert len(receiver.got) == 2


def test_triggers_run_in_order_once_a_save_and_not_while_inactive(zendesk, call, receiver, rest, hook):
    for name, position, active in (("b", 2, True), ("off", 1, False), ("a", 1, True)):
        trigger(call, hook, f'{{"ticket_id":"{name}"}}', CREATE, position=position, active=active)
    zendesk.ticket()
    rest(zendesk)
    assert sorted(got.body["ticket_id"] for got in receiver.got) == ["a", "b"]
    assert [t["position"] for t in call.get("/triggers").json()["triggers"]] == [1, 1, 2]


def test_conditions_may_stand_without_their_wrapper(zendesk, call, receiver, rest, hook):
    made = call.post("/triggers", {"trigger": {
        "title": "T", "all": [CREATE], "actions": [{"field": "notification_webhook", "value": [hook, TEMPLATE]}],
    }})  # fmt: skip
    assert made.json()["trigger"]["conditions"] == {"all": [CREATE], "any": []}


@pytest.mark.parametrize(
    "changed",
    [
        {"title": ""}, {"actions": []}, {"conditions": {"some": []}}, {"colour": "red"},
        {"conditions": {"all": [{"field": "colour", "operator": "is", "value": "red"}]}},
        {"conditions": {"all": [{"field": "status", "operator": "includes", "value": "open"}]}},
        {"conditions": {"all": [{"field": "status", "operator": "is", "value": "opened"}]}},
        {"conditions": {"all": [{"field": "status", "operator": "is"}]}}, {"conditions": {"all": ["x"]}},
        {"actions": [{"field": "notification_webhook", "value": ["unknown", "{}"]}]},
        {"actions": [{"field": "notification_webhook", "value": "x"}]}, {"actions": [{"field": "sing", "value": "x"}]},
    ],
)  # fmt: skip
def test_a_trigger_that_could_not_be_is_refused(call, hook, changed):
    answer = trigger(call, hook, TEMPLATE, CREATE, **changed)
    assert (answer.status_code, answer.json()["error"]) == (422, "RecordInvalid")


def test_a_trigger_cannot_use_a_webhook_that_is_subscribed_to_events(call, receiver):
    other = {**HOOK, "endpoint": receiver.url, "subscriptions": ["zen:event-type:ticket.created"]}
    hook = call.post("/webhooks", {"webhook": other}).json()["webhook"]["id"]
    assert trigger(call, hook).status_code == 422


def test_what_definitions_tell_is_what_is_taken(call, hook):
    told = call.get("/triggers/definitions").json()["definitions"]["conditions_all"]
    assert len(told) >= 15
    for row in told:
        value = row["values"][-1]["value"] if row["values"] else "1"
        for operator in row["operators"]:
            condition = {"field": row["subject"], "operator": operator["value"], "value": value}
            assert trigger(call, hook, TEMPLATE, condition).status_code == 201, condition
