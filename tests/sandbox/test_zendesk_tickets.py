"""Writes and reads of tickets at the simulated Zendesk: what is taken, what is refused, and what others do meanwhile."""

from __future__ import annotations

import pytest


def tags_of(zendesk, ticket):
    return zendesk.state.tickets[ticket]["tags"]


def one(ticket, **wanted):
    return {"tickets": [{"id": ticket, **wanted}]}


@pytest.mark.parametrize(
    "wanted",
    [
        {"status": "opened"}, {"priority": "huge"}, {"type": "request"}, {"group_id": 1}, {"assignee_id": 10000},
        {"requester_id": 1}, {"requester_id": None}, {"organization_id": 1}, {"subject": 5}, {"tags": "a"}, {"tags": [""]},
        {"custom_fields": [{"id": 1, "value": "x"}]}, {"custom_fields": [{"id": 360003, "value": "x"}]},
        {"custom_fields": {"360001": "x"}}, {"comment": {}}, {"comment": {"body": " "}}, {"comment": "x"},
        {"comment": {"body": "x", "html_body": "x"}}, {"comment": {"body": "x", "public": "false"}},
        {"comment": {"body": "x", "colour": 1}}, {"colour": "red"}, {"additional_tags": ["only in batches"]},
        {"safe_update": True},
    ],
)  # fmt: skip
def test_a_wrong_value_is_refused_with_its_field_and_nothing_is_changed(zendesk, call, wanted):
    ticket = zendesk.ticket()
    before = dict(zendesk.state.tickets[ticket])
    answer = call.put(f"/tickets/{ticket}", {"ticket": wanted})
    assert (answer.status_code, answer.json()["error"]) == (422, "RecordInvalid")
    assert set(answer.json()["details"]) <= {*wanted, "updated_stamp"}
    assert zendesk.state.tickets[ticket] == before


def test_a_comment_is_public_unless_it_says_otherwise(zendesk, call):
    ticket = zendesk.ticket()
    for public in ({}, {"public": True}, {"public": False}):
        call.put(f"/tickets/{ticket}", {"ticket": {"comment": {"body": "x", **public}}})
    assert [c["public"] for c in zendesk.state.comments[ticket][1:]] == [True, True, False]


def test_tags_of_a_ticket_update_replace_and_the_tags_address_adds(zendesk, call):
    ticket = zendesk.ticket(tags=["a"])
    call.put(f"/tickets/{ticket}/tags", {"tags": ["Two Words"]})
    assert tags_of(zendesk, ticket) == ["a", "two_words"]
    call.put(f"/tickets/{ticket}", {"ticket": {"tags": ["b"]}})
    assert tags_of(zendesk, ticket) == ["b"]


def test_a_stamp_that_is_not_the_tickets_is_a_conflict_for_fields_and_for_tags(zendesk, call):
    ticket = zendesk.ticket(updated_at="2026-01-01T00:00:00Z")
    read = call.get(f"/tickets/{ticket}").json()["ticket"]["updated_at"]
    guard = {"safe_update": "true", "updated_stamp": read}
    assert call.put(f"/tickets/{ticket}", {"ticket": {"priority": "low", **guard}}).status_code == 200
    guard["updated_stamp"] = "2026-01-01T00:00:00Z"
    assert call.put(f"/tickets/{ticket}", {"ticket": {"priority": "high", **guard}}).status_code == 409
    assert call.put(f"/tickets/{ticket}/tags", {"tags": ["x"], **guard}).status_code == 409
    assert tags_of(zendesk, ticket) == []


def test_closed_and_deleted_tickets_are_not_written(zendesk, call):
    closed, gone = zendesk.ticket(status="closed"), zendesk.ticket()
    zendesk.state.soft_delete(gone)
    for ticket, status in ((closed, 422), (gone, 404), (77, 404)):
        assert call.put(f"/tickets/{ticket}", {"ticket": {"priority": "low"}}).status_code == status
        assert call.put(f"/tickets/{ticket}/tags", {"tags": ["x"]}).status_code == status
    job = call.finish(
        call.put("/tickets/update_many", {"tickets": [{"id": i, "priority": "low"} for i in (closed, gone)]})
    )
    assert [r["error"] for r in job["results"]] == ["RecordInvalid", "TicketNotFound"]
    assert "closed prevents ticket update" in job["results"][0]["details"]


