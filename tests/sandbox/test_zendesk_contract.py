"""Every operation of the simulated Zendesk: by the vendor's document where it has one, by a schema of our own where not."""

from __future__ import annotations

import json
import time

import pytest
import requests
from jsonschema import Draft202012Validator

from integrations import registry
from integrations.kernel.vendor import Account
from integrations.transport.http import OpenGate
from sandbox import contracts
from sandbox.base.serving import free_port
from sandbox.judging import judge
from sandbox.zendesk import schemas, simulator


@pytest.fixture
def proxied(zendesk, tmp_path):
    """A caller whose requests and answers are judged by the strict proxy, and by our own schemas; none may break one."""
    if not contracts.SPECS.exists():
        pytest.skip(
            "LOUD: ../shared is not beside this repository: the contract of the simulated Zendesk IS NOT CHECKED"
        )
    port, log, record = free_port(), tmp_path / "violations.jsonl", tmp_path / "record.jsonl"
    process = contracts.proxy(
        contracts.ZENDESK_SPEC, port, zendesk.url, log, *contracts.ZENDESK_OPTIONS, "--record", str(record)
    )
    url = f"http://127.0.0.1:{port}"
    with requests.Session() as judge_session:
        judge_session.trust_env = False
        until = time.monotonic() + 30
        while True:
            try:
                judge_session.get(f"{url}/__contract__/report", timeout=1)
                break
            except requests.RequestException:
                assert time.monotonic() < until
                time.sleep(0.05)
        yield zendesk.caller(url)
        found = judge_session.get(f"{url}/__contract__/report", timeout=10).json()
    process.kill()
    process.wait()
    lines = [line for line in log.read_text().splitlines() if '"violation"' in line] if log.exists() else []
    assert found["with_violations"] == 0, "\n".join(lines[:8])[:4000]
    own = judge(record.read_text().splitlines())
    assert own.violations == []
    assert own.calls > 0


def ok(answer, status=200):
    assert answer.status_code == status, answer.text[:2000]
    return answer.json() if answer.content else None


def test_tickets_and_everything_on_them_pass_the_document(proxied, zendesk):
    one, two = zendesk.ticket(tags=["a"], group_id=800), zendesk.ticket()
    zendesk.state.comment(two, 500, "A note.", public=False)
    shown = ok(proxied.get(f"/tickets/{one}", include="users,groups,organizations"))
    assert (shown["ticket"]["id"], [g["id"] for g in shown["groups"]]) == (one, [800])
    many = ok(proxied.get("/tickets/show_many", ids=f"{one},{two},77", include="users,organizations"))
    assert [t["id"] for t in many["tickets"]] == [one, two]
    note = {"html_body": "<p>x</p>", "public": False}
    update = {"status": "open", "priority": "high", "type": "problem", "subject": "New", "group_id": 800,
              "assignee_id": 501, "external_id": "e1", "comment": note}  # fmt: skip
    changed = ok(proxied.put(f"/tickets/{one}", {"ticket": update}))
    assert {e["type"] for e in changed["audit"]["events"]} == {"Comment", "Change"}
    assert ok(proxied.get(f"/tickets/{one}/comments", **{"page[size]": 1, "sort": "-created_at"}))["meta"]["has_more"]
    assert ok(proxied.get(f"/tickets/{one}/comments", per_page=1))["next_page"]
    assert len(ok(proxied.get(f"/tickets/{one}/audits"))["audits"]) == 2
    assert ok(proxied.get(f"/tickets/{one}/tags"))["tags"] == ["a"]
    new = {"subject": "By us", "comment": {"body": "Hello"}, "requester_id": 10000, "tags": ["x y"]}
    made = ok(proxied.post("/tickets", {"ticket": new}, key="k1"), 201)["ticket"]
    assert (made["tags"], made["via"]["channel"]) == (["x_y"], "api")
    ok(proxied.delete(f"/tickets/{made['id']}"), 204)
    assert proxied.get(f"/tickets/{made['id']}").status_code == 404


def test_where_the_document_is_wrong_requests_go_straight_and_answers_are_those_of_a_proxied_read(
    zendesk, call, proxied
):  # fmt: skip
    """It has no request body at tags, takes the definition of a field for a field's value, and wants a user of groups."""
    i = zendesk.ticket(tags=["a"])
    field = {"custom_fields": [{"id": 360001, "value": "gold"}]}
    written = ok(call.put(f"/tickets/{i}", {"ticket": field}))["ticket"]
    assert ok(proxied.get(f"/tickets/{i}"))["ticket"] == written
    groups = ok(call.get("/groups", per_page=2))["groups"]
    assert [ok(proxied.get(f"/groups/{g['id']}"))["group"] for g in groups] == groups
    assert ok(call.put(f"/tickets/{i}/tags", {"tags": ["b c"]}))["tags"] == ["a", "b_c"]
    assert ok(call.post(f"/tickets/{i}/tags", {"tags": ["z"]}), 201)["tags"] == ["z"]
    assert ok(call.delete(f"/tickets/{i}/tags", {"tags": ["z"]}), 204) is None
    assert ok(proxied.get(f"/tickets/{i}/tags"))["tags"] == []


