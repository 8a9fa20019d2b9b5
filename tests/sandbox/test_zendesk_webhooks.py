"""Deliveries of the simulated Zendesk: signed anew at each try, retried as the vendor does, stopped by its breaker."""

from __future__ import annotations

import base64
import hashlib
import hmac
import time

import pytest
from jsonschema import Draft202012Validator

from sandbox.zendesk import schemas
from sandbox.zendesk.hooks import Breaker, retry
from sandbox.zendesk.kinds import KINDS

SIGNATURE, STAMP = "x-zendesk-webhook-signature", "x-zendesk-webhook-signature-timestamp"


def subscribe(call, url, *kinds, **changed):
    wanted = {"name": "x", "status": "active", "endpoint": url, "http_method": "POST", "request_format": "json",
              "subscriptions": [f"zen:event-type:{kind}" for kind in kinds], **changed}  # fmt: skip
    return call.post("/webhooks", {"webhook": wanted})


def secret_of(call, hook):
    return call.get(f"/webhooks/{hook}/signing_secret").json()["signing_secret"]["secret"]


def is_signed(got, secret):
    digest = hmac.new(secret.encode(), got.headers[STAMP].encode() + got.raw, hashlib.sha256).digest()
    return got.headers[SIGNATURE] == base64.b64encode(digest).decode()


@pytest.fixture
def told(zendesk, call, receiver, rest):
    """told() -> bodies of all that came, once nothing is on its way; everything there is is subscribed to."""
    hook = subscribe(call, receiver.url, *sorted(KINDS)).json()["webhook"]

    def bodies():
        rest(zendesk)
        assert all(is_signed(got, secret_of(call, hook["id"])) for got in receiver.got)
        found, receiver.got = [got.body for got in receiver.got], []
        for body in found:
            Draft202012Validator(schemas.DELIVERY).validate(body)
        return sorted(found, key=lambda b: b["event"].get("meta", {}).get("sequence", {}).get("position", 0))

    return bodies


def names(bodies):
    return sorted(b["type"].removeprefix("zen:event-type:") for b in bodies)


def test_one_save_tells_each_of_its_changes_in_one_sequence(zendesk, told):
    ticket = zendesk.ticket()
    assert names(told()) == ["ticket.created"]
    zendesk.state.change(ticket, 500, {
        "status": "pending", "priority": "high", "type": "task", "subject": "New", "group_id": 801, "assignee_id": 501,
        "external_id": "e", "additional_tags": ["vip"], "custom_fields": [{"id": 360002, "value": "PO-1"}],
        "comment": {"body": "Hello", "public": False},
    })  # fmt: skip
    found = told()
    assert names(found) == [
        "ticket.agent_assignment_changed", "ticket.comment_added", "ticket.custom_field_changed",
        "ticket.external_id_changed", "ticket.group_assignment_changed", "ticket.priority_changed",
        "ticket.status_changed", "ticket.subject_changed", "ticket.tags_changed", "ticket.type_changed",
    ]  # fmt: skip
    assert len({b["event"]["meta"]["sequence"]["id"] for b in found}) == 1
    assert [b["event"]["meta"]["sequence"]["position"] for b in found] == list(range(1, 11))
    by = {b["type"].rpartition(".")[2]: b for b in found}
    assert (by["status_changed"]["event"]["previous"], by["status_changed"]["event"]["current"]) == ("NEW", "PENDING")
    assert by["agent_assignment_changed"]["event"]["current"] == "501"
    assert by["comment_added"]["event"]["comment"]["is_public"] is False
    assert by["tags_changed"]["event"]["tags_added"] == ["vip"]
    detail = by["status_changed"]["detail"]
    assert "custom_fields" not in detail
    assert (detail["actor_id"], detail["via"]["channel"], detail["priority"]) == ("500", "mail", "HIGH")


def test_two_saves_in_one_second_are_two_sequences(zendesk, told):
    ticket = zendesk.ticket()
    told()
    for priority in ("low", "high"):
        zendesk.state.change(ticket, 500, {"priority": priority})
    assert len({b["event"]["meta"]["sequence"]["id"] for b in told()}) == 2


