"""The client over real zenpy and real HTTP against the simulator: what it sends, how often, what it makes of answers."""

import json
import time

import pytest

from integrations.kernel.errors import (
    ConfigError,
    NeedsReauthorisation,
    OutcomeUnknown,
    RateLimited,
    VendorContractChanged,
)
from integrations.kernel.ports import WriteState
from integrations.kernel.records import Note, TicketChange


def change(ticket_id, add=(), remove=(), fields=None, note=None):
    return TicketChange(str(ticket_id), tuple(add), tuple(remove), fields or {}, note)


def finish(client, receipt):
    """Results of a write, its job followed to the end."""
    if not receipt.job_id:
        return {r.ticket_id: r for r in receipt.results}
    for _ in range(100):
        state = client.jobs([receipt.job_id])[receipt.job_id]
        if state.finished:
            return {r.ticket_id: r for r in state.results}
        time.sleep(0.02)
    raise AssertionError("the job does not end")


def tags_of(desk, ticket_id):
    return desk.state.tickets[ticket_id]["tags"]


def never_replaced_tags(desk):
    """No request ever set a tag list."""
    for method, path, _, body, _ in desk.requests:
        if method in ("PUT", "POST") and "/tickets" in path and not path.removesuffix(".json").endswith("/tags"):
            told = json.loads(body)
            for item in [told.get("ticket", {}), *told.get("tickets", [])]:
                assert "tags" not in item, path
    return True


def test_a_hundred_tickets_with_people_and_companies_are_one_call(desk, helpdesk):
    ids = [str(desk.ticket(tags=["vip"])) for _ in range(100)]
    read = helpdesk().show_tickets([*ids[:99], "999999"])
    assert desk.calls() == {"GET /tickets/show_many.json": 1}
    assert [t.id for t in read.tickets] == ids[:99]
    assert read.gone == ("999999",)
    first = read.tickets[0]
    assert (first.complete, first.values["status"], first.values["tags"]) == (True, "new", ["vip"])
    assert first.values["custom_fields"] == {"360001": None, "360002": None, "360003": None}
    (requester,) = [p for p in read.people if p.id == first.values["requester_id"]]
    known = desk.state.users[int(requester.id)]
    (email,) = requester.emails
    assert (email.address, email.verified, email.primary) == (known["email"], known["verified"], True)
    assert requester.role == "end-user"


def test_no_ids_are_no_call_and_too_many_are_refused(desk, helpdesk):
    client = helpdesk()
    assert client.show_tickets([]).tickets == ()
    assert client.jobs([]) == {}
    assert client.update_tickets([change(1)], "k").results == ()
    for call in (client.show_tickets, lambda ids: client.update_tickets([change(i, ["a"]) for i in ids], "k")):
        with pytest.raises(ValueError, match="Zendesk takes 100"):
            call([str(i) for i in range(101)])
    assert not desk.requests


def test_many_different_changes_are_one_write_and_one_look(desk, helpdesk):
    ids = [desk.ticket(tags=["foreign", "db_old"]) for _ in range(30)]
    changes = [
        change(i, [f"db_{i}"], ["db_old"], {"priority": "high", "custom_fields": {"360001": "gold"}},
               Note(f"n{i}", "Pays <gold> & more\nsecond line") if i % 2 else None)
        for i in ids
    ]  # fmt: skip
    client = helpdesk()
    receipt = client.update_tickets(changes, "write-1")
    time.sleep(0.1)
    results = finish(client, receipt)
    assert {r.state for r in results.values()} == {WriteState.DONE}
    assert desk.calls() == {"PUT /tickets/update_many.json": 1, "GET /job_statuses/show_many.json": 1}
    assert desk.requests[1][4]["idempotency-key"] == "write-1"
    for i in ids:
        assert sorted(tags_of(desk, i)) == sorted(["foreign", f"db_{i}"])
        assert desk.state.tickets[i]["priority"] == "high"
        assert {"id": 360001, "value": "gold"} in desk.state.tickets[i]["custom_fields"]
        assert [c["public"] for c in desk.state.comments[i]] == [True, False] if i % 2 else [True]
    assert never_replaced_tags(desk)


@pytest.mark.parametrize(
    ("add", "remove", "call"),
    [(["db_a", "db_b"], [], "PUT /tickets/{}/tags.json"), ([], ["db_old"], "DELETE /tickets/{}/tags.json")],
)
def test_a_lone_change_of_tags_is_one_call_without_a_job(desk, helpdesk, add, remove, call):
    i = desk.ticket(tags=["foreign", "db_old"])
    receipt = helpdesk().update_tickets([change(i, add, remove)], "k")
    assert (receipt.job_id, [r.state for r in receipt.results]) == ("", [WriteState.DONE])
    assert desk.calls() == {call.format(i): 1}
    assert sorted(tags_of(desk, i)) == sorted({"foreign", "db_old", *add} - set(remove))