def test_batches_and_their_jobs_pass_the_document_in_every_state(proxied, zendesk):
    ids = [zendesk.ticket() for _ in range(3)]
    zendesk.state.change(ids[2], 500, {"status": "closed"})
    zendesk.state.switch(job_s=20.0)
    items = [{"id": i, "additional_tags": ["db_a"], "remove_tags": ["x"], "priority": "low"} for i in (*ids, 77)]
    batch = proxied.put("/tickets/update_many", {"tickets": items}, key="k")
    seen = {ok(batch)["job_status"]["status"]}
    job_id = batch.json()["job_status"]["id"]
    while "completed" not in seen:
        job = ok(proxied.get("/job_statuses/show_many", ids=job_id))["job_statuses"][0]
        assert ok(proxied.get(f"/job_statuses/{job_id}"))["job_status"]["id"] == job_id
        seen.add(job["status"])
    assert seen == {"queued", "working", "completed"}
    assert [r["success"] for r in job["results"]] == [True, True, False, False]
    bulk = proxied.put("/tickets/update_many", {"ticket": {"remove_tags": ["db_a"]}}, ids=f"{ids[0]},{ids[1]}")
    assert proxied.finish(bulk)["status"] == "completed"


def test_people_companies_and_groups_pass_the_document(proxied, zendesk):
    assert ok(proxied.get("/users/me"))["user"]["id"] == 999
    assert ok(proxied.get("/users/10000"))["user"]["id"] == 10000
    assert len(ok(proxied.get("/users/show_many", ids="10000,10001,1"))["users"]) == 2
    assert ok(proxied.get("/users/show_many", external_ids="u-3,u-4"))["count"] == 2
    staff = ok(proxied.get("/users", role="agent", **{"page[size]": 2}))
    assert {u["role"] for u in staff["users"]} == {"agent"}
    assert staff["links"]["next"].startswith("https://acme.zendesk.com/api/v2/users?")
    assert ok(proxied.get("/users/10008/identities"))["identities"]
    assert ok(proxied.get("/organizations/7000"))["organization"]["domain_names"]
    assert ok(proxied.get("/organizations/show_many", ids="7000,7001"))["count"] == 2
    assert ok(proxied.get("/groups/801"))["group"]["name"]
    found = ok(proxied.get("/group_memberships", **{"page[size]": 100}))["group_memberships"]
    assert {m["group_id"] for m in found} == set(zendesk.state.groups)


def test_search_and_export_pass_the_document(proxied, zendesk):
    zendesk.state.switch(index_lag_s=0.0)
    ids = [zendesk.ticket() for _ in range(3)]
    zendesk.state.soft_delete(ids[0])
    assert ok(proxied.get("/search", query="type:ticket charged", sort_by="created_at", per_page=1))["next_page"]
    first = ok(proxied.get("/incremental/tickets/cursor", start_time=0, per_page=2, include="users"))
    assert first["users"]
    cursor = first["after_cursor"]
    rest = ok(proxied.get("/incremental/tickets/cursor", cursor=cursor))
    assert [t["status"] for t in rest["tickets"]] == ["deleted"]