def test_a_merge_a_deletion_and_a_return_are_told(zendesk, told):
    ticket, into = zendesk.ticket(), zendesk.ticket()
    told()
    zendesk.state.merge(ticket, into)
    assert names(told()) == ["ticket.comment_added"] * 2 + [
        "ticket.merged",
        "ticket.status_changed",
        "ticket.tags_changed",
    ]
    zendesk.state.soft_delete(into)
    deleted = told()
    assert names(deleted) == ["ticket.soft_deleted"]
    assert deleted[0]["detail"]["status"] == "DELETED"
    zendesk.state.restore(into)
    assert (names(told()), zendesk.state.tickets[into]["status"]) == (["ticket.undeleted"], "new")
    zendesk.state.permanently_delete(into)
    assert names(told()) == ["ticket.permanently_deleted", "ticket.soft_deleted"]
    spam = zendesk.ticket()
    zendesk.state.soft_delete(spam, spam=True)
    assert names(told()) == ["ticket.created", "ticket.marked_as_spam"]


def test_people_who_change_take_their_tickets_along(zendesk, told):
    ticket = zendesk.ticket()
    person = zendesk.state.tickets[ticket]["requester_id"]
    other = zendesk.state.create_person("New", "new@acorn.example", 7001)["id"]
    told()
    zendesk.state.change(ticket, 500, {"requester_id": other})
    changed = told()
    assert names(changed) == ["ticket.organization_changed", "ticket.requester_changed"]
    assert {b["event"]["current"] for b in changed} == {str(other), "7001"}
    zendesk.state.move_person(other, 7002)
    assert names(told()) == ["ticket.organization_changed", "user.organization_membership_created"]
    zendesk.state.merge_people(other, person)
    assert names(told()) == ["ticket.organization_changed", "ticket.requester_changed", "user.merged"]
    assert "new@acorn.example" in [i["value"] for i in zendesk.state.identities[person]]


@pytest.mark.parametrize(
    ("act", "arguments", "kind"),
    [
        ("add_identity", ("second@x.example",), "identity_created"), ("delete_person", (), "deleted"),
        ("rename", ("Other",), "name_changed"), ("set_role", ("agent",), "role_changed"),
        ("set_external_id", ("e",), "external_id_changed"), ("suspend", (), "suspended_changed"),
    ],
)  # fmt: skip
def test_what_happens_to_a_person_is_told(zendesk, told, act, arguments, kind):
    getattr(zendesk.state, act)(10008, *arguments)
    found = told()
    assert names(found) == [f"user.{kind}"]
    assert found[0]["subject"] == "zen:user:10008"


def test_an_address_that_is_proved_or_taken_away_is_told_and_shown(zendesk, call, told):
    zendesk.state.add_identity(10001, "second@x.example")
    zendesk.state.verify_identity(10001, "SECOND@x.example")
    shown = call.get("/users/10001/identities").json()["identities"]
    assert [i["verified"] for i in shown if i["value"] == "second@x.example"] == [True]
    zendesk.state.delete_identity(10001, "second@x.example")
    assert names(told()) == ["user.identity_changed", "user.identity_created", "user.identity_deleted"]
    zendesk.state.rename_organization(7000, "Renamed")
    assert told()[0]["event"] == {"current": "Renamed", "previous": "Acorn"}


@pytest.mark.parametrize(
    ("answer", "attempts"),
    [
        ((409, {}), 4), ((429, {"Retry-After": "1"}), 4), ((503, {"Retry-After": "59"}), 4), ((503, {}), 1),
        ((503, {"Retry-After": "60"}), 1), ((429, {"Retry-After": "soon"}), 1), ((500, {}), 1), ((502, {}), 1),
        ((404, {}), 1), ((401, {}), 1), (None, 6),
    ],
)  # fmt: skip
def test_retries_are_the_vendors_own(zendesk, call, receiver, rest, answer, attempts):
    subscribe(call, receiver.url, "ticket.created")
    receiver.answers = [answer]
    zendesk.ticket()
    rest(zendesk)
    assert len(receiver.got) == attempts
    assert len({got.headers["x-zendesk-webhook-invocation-id"] for got in receiver.got}) == 1
    assert len({got.raw for got in receiver.got}) == 1


def test_a_pause_is_what_the_answer_asks_for():
    assert retry(1, 503, {"Retry-After": "20"}) == 20.0
    assert retry(1, 200, {}) is None


def test_a_retry_is_signed_anew_with_the_secret_of_then(zendesk, call, receiver, rest):
    hook = subscribe(call, receiver.url, "ticket.created").json()["webhook"]["id"]
    old = secret_of(call, hook)
    receiver.answers = [(503, {"Retry-After": "50"}), (200, {})]  # 50 s are one
    zendesk.ticket()
    receiver.wait(1)
    new = call.post(f"/webhooks/{hook}/signing_secret").json()["signing_secret"]["secret"]
    rest(zendesk)
    first, second = receiver.got
    assert first.headers[STAMP] != second.headers[STAMP]
    assert is_signed(first, old)
    assert is_signed(second, new)
    assert not is_signed(second, old)