def test_a_lone_change_of_more_is_one_write_and_one_look(desk, helpdesk):
    i, client = desk.ticket(tags=["foreign"]), helpdesk()
    receipt = client.update_tickets([change(i, ["db_a"], ["db_b"])], "k")
    time.sleep(0.1)
    assert finish(client, receipt)[str(i)].state is WriteState.DONE
    assert sum(desk.calls().values()) == 2


def test_a_foreign_tag_added_between_our_read_and_our_write_survives(desk, helpdesk):
    ids, client = [desk.ticket() for _ in range(3)], helpdesk()
    client.show_tickets([str(i) for i in ids])
    desk.state.intruders.append("foreign_in_between")
    finish(client, client.update_tickets([change(i, ["db_a"], ["db_b"]) for i in ids[:2]], "k"))
    client.update_ticket(change(ids[2], ["db_a"], fields={"priority": "low"}), "k")
    for i in ids:
        assert {"foreign_in_between", "db_a"} <= set(tags_of(desk, i))


def test_what_becomes_of_each_item_of_a_batch_is_told_apart(desk, helpdesk):
    fine, closed, odd = desk.ticket(), desk.ticket(status="closed"), desk.ticket()
    client = helpdesk()
    changes = [change(fine, ["db_a"]), change(closed, ["db_a"]), change(777777, ["db_a"])]
    changes.append(change(odd, ["db_a"], fields={"custom_fields": {"999": "x"}}))
    results = finish(client, client.update_tickets(changes, "k"))
    states = {i: result.state for i, result in results.items()}
    assert states == {
        str(fine): WriteState.DONE, str(closed): WriteState.REFUSED, "777777": WriteState.GONE,
        str(odd): WriteState.REFUSED,
    }  # fmt: skip
    assert "closed" in results[str(closed)].detail


def test_one_change_by_itself_is_answered_at_once(desk, helpdesk):
    i, client = desk.ticket(tags=["foreign", "db_old"]), helpdesk()
    wanted = change(i, ["db_a"], ["db_old"], {"status": "open"}, Note("n1", "Hello"))
    assert client.update_ticket(wanted, "k").state is WriteState.DONE
    assert sorted(tags_of(desk, i)) == ["db_a", "foreign"]
    paths = [f"{method} {path}" for method, path, *_ in desk.requests if "oauth" not in path]
    base = f"/api/v2/tickets/{i}"
    assert paths == [f"PUT {base}/tags.json", f"DELETE {base}/tags.json", f"PUT {base}.json"], (
        "what repeats badly is last"
    )
    assert never_replaced_tags(desk)


@pytest.mark.parametrize(
    ("status", "told", "state"),
    [
        (404, {"error": "RecordNotFound", "description": "Not found"}, WriteState.GONE),
        (409, {"error": "UpdateConflict", "description": "Safe Update prevented the update"}, WriteState.CONFLICT),
        (422, {"error": "RecordInvalid", "details": {}}, WriteState.REFUSED),
        (422, {"error": "invalid"}, WriteState.REFUSED),
        (400, {"errors": [{"code": "X"}]}, WriteState.REFUSED),
    ],
)
def test_a_refusal_of_one_ticket_is_a_result_not_an_error(desk, helpdesk, status, told, state):
    i = desk.ticket()
    desk.answers["PUT", "/tickets/"] = [(status, json.dumps(told).encode())]
    for wanted in (change(i, ["db_a"]), change(i, fields={"status": "open"})):
        assert helpdesk().update_ticket(wanted, "k").state is state


def test_a_missing_scope_needs_a_person(desk, helpdesk):
    desk.answers["PUT", "/tickets/"] = [(403, b'{"error":"Forbidden"}')]
    with pytest.raises(NeedsReauthorisation):
        helpdesk().update_ticket(change(desk.ticket(), ["db_a"]), "k")


def test_a_write_without_an_answer_is_unknown(desk, helpdesk):
    desk.answers["PUT", "update_many"] = [(500, b"{}")]
    with pytest.raises(OutcomeUnknown):
        helpdesk().update_tickets([change(desk.ticket(), ["a"], ["b"])], "k")


def test_a_429_is_raised_at_once_and_zenpy_does_not_sleep(desk, helpdesk):
    i = desk.ticket()
    desk.answers["PUT", "/tags"] = [(429, b"{}")]
    started = time.monotonic()
    with pytest.raises(RateLimited):
        helpdesk().update_ticket(change(i, ["db_a"]), "k")
    assert time.monotonic() - started < 1


def test_a_note_is_found_again_by_its_key_only(desk, helpdesk):
    i, client = desk.ticket(), helpdesk()
    assert not client.has_note(str(i), "abc1")
    client.update_ticket(change(i, note=Note("abc12", "Hello")), "k")
    assert client.has_note(str(i), "abc12")
    assert not client.has_note(str(i), "abc1"), "the beginning of a key is another key"
    desk.state.change(i, 500, {"comment": {"body": "deskbridge-ref:zzz", "public": True}})
    assert not client.has_note(str(i), "zzz"), "what a customer can see or write is no note of ours"
    assert desk.state.comments[i][1]["public"] is False
    assert "Hello" in desk.state.comments[i][1]["html_body"]


