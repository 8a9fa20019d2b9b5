"""Accounts whose batches leave tags out: bulk calls by equal change, and finding out which kind an account is."""

import time

import pytest

from integrations.kernel.errors import VendorUnavailable
from integrations.kernel.ports import WriteState
from integrations.kernel.records import TicketChange
from integrations.zendesk import bulk


def change(ticket_id, add=(), remove=()):
    return TicketChange(str(ticket_id), tuple(add), tuple(remove))


def tags_of(desk, ticket_id):
    return desk.state.tickets[ticket_id]["tags"]


def test_where_batches_ignore_tags_equal_changes_share_a_call(desk, helpdesk, monkeypatch):
    monkeypatch.setattr(bulk, "LOOK_S", (0.1,))
    ids, client = [desk.ticket(tags=["foreign"]) for _ in range(61)], helpdesk(batch_tags="ignored")
    changes = [change(i, [f"db_{n % 3}"], ["db_x"]) for n, i in enumerate(ids[:60])] + [change(ids[60], ["db_alone"])]
    receipt = client.update_tickets(changes, "k")
    assert receipt.job_id == ""
    assert {r.ticket_id: r.state for r in receipt.results} == dict.fromkeys(map(str, ids), WriteState.DONE)
    calls = desk.calls()
    assert calls["PUT /tickets/update_many.json"] == 3
    assert calls[f"PUT /tickets/{ids[60]}/tags.json"] == 1
    assert calls["GET /job_statuses/show_many.json"] <= 2
    assert all("foreign" in tags_of(desk, i) for i in ids)
    keys = [headers["idempotency-key"] for _, path, *_, headers in desk.requests if "update_many" in path]
    assert len(set(keys)) == 3


def test_one_group_is_one_bulk_call_whose_job_is_left_to_the_caller(desk, helpdesk):
    ids, client = [desk.ticket() for _ in range(5)], helpdesk(batch_tags="ignored")
    receipt = client.update_tickets([change(i, ["db_a"], ["db_b"]) for i in ids], "k")
    assert receipt.job_id
    assert receipt.results == ()
    while not client.jobs([receipt.job_id])[receipt.job_id].finished:
        time.sleep(0.02)
    assert all(tags_of(desk, i) == ["db_a"] for i in ids)
    assert desk.calls()["PUT /tickets/update_many.json"] == 1


def test_a_bulk_group_that_fails_after_others_went_out_is_unknown_not_lost(desk, helpdesk, monkeypatch):
    monkeypatch.setattr(bulk, "LOOK_S", (0.1,))
    ids, client = [desk.ticket() for _ in range(4)], helpdesk(batch_tags="ignored")
    changes = [change(i, [f"db_{i}"], ["db_x"]) for i in ids]
    desk.answers["PUT", "update_many"] = [(None, b""), (None, b""), (503, b"{}")]
    assert len(client.update_tickets(changes, "k").results) == 2
    with pytest.raises(VendorUnavailable):
        client.update_tickets(changes, "k")


def test_batches_that_leave_tags_out_are_found_by_trying(desk, helpdesk, monkeypatch):
    i, client = desk.ticket(tags=["foreign"]), helpdesk()
    assert client.batch_tags_honoured(str(i))
    assert tags_of(desk, i) == ["foreign"]
    write = desk.state.change

    def deaf(ticket_id, actor, wanted):
        return write(ticket_id, actor, {n: v for n, v in wanted.items() if n not in ("additional_tags", "remove_tags")})

    monkeypatch.setattr(desk.state, "change", deaf)
    assert not client.batch_tags_honoured(str(i))
