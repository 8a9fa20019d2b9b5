"""Lists, search and export of the simulated Zendesk: pages, limits, lag, and cursors that go on."""

from __future__ import annotations

import time

import pytest


def pages(call, path, name, **asked):
    """All rows of a list, by cursor."""
    cursor = {}
    while True:
        found = call.get(path, **{"page[size]": 3}, **asked, **cursor).json()
        yield from found[name]
        if not found["meta"]["has_more"]:
            return
        cursor = {"page[after]": found["meta"]["after_cursor"]}


def test_staff_are_listed_by_one_role_or_several(zendesk, call):
    staff = [u["id"] for u in zendesk.state.users.values() if u["role"] != "end-user"]
    found = list(pages(call, "/users", "users", **{"role[]": ["admin", "agent"]}))
    assert [u["id"] for u in found] == sorted(staff)
    assert {u["role"] for u in pages(call, "/users", "users", role="admin")} == {"admin"}
    assert call.get("/users", role="king").status_code == 400


def test_a_page_before_a_cursor_is_the_one_that_was_seen(call):
    first = call.get("/group_memberships", **{"page[size]": 2}).json()
    second = call.get("/group_memberships", **{"page[size]": 2, "page[after]": first["meta"]["after_cursor"]}).json()
    assert second["links"]["prev"]
    back = call.get("/group_memberships", **{"page[size]": 2, "page[before]": second["meta"]["before_cursor"]}).json()
    assert back["group_memberships"] == first["group_memberships"]


def test_search_shows_a_thousand_results_and_refuses_to_go_on(zendesk, call):
    zendesk.state.switch(index_lag_s=0.0)
    for _ in range(1005):
        zendesk.ticket()
    last = call.get("/search", query="type:ticket charged", page=10)
    assert (len(last.json()["results"]), last.json()["count"], last.json()["next_page"]) == (100, 1005, None)
    refused = call.get("/search", query="type:ticket charged", page=11)
    assert (refused.status_code, refused.json()["error"]) == (422, "invalid")


def test_search_finds_a_change_only_when_the_index_has_it(zendesk, call):
    zendesk.state.switch(index_lag_s=0.0)
    ticket = zendesk.ticket()
    zendesk.state.switch(index_lag_s=600.0)
    assert call.get("/search", query="type:ticket").json()["count"] == 0
    zendesk.state.switch(index_lag_s=0.0)
    zendesk.state.change(ticket, 500, {"additional_tags": ["vip"]})
    assert call.get("/search", query="tags:vip").json()["count"] == 1


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("type:ticket status:new", 1), ("type:ticket -status:new", 1), ("type:ticket tags:a", 1),
        ("type:ticket created>2020-01-01", 2), ("type:ticket created<2020-01-01", 0), ('type:ticket "charged twice"', 2),
        ("type:user role:admin", 2), ("type:ticket assignee:none", 2),
    ],
)  # fmt: skip
def test_search_reads_the_usual_words(zendesk, call, query, count):
    zendesk.state.switch(index_lag_s=0.0)
    zendesk.ticket(tags=["a"])
    zendesk.ticket(status="open")
    assert call.get("/search", query=query).json()["count"] == count


@pytest.mark.parametrize("query", ["", "colour:red", 'type:ticket "open', "type:colour"])
def test_search_refuses_what_it_cannot_read(zendesk, call, query):
    zendesk.state.switch(index_lag_s=0.0)
    zendesk.ticket()
    assert call.get("/search", query=query).status_code == 400


def test_the_export_tells_each_change_in_order_and_goes_on_from_its_cursor(zendesk, call):
    a, b, c = (zendesk.ticket() for _ in range(3))
    zendesk.state.change(a, 500, {"priority": "high"})
    first = call.get("/incremental/tickets/cursor", start_time=0, per_page=2).json()
    assert [t["id"] for t in first["tickets"]] == [b, c]
    assert not first["end_of_stream"]
    assert first["after_url"].startswith("https://acme.zendesk.com/api/v2/incremental/tickets/cursor?")
    second = call.get("/incremental/tickets/cursor", cursor=first["after_cursor"]).json()
    assert ([t["id"] for t in second["tickets"]], second["end_of_stream"]) == ([a], True)
    calm = call.get("/incremental/tickets/cursor", cursor=second["after_cursor"]).json()
    assert (calm["tickets"], calm["end_of_stream"]) == ([], True)
    zendesk.state.comment(b, 500, "x")
    zendesk.state.permanently_delete(c)
    later = call.get("/incremental/tickets/cursor", cursor=calm["after_cursor"], include="users").json()
    assert [(t["id"], t["status"]) for t in later["tickets"]] == [(b, "new"), (c, "deleted")]
    assert later["users"]


def test_the_export_begins_at_its_start_time_which_is_a_minute_old(limited):
    local = limited(60)  # a minute is a second
    caller, before = local.caller(), local.ticket()
    local.state.tickets[before]["generated_timestamp"] -= 1000
    after = local.ticket()
    start = int(time.time()) - 10
    found = caller.get("/incremental/tickets/cursor", start_time=start).json()
    assert [t["id"] for t in found["tickets"]] == [after]
    young = caller.get("/incremental/tickets/cursor", start_time=int(time.time()) + 5)
    assert (young.status_code, young.json()["error"]) == (422, "StartTimeTooRecent")
    assert caller.get("/incremental/tickets/cursor").status_code == 400