def test_notes_are_looked_for_over_pages_newest_first(desk, helpdesk):
    def page(number, more):
        comments = [{"public": False, "html_body": f"<p>deskbridge-ref:key{number}</p>"}]
        meta = {"has_more": more, "after_cursor": f"c{number}"}
        return 200, json.dumps({"comments": comments, "meta": meta}).encode()

    desk.answers["GET", "/comments"] = [page(1, True), page(2, False)]
    assert helpdesk().has_note("5", "key2")
    queries = [query for _, path, query, *_ in desk.requests if "comments" in path]
    assert "sort=-created_at" in queries[0]
    assert "page%5Bafter%5D=c1" in queries[1]


def test_jobs_that_zendesk_forgot_or_that_failed_leave_tickets_unknown(desk, helpdesk):
    failed = {"id": "j1", "status": "failed", "results": None}
    running = {"id": "j2", "status": "working", "results": [{"id": 1, "success": True}]}
    desk.answers["GET", "job_statuses"] = [(200, json.dumps({"job_statuses": [failed, running]}).encode())]
    states = helpdesk().jobs(["j1", "j2", "j3"])
    assert {job: (s.finished, s.results) for job, s in states.items()} == {
        "j1": (True, ()), "j2": (False, ()), "j3": (True, ()),
    }  # fmt: skip


def test_who_we_are_is_asked_once_and_nobody_is_an_error(desk, helpdesk):
    client = helpdesk()
    assert [client.own_user_id() for _ in range(3)] == ["999"] * 3
    assert desk.calls() == {"GET /users/me.json": 1}
    assert helpdesk(own_user_id="12").own_user_id() == "12"
    desk.answers["GET", "/users/me"] = [(200, b'{"user":{"id":null,"name":"Anonymous user","role":"end-user"}}')]
    with pytest.raises(NeedsReauthorisation):
        helpdesk().own_user_id()


def test_the_check_says_in_a_sentence_what_is_wrong(desk, helpdesk):
    assert helpdesk().check() == []
    (wrong,) = helpdesk(client_secret=("nonsense",)).check()
    assert "check client id, secret and scopes" in wrong
    (nothing,) = helpdesk(client_secret=()).check()
    assert "not given" in nothing
    desk.answers["GET", "/users/me"] = [(200, b'{"user":{"id":1,"role":"end-user"}}')]
    assert helpdesk().check() == [
        "The credentials belong to nobody who may write tickets: give the OAuth client an agent or admin."
    ]


def test_identities_tell_each_addresss_own_verification(desk, helpdesk):
    user = next(i for i, found in desk.state.identities.items() if len(found) > 1)
    known = [(one["value"], one["verified"], one["primary"]) for one in desk.state.identities[user]]
    assert [(e.address, e.verified, e.primary) for e in helpdesk().identities(str(user))] == known


@pytest.mark.parametrize(
    "body", [b"<html>", b"[]", b'{"tickets":[{"id":1}]}', b'{"tickets":[{"id":1,"updated_at":7}]}']
)
def test_an_answer_in_another_shape_is_told_as_such(desk, helpdesk, body):
    desk.answers["GET", "show_many"] = [(200, body)]
    with pytest.raises(VendorContractChanged):
        helpdesk().show_tickets(["1"])


@pytest.mark.parametrize("body", [b'{"job_statuses":[{}]}', b'{"job_statuses":["j"]}', b'{"job_statuses":7}'])
def test_jobs_in_another_shape_are_told_as_such(desk, helpdesk, body):
    desk.answers["GET", "job_statuses"] = [(200, body)]
    with pytest.raises(VendorContractChanged):
        helpdesk().jobs(["j"])


def test_a_write_without_a_job_in_its_answer_is_told_as_such(desk, helpdesk):
    desk.answers["PUT", "update_many"] = [(200, b"{}")]
    with pytest.raises(VendorContractChanged):
        helpdesk().update_tickets([change(1, ["a"], ["b"])], "k")


@pytest.mark.parametrize("subdomain", ["", "-a", "A", "a.b", "a/b", "evil.example#", "a" * 64, "acme\n"])
def test_a_subdomain_that_could_lead_elsewhere_is_refused(helpdesk, subdomain):
    with pytest.raises(ConfigError):
        helpdesk(subdomain=subdomain)


def test_a_field_that_cannot_be_written_is_a_mistake_of_ours(helpdesk):
    with pytest.raises(ValueError, match="requester_id cannot be written"):
        helpdesk().update_tickets([change(1, ["a"], fields={"requester_id": "7"})], "k")