def test_show_many_takes_a_hundred_ids_leaves_out_what_is_gone_and_loads_beside(zendesk, call):
    tickets = [zendesk.ticket() for _ in range(100)]
    zendesk.state.soft_delete(tickets[0])
    found = call.get("/tickets/show_many", ids=",".join(map(str, tickets)), include="users,organizations").json()
    assert [t["id"] for t in found["tickets"]] == tickets[1:]
    assert {u["id"] for u in found["users"]} == {t["requester_id"] for t in found["tickets"]}
    assert call.get("/tickets/show_many", ids=",".join(map(str, [*tickets, 1]))).status_code == 400
    assert call.get("/tickets/show_many", ids="1,x").status_code == 400
    assert call.get("/tickets/show_many", ids="1", include="colours").status_code == 400


def test_a_batch_changes_each_ticket_in_its_own_way_and_bulk_all_in_the_same(zendesk, call):
    a, b = zendesk.ticket(tags=["x", "keep"]), zendesk.ticket(tags=["x"])
    items = [{"id": a, "additional_tags": ["db_a"], "remove_tags": ["x"]}, {"id": b, "priority": "high"}]
    asked = call.put("/tickets/update_many", {"tickets": items})
    assert asked.json()["job_status"]["status"] == "queued"
    assert asked.json()["job_status"]["results"] is None
    job = call.finish(asked)
    assert [(r["id"], r["status"]) for r in job["results"]] == [(a, "Updated"), (b, "Updated")]
    assert tags_of(zendesk, a) == ["db_a", "keep"]
    assert tags_of(zendesk, b) == ["x"]
    call.finish(call.put("/tickets/update_many", {"ticket": {"additional_tags": ["all"]}}, ids=f"{a},{b}"))
    assert all("all" in tags_of(zendesk, t) for t in (a, b))


def test_a_job_works_after_its_answer_and_can_end_without_its_work(zendesk, call):
    ticket = zendesk.ticket()
    zendesk.state.switch(job_s=20.0)
    asked = call.put("/tickets/update_many", one(ticket, priority="high"))
    assert zendesk.state.tickets[ticket]["priority"] is None
    assert call.finish(asked)["status"] == "completed"
    assert zendesk.state.tickets[ticket]["priority"] == "high"
    zendesk.state.switch(job_s=0.3, jobs_end="failed")
    job = call.finish(call.put("/tickets/update_many", one(ticket, priority="low")))
    assert (job["status"], job["results"]) == ("failed", None)
    assert zendesk.state.tickets[ticket]["priority"] == "high"


def test_an_older_account_leaves_tags_out_of_batches_and_not_out_of_bulk(zendesk, call):
    ticket = zendesk.ticket(tags=["a"])
    zendesk.state.switch(batch_ignores_tags=True)
    job = call.finish(call.put("/tickets/update_many", one(ticket, additional_tags=["b"], priority="low")))
    assert job["results"][0]["success"], "it does not even say so"
    assert (tags_of(zendesk, ticket), zendesk.state.tickets[ticket]["priority"]) == (["a"], "low")
    call.finish(call.put("/tickets/update_many", {"ticket": {"additional_tags": ["b"]}}, ids=str(ticket)))
    assert tags_of(zendesk, ticket) == ["a", "b"]


@pytest.mark.parametrize(
    "body", [{}, {"tickets": []}, {"tickets": [{"priority": "low"}]}, {"tickets": [{"id": 1}] * 101},
             {"tickets": [{"id": 1}], "ticket": {}}]
)  # fmt: skip
def test_a_batch_that_is_none_is_refused(call, body):
    assert call.put("/tickets/update_many", body).status_code == 400