def test_triggers_pass_the_document_and_webhooks_our_own_schema(proxied, receiver, zendesk, rest):
    hook = {"name": "Deskbridge", "status": "active", "endpoint": receiver.url, "http_method": "POST",
            "request_format": "json", "subscriptions": ["conditional_ticket_events"],
            "authentication": {"type": "bearer_token", "data": {"token": "t"}, "add_position": "header"}}  # fmt: skip
    made = ok(proxied.post("/webhooks", {"webhook": hook}), 201)["webhook"]
    assert "data" not in made["authentication"], "stored credentials cannot be read back"
    wanted = {"title": "Notify", "conditions": {"all": [{"field": "update_type", "value": "Create"}], "any": []},
              "actions": [{"field": "notification_webhook", "value": [made["id"], '{"ticket_id":"{{ticket.id}}"}']}]}  # fmt: skip
    trigger = ok(proxied.post("/triggers", {"trigger": wanted}), 201)["trigger"]
    assert ok(proxied.get(f"/triggers/{trigger['id']}"))["trigger"]["title"] == "Notify"
    assert ok(proxied.get("/triggers", active="true"))["count"] == 1
    assert ok(proxied.get("/triggers/definitions"))["definitions"]["actions"][0]["values"][0]["value"] == made["id"]
    zendesk.ticket()
    rest(zendesk)
    invocations = ok(proxied.get(f"/webhooks/{made['id']}/invocations"))["invocations"]
    attempts = ok(proxied.get(f"/webhooks/{made['id']}/invocations/{invocations[0]['id']}/attempts"))["attempts"]
    assert [a["status_code"] for a in attempts] == [200]
    assert proxied.delete(f"/webhooks/{made['id']}").status_code == 400, "it is connected to a trigger"
    ok(proxied.put(f"/triggers/{trigger['id']}", {"trigger": {**wanted, "active": False}}))
    ok(proxied.delete(f"/triggers/{trigger['id']}"), 204)
    secret = ok(proxied.get(f"/webhooks/{made['id']}/signing_secret"))["signing_secret"]["secret"]
    assert ok(proxied.post(f"/webhooks/{made['id']}/signing_secret"), 201)["signing_secret"]["secret"] != secret
    ok(proxied.call("PATCH", f"/webhooks/{made['id']}", {"webhook": {"status": "inactive"}}), 204)
    assert ok(proxied.get(f"/webhooks/{made['id']}"))["webhook"]["status"] == "inactive"
    ok(proxied.put(f"/webhooks/{made['id']}", {"webhook": hook}), 204)
    assert len(ok(proxied.get("/webhooks"))["webhooks"]) == 1
    ok(proxied.delete(f"/webhooks/{made['id']}"), 204)
    assert proxied.get(f"/webhooks/{made['id']}").status_code == 404


def test_refusals_have_the_shape_of_our_own_schema(zendesk, call):
    closed = zendesk.ticket(status="closed")
    i = zendesk.ticket()
    for answer, status in (
        (call.get("/tickets/77"), 404), (call.get("/nothing"), 404), (call.get("/tickets/show_many"), 400),
        (call.get("/tickets/show_many", ids=",".join(["1"] * 101)), 400), (call.get(f"/tickets/{i}", colour="red"), 400),
        (call.put(f"/tickets/{closed}", {"ticket": {"status": "open"}}), 422), (call.put(f"/tickets/{i}", []), 400),
        (call.put(f"/tickets/{i}", {"ticket": {"colour": "red"}}), 422), (call.get("/search", query="x", page=11), 422),
        (call.put(f"/tickets/{i}", {"ticket": {"safe_update": True, "updated_stamp": "x"}}), 409),
        (call.get("/incremental/tickets/cursor", start_time=int(time.time())), 422),
        (call.get("/incremental/tickets/cursor", cursor="x"), 400), (call.delete("/users/me"), 405),
        (zendesk.caller(scope="read").put(f"/tickets/{i}", {"ticket": {}}), 403),
    ):  # fmt: skip
        assert answer.status_code == status, answer.text
        Draft202012Validator(schemas.ERROR).validate(json.loads(answer.text))


def test_a_call_that_breaks_our_own_schema_counts_as_a_violation():
    def exchange(**changed):
        body = {"grant_type": "client_credentials", "client_id": "a", "client_secret": "b"}
        told = {"access_token": "t", "token_type": "bearer", "scope": "read", "expires_in": 7200}
        row = {"method": "POST", "url": "/oauth/tokens", "body": json.dumps(body), "status": 200,
               "response": json.dumps(told)}  # fmt: skip
        return json.dumps({**row, **changed})

    ticket = exchange(url="/api/v2/tickets/1.json", method="GET", response="[]")
    good, no_life = exchange(), exchange(response='{"access_token":"t"}')
    judged = judge([good, ticket, no_life, exchange(status=500), exchange(body="{}"), exchange(url="/oauth/other")])
    assert judged.calls == 5, "tickets have a document of their own"
    assert len(judged.violations) == 4


def test_who_somebody_is_now_is_asked_and_answered_as_the_document_says(proxied, zendesk):
    """The calls of the refund path, made by the product's own client through the strict proxy."""
    config = {"subdomain": "acme", "client_id": simulator.CLIENT_ID, "scope": "read"}
    account = Account("con_1", "zendesk", proxied.url, config, {"client_secret": (simulator.CLIENT_SECRET,)})
    before = judged(proxied.url)
    staff = registry.staff(account, OpenGate())
    found = staff.look_up("501")
    groups = {str(m["group_id"]) for m in zendesk.state.memberships.values() if m["user_id"] == 501}
    assert (found.role, found.active, set(found.groups)) == ("agent", True, groups)
    zendesk.state.suspend(501)
    assert staff.look_up("501").active is False
    assert staff.look_up("123456789") is None
    assert judged(proxied.url) - before == 5, "two calls for each who is there, one for who is not"


def judged(url):
    """How many exchanges the proxy has judged."""
    with requests.Session() as session:
        session.trust_env = False
        return session.get(f"{url}/__contract__/report", timeout=10).json()["exchanges"]