def test_attempts_can_be_looked_at(zendesk, call, receiver, rest):
    hook = subscribe(call, receiver.url, "ticket.created").json()["webhook"]["id"]
    receiver.answers = [(409, {}), (204, {})]
    zendesk.ticket()
    rest(zendesk)
    found = call.get(f"/webhooks/{hook}/invocations").json()["invocations"]
    assert [i["status"] for i in found] == ["success"]
    tried = call.get(f"/webhooks/{hook}/invocations/{found[0]['id']}/attempts").json()["attempts"]
    assert [a["status_code"] for a in tried] == [409, 204]
    assert call.get(f"/webhooks/{hook}/invocations/none/attempts").status_code == 404


def test_the_breaker_stops_sending_to_an_endpoint_that_fails_and_only_to_that(zendesk, call, receiver, rest):
    subscribe(call, receiver.url, "ticket.created")
    receiver.answers = [(500, {})]
    for _ in range(100):
        zendesk.ticket()
    rest(zendesk)
    assert len(receiver.got) == 100
    subscribe(call, receiver.url, "ticket.priority_changed")
    zendesk.state.change(zendesk.ticket(), 500, {"priority": "low"})
    rest(zendesk)
    assert len(receiver.got) == 101, "the ticket's creation was held back, the other webhook went on"
    assert sum(d.get("blocked", False) for d in zendesk.ledger.deliveries.values()) == 1
    zendesk.state.switch(breaker=False)
    zendesk.ticket()
    rest(zendesk)
    assert len(receiver.got) == 102


def test_the_breaker_closes_again_and_bears_a_few_failures(limited):
    breaker = Breaker(limited(1000).context)  # 5 minutes are 0.3 s
    for n in range(300):
        breaker.told(n % 2 == 0)
    assert not breaker.is_open()
    for _ in range(300):
        breaker.told(False)
    assert breaker.is_open()
    time.sleep(0.4)
    assert not breaker.is_open()


@pytest.mark.parametrize(
    "changed",
    [
        {"name": ""}, {"status": "on"}, {"endpoint": "https://example.com/x"}, {"endpoint": "ftp://127.0.0.1/"},
        {"http_method": "HEAD"}, {"request_format": "yaml"}, {"subscriptions": []}, {"subscriptions": "x"},
        {"subscriptions": ["conditional_ticket_events", "zen:event-type:ticket.created"]},
        {"subscriptions": ["zen:event-type:ticket.updated"]}, {"subscriptions": ["ticket.created"]}, {"colour": "red"},
        {"http_method": "PUT"}, {"request_format": "xml"}, {"authentication": {"type": "magic", "data": {}}},
        {"authentication": {"type": "bearer_token", "data": {"key": "x"}}}, {"subscriptions": [5]},
    ],
)  # fmt: skip
def test_a_webhook_that_could_not_be_is_refused(call, receiver, changed):
    answer = subscribe(call, receiver.url, "ticket.created", **changed)
    assert answer.status_code == 400
    Draft202012Validator(schemas.HOOK_ERROR).validate(answer.json())


def test_the_kind_of_a_webhook_cannot_be_changed(call, receiver):
    hook = subscribe(call, receiver.url, "ticket.created").json()["webhook"]["id"]
    for kinds, status in ((["conditional_ticket_events"], 400), (["zen:event-type:user.merged"], 204)):
        change = {"webhook": {"subscriptions": kinds}}
        assert call.call("PATCH", f"/webhooks/{hook}", change).status_code == status


def test_an_inactive_webhook_gets_nothing_and_its_own_credentials_are_sent_by_an_active_one(
    zendesk, call, receiver, rest
):
    wanted = {
        "authentication": {"type": "basic_auth", "data": {"username": "u", "password": "p"}, "add_position": "header"}
    }
    hook = subscribe(call, receiver.url, "ticket.created", **wanted, status="inactive").json()["webhook"]["id"]
    zendesk.ticket()
    rest(zendesk)
    assert receiver.got == []
    call.call("PATCH", f"/webhooks/{hook}", {"webhook": {"status": "active"}})
    zendesk.ticket()
    rest(zendesk)
    assert receiver.got[0].headers["authorization"] == f"Basic {base64.b64encode(b'u:p').decode()}"