def test_a_foreign_tag_that_comes_between_our_read_and_our_write_survives(zendesk, call):
    ticket = zendesk.ticket(tags=["a"])
    read = call.get(f"/tickets/{ticket}").json()["ticket"]
    zendesk.state.intruders = ["vip"]
    call.put(f"/tickets/{ticket}/tags", {"tags": ["db_a"]})
    assert tags_of(zendesk, ticket) == ["a", "db_a", "vip"]
    zendesk.state.intruders = ["later"]
    call.finish(call.put("/tickets/update_many", one(ticket, remove_tags=["db_a"], additional_tags=["db_b"])))
    assert tags_of(zendesk, ticket) == ["a", "db_b", "later", "vip"]
    zendesk.state.intruders = ["lost"]
    call.put(f"/tickets/{ticket}", {"ticket": {"tags": [*read["tags"], "db_c"]}})
    assert tags_of(zendesk, ticket) == ["a", "db_c"], "read, change and replace loses it: the sandbox would show it"


def test_in_the_same_second_even_the_guard_does_not_see_the_foreign_tag(zendesk, call, monkeypatch):
    monkeypatch.setattr(zendesk.state, "now", lambda: "2026-11-25T10:00:00Z")
    ticket = zendesk.ticket()
    zendesk.state.intruders = ["vip"]
    guard = {"safe_update": "true", "updated_stamp": "2026-11-25T10:00:00Z"}
    assert call.put(f"/tickets/{ticket}/tags", {"tags": ["db_a"], **guard}).status_code == 200
    assert tags_of(zendesk, ticket) == ["db_a", "vip"]
    monkeypatch.setattr(zendesk.state, "now", lambda: "2026-11-25T10:00:01Z")
    zendesk.state.intruders = ["other"]
    assert call.put(f"/tickets/{ticket}/tags", {"tags": ["db_b"], **guard}).status_code == 409


def test_an_idempotency_key_answers_the_first_result_again_and_refuses_other_parameters(zendesk, call):
    ticket = zendesk.ticket()
    first = call.put("/tickets/update_many", one(ticket, comment={"body": "once"}), key="k")
    again = call.put("/tickets/update_many", one(ticket, comment={"body": "once"}), key="k")
    assert [a.headers["x-idempotency-lookup"] for a in (first, again)] == ["miss", "hit"]
    assert again.json() == first.json()
    call.finish(first)
    assert len(zendesk.state.comments[ticket]) == 2
    other = call.put("/tickets/update_many", one(ticket, comment={"body": "twice"}), key="k")
    assert (other.status_code, other.json()["error"]) == (400, "IdempotentRequestError")
    assert call.put("/tickets/update_many", one(ticket, priority="low"), key="k" * 256).status_code == 400


def test_a_refused_request_does_not_use_its_key_up(zendesk, call):
    ticket = zendesk.ticket(status="closed")
    assert call.put(f"/tickets/{ticket}", {"ticket": {"priority": "low"}}, key="k").status_code == 422
    zendesk.state.tickets[ticket]["status"] = "open"
    assert call.put(f"/tickets/{ticket}", {"ticket": {"priority": "low"}}, key="k").status_code == 200


def test_comments_come_page_by_page_in_either_order_also_while_new_ones_are_written(zendesk, call):
    ticket = zendesk.ticket()
    for n in range(4):
        zendesk.state.comment(ticket, 500, f"c{n}")
    seen, cursor = [], {}
    while True:
        asked = {"page[size]": 2, "sort": "-created_at", **cursor}
        found = call.get(f"/tickets/{ticket}/comments", **asked).json()
        seen += [c["body"] for c in found["comments"]]
        zendesk.state.comment(ticket, 500, "new")
        if not found["meta"]["has_more"]:
            break
        assert found["links"]["next"].startswith("https://acme.zendesk.com/api/v2/tickets/")
        cursor = {"page[after]": found["meta"]["after_cursor"]}
    assert seen == ["c3", "c2", "c1", "c0", "I was charged twice"]
    assert call.get(f"/tickets/{ticket}/comments", **{"page[size]": 101}).status_code == 400
    assert call.get(f"/tickets/{ticket}/comments", **{"page[size]": 1, "page[after]": "x"}).status_code == 400
    assert call.get(f"/tickets/{ticket}/comments", per_page=100, page=101).status_code == 400
