"""Limits of the simulated Zendesk: account, endpoints, one ticket, jobs; their headers; and how to be rid of them."""

from __future__ import annotations

import time

import pytest

from sandbox.zendesk import gate


def tags(caller, ticket, word="x"):
    return caller.put(f"/tickets/{ticket}/tags", {"tags": [word]})


def test_the_account_has_so_many_calls_a_minute_and_says_to_the_second_when_there_is_room_again(limited):
    local = limited(20)  # a minute is three seconds
    local.state.switch(calls_per_minute=5)
    caller = local.caller()
    seen = [caller.get("/users/me") for _ in range(6)]
    assert [a.status_code for a in seen] == [200] * 5 + [429]
    assert [a.headers["X-Rate-Limit-Remaining"] for a in seen] == ["4", "3", "2", "1", "0", "0"]
    assert {a.headers["X-Rate-Limit"] for a in seen} == {a.headers["ratelimit-limit"] for a in seen} == {"5"}
    assert 1 <= int(seen[0].headers["ratelimit-reset"]) <= 3
    wait = int(seen[-1].headers["Retry-After"])
    assert 1 <= wait <= 3
    time.sleep(wait)
    assert caller.get("/users/me").status_code == 200


def test_ticket_updates_of_all_kinds_share_a_hundred_a_minute_and_other_calls_go_on(limited):
    local = limited()
    caller, tickets = local.caller(), [local.ticket() for _ in range(10)]
    for n in range(98):
        assert tags(caller, tickets[n % 10], f"x{n}").status_code == 200
    assert caller.put(f"/tickets/{tickets[0]}", {"ticket": {"priority": "low"}}).status_code == 200
    batch = {"tickets": [{"id": tickets[0], "priority": "high"}]}
    assert caller.put("/tickets/update_many", batch).status_code == 200
    for refused in (tags(caller, tickets[1]), caller.put("/tickets/update_many", batch)):
        assert refused.status_code == 429
        assert 50 <= int(refused.headers["Retry-After"]) <= 60
        assert refused.headers["zendesk-ratelimit-tickets-update"].startswith("total=100; remaining=0; resets=")
    assert caller.get(f"/tickets/{tickets[0]}").status_code == 200


def test_the_high_volume_add_on_lifts_the_endpoint_limits(limited):
    local = limited()
    local.state.switch(high_volume=True, calls_per_minute=2500)
    caller, tickets = local.caller(), [local.ticket() for _ in range(5)]
    assert {tags(caller, tickets[n % 5]).status_code for n in range(120)} == {200}


def test_one_user_may_change_one_ticket_thirty_times_in_ten_minutes(limited):
    local = limited()
    caller, one, other = local.caller(), local.ticket(), local.ticket()
    assert [tags(caller, one, f"x{n}").status_code for n in range(31)] == [200] * 30 + [429]
    assert tags(caller, other).status_code == 200
    refused = caller.put(f"/tickets/{one}", {"ticket": {"priority": "low"}})
    assert int(refused.headers["Retry-After"]) > 500
    email = local.state.users[501]["email"]
    pair = (f"{email}/token", gate.LEGACY_TOKEN)
    del caller.session.headers["Authorization"]
    caller.session.auth = pair
    assert tags(caller, one).status_code == 200, "another user has a count of their own"


def test_the_export_takes_ten_calls_a_minute(limited):
    caller = limited().caller()
    codes = [caller.get("/incremental/tickets/cursor", start_time=0).status_code for _ in range(11)]
    assert codes == [200] * 10 + [429]


def test_thirty_jobs_may_be_queued_or_running(limited):
    local = limited()
    local.state.switch(high_volume=True, job_s=60.0)
    caller, ticket = local.caller(), local.ticket()
    batch = {"tickets": [{"id": ticket, "priority": "high"}]}
    assert {caller.put("/tickets/update_many", batch).status_code for _ in range(30)} == {200}
    refused = caller.put("/tickets/update_many", batch)
    assert (refused.status_code, refused.json()["error"]) == (429, "TooManyJobs")
    assert int(refused.headers["Retry-After"]) > 0


def test_without_limits_nothing_is_refused_and_no_header_promises_any(zendesk, call):
    ticket = zendesk.ticket()
    answers = [tags(call, ticket) for _ in range(40)]
    assert {a.status_code for a in answers} == {200}
    assert "X-Rate-Limit" not in answers[0].headers
    assert {call.get("/incremental/tickets/cursor", start_time=0).status_code for _ in range(12)} == {200}


@pytest.mark.parametrize("expected", ["total=30; remaining=29", "total=100; remaining=99"])
def test_every_limit_of_an_endpoint_is_told_in_a_header(limited, expected):
    local = limited()
    answer = tags(local.caller(), local.ticket())
    told = [v for name, v in answer.headers.items() if name.startswith("zendesk-ratelimit-")]
    assert any(value.startswith(expected) for value in told)
