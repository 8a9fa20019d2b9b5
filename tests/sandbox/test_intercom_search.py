"""The simulated Intercom at its edges: search as it is documented, refusals, limits, versions."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest
import requests
from jsonschema import Draft202012Validator

from sandbox.base import Context
from sandbox.intercom import index, simulator
from sandbox.intercom.local import Local
from sandbox.intercom.schemas import ERROR


class Caller:
    def __init__(self, local, token=simulator.ACCESS_TOKEN, version="2.15"):
        self.local = local
        self.http = requests.Session()
        self.http.trust_env = False
        self.http.headers["Authorization"] = f"Bearer {token}"
        if version:
            self.http.headers["Intercom-Version"] = version

    def __call__(self, method, path, body=None):
        return self.http.request(method, f"{self.local.url}{path}", json=body, timeout=10)

    def search(self, query, **paging):
        return self("POST", "/conversations/search", {"query": query, **({"pagination": paging} if paging else {})})


@pytest.fixture
def intercom():
    local = Local(Context(limits=False, time_factor=20_000))
    yield local
    local.stop()


@pytest.fixture
def call(intercom):
    made = Caller(intercom)
    yield made
    made.http.close()


@pytest.fixture
def person(intercom):
    return next(iter(intercom.state.contacts))


def one(field, operator, value):
    return {"field": field, "operator": operator, "value": value}


def settle():
    """As long as the index lags, at this time factor."""
    time.sleep(index.LAG_S / 20_000 + 0.02)


def ids(answer):
    assert answer.status_code == 200, answer.text
    return {c["id"] for c in answer.json()["conversations"]}


def test_a_change_is_found_only_after_some_time(intercom, call, person):
    behind = Local(Context(limits=False, time_factor=1))
    patient = Caller(behind)
    made = behind.state.create_conversation(person, "Hello")["id"]
    assert ids(patient.search(one("id", "=", made))) == set(), "three minutes, and they are not over"
    patient.http.close()
    behind.stop()
    made = intercom.state.create_conversation(person, "Hello")["id"]
    until = time.monotonic() + 10
    while not ids(call.search(one("id", "=", made))):
        assert time.monotonic() < until
        time.sleep(0.01)


def test_a_lag_that_is_made_shorter_counts_for_what_waits_already():
    behind = Local(Context(limits=False, time_factor=1))
    call = Caller(behind)
    made = behind.state.create_conversation(next(iter(behind.state.contacts)), "Hello")["id"]
    assert ids(call.search(one("id", "=", made))) == set()
    behind.state.search_lag(0.0)
    assert ids(call.search(one("id", "=", made))) == {made}
    call.http.close()
    behind.stop()


def test_a_date_is_a_day_of_the_workspace(intercom, call, person):
    made = intercom.state.create_conversation(person, "Hello")["id"]
    item = intercom.state.conversations[made]
    noon = datetime(2026, 11, 20, 12, tzinfo=index.ZONE)
    item["updated_at"] = int(noon.timestamp())
    intercom.state.index.put("conversations", item)
    settle()
    morning, midnight = noon - timedelta(hours=11), noon - timedelta(hours=12)
    for moment, operator, found in (
        (morning, "=", True), (morning, ">", False), (morning, "<", False), (midnight - timedelta(seconds=1), ">", True),
        (midnight, ">", False), (noon + timedelta(hours=13), "<", True), (noon + timedelta(hours=11), "<", False),
        (morning.astimezone(UTC) - timedelta(days=1), ">", True),
    ):  # fmt: skip
        answer = call.search(one("updated_at", operator, int(moment.timestamp())))
        assert (made in ids(answer)) is found, (moment, operator)
    assert made in ids(call.search(one("updated_at", "=", str(int(noon.timestamp())))))


@pytest.mark.parametrize("operator", ["!=", ">=", "<=", "IN", "NIN"])
def test_operators_that_dates_do_not_have_are_refused(call, operator):
    assert call.search(one("updated_at", operator, 1)).status_code == 400


def test_two_levels_and_fifteen_filters_are_the_most(call):
    def group(*inner):
        return {"operator": "AND", "value": list(inner)}

    good = one("open", "=", True)
    assert call.search(group(group(good, good), good)).status_code == 200
    assert call.search(group(group(group(good)))).status_code == 400
    assert call.search(group(*[good] * 15)).status_code == 200
    assert call.search(group(*[good] * 16)).status_code == 400
    assert call.search(group()).status_code == 400


@pytest.mark.parametrize(
    "query",
    [
        one("colour", "=", 1),
        one("state", "LIKE", "x"),
        one("updated_at", ">", "soon"),
        {"operator": "XOR", "value": [one("open", "=", 1)]},
        {},
        {"operator": "AND", "value": ["x"]},
    ],
)
def test_what_cannot_be_asked_is_refused(call, query):
    answer = call.search(query)
    assert answer.status_code == 400
    Draft202012Validator(ERROR).validate(answer.json())


def test_pages_hold_what_is_asked_and_lead_to_the_next(intercom, call, person):
    made = {intercom.state.create_conversation(person, "Hello")["id"] for _ in range(25)}
    settle()
    query, found, after = one("open", "=", True), set(), {}
    sizes = []
    while True:
        answer = call.search(query, per_page=10, **after).json()
        found |= {c["id"] for c in answer["conversations"]}
        sizes.append(len(answer["conversations"]))
        assert answer["total_count"] == 25
        if "next" not in answer["pages"]:
            break
        after = {"starting_after": answer["pages"]["next"]["starting_after"]}
    assert (found, sizes) == (made, [10, 10, 5])
    assert len(ids(call.search(query))) == 20, "the usual size"
    for paging in ({"per_page": 151}, {"per_page": 0}, {"per_page": "9"}, {"starting_after": "x"}):
        assert call.search(query, **paging).status_code == 400


def test_a_deleted_conversation_and_a_merged_contact_are_not_found(intercom, call, person):
    made = intercom.state.create_conversation(person, "Hello")["id"]
    settle()
    assert ids(call.search(one("contact_ids", "=", person))) == {made}
    intercom.state.delete(made)
    intercom.state.merge_contacts(person, list(intercom.state.contacts)[3])
    settle()
    assert ids(call.search(one("open", "=", True))) == set()
    assert call("GET", f"/conversations/{made}").status_code == 404
    assert call("GET", f"/contacts/{person}").status_code == 404
    answer = call("POST", "/contacts/search", {"query": one("id", "=", person)})
    assert answer.json()["data"] == []


def test_credentials_and_version_come_first(intercom):
    for caller, status in (
        (Caller(intercom, token="x"), 401), (Caller(intercom, version=""), 400), (Caller(intercom, version="1.0"), 400),
        (Caller(intercom, version="2.16"), 200),
    ):  # fmt: skip
        answer = caller("GET", "/me")
        assert answer.status_code == status
        if status != 200:
            Draft202012Validator(ERROR).validate(answer.json())
        caller.http.close()


def test_bodies_outside_the_document_are_refused(intercom, call, person):
    made = intercom.state.create_conversation(person, "Hello")["id"]
    tag = intercom.state.make_tag("vip")
    base = f"/conversations/{made}"
    for method, path, body, status in (
        ("POST", f"{base}/tags", {"id": tag}, 400), ("POST", f"{base}/tags", {"id": int(tag), "admin_id": "999"}, 400),
        ("POST", f"{base}/tags", {"id": "1", "admin_id": "999"}, 404), ("POST", f"{base}/tags", {"id": tag, "admin_id": "7"}, 404),
        ("DELETE", f"{base}/tags/{tag}", {"admin_id": "999"}, 404), ("DELETE", f"{base}/tags/{tag}", None, 400),
        ("PUT", base, {"priority": "priority"}, 400), ("PUT", base, {"custom_attributes": {"colour": "red"}}, 400),
        ("POST", f"{base}/parts", {"message_type": "priority", "admin_id": "999"}, 400),
        ("POST", f"{base}/parts", {"message_type": "snoozed", "admin_id": "999", "snoozed_until": 5}, 400),
        ("POST", f"{base}/parts", {"message_type": "assignment", "type": "admin", "admin_id": "999", "assignee_id": "77"}, 404),
        ("POST", f"{base}/reply", {"message_type": "note", "type": "user", "admin_id": "999", "body": "x"}, 400),
        ("POST", "/tags", {"name": ""}, 400), ("POST", "/conversations/1/tags", {"id": tag, "admin_id": "999"}, 404),
        ("GET", "/nothing", None, 404), ("DELETE", "/tags", None, 405),
    ):  # fmt: skip
        answer = call(method, path, body)
        assert answer.status_code == status, (method, path, body, answer.text)
        Draft202012Validator(ERROR).validate(answer.json())
    assert intercom.simulator.ledger.changes == {}


def test_windows_of_ten_seconds_are_told_and_kept(monkeypatch):
    monkeypatch.setattr(simulator, "WINDOW_CALLS", 5)
    local = Local(Context(limits=True, time_factor=1))
    call = Caller(local)
    answers = [call("GET", "/tags") for _ in range(6)]
    assert [a.headers["X-RateLimit-Remaining"] for a in answers] == ["4", "3", "2", "1", "0", "0"]
    assert [a.status_code for a in answers] == [200] * 5 + [429]
    refused = answers[-1]
    assert refused.json()["errors"][0]["code"] == "rate_limit_exceeded"
    assert 0 <= int(refused.headers["X-RateLimit-Reset"]) - time.time() <= 12
    call.http.close()
    local.stop()


def test_the_same_people_as_at_zendesk_under_ids_of_their_own():
    from sandbox.zendesk import simulator as zendesk

    context = Context()
    zendesk.build(context)
    simulator.build(context)
    users = {
        u["external_id"]: u["email"] for u in context.simulators["zendesk"].state.users.values() if u["external_id"]
    }
    contacts = {c["external_id"]: c for c in context.simulators["intercom"].state.contacts.values()}
    assert {key: c["email"] for key, c in contacts.items()} == users
    assert all(len(c["id"]) == 24 for c in contacts.values())
