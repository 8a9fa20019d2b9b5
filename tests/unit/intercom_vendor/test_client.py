"""The client over real HTTP against the simulator: what it sends, how often, what it makes of answers."""

import time
from datetime import UTC, datetime

import pytest

from integrations.intercom.client import IDENTITY, connect
from integrations.kernel.errors import (
    ConfigError,
    NeedsReauthorisation,
    OutcomeUnknown,
    RateLimited,
    VendorContractChanged,
    VendorUnavailable,
)
from integrations.kernel.ports import WriteState
from integrations.kernel.records import Note, TicketChange
from integrations.kernel.vendor import Account
from integrations.transport.http import OpenGate
from integrations.transport.told import told
from sandbox.base import Context
from sandbox.intercom.local import Local
from sandbox.intercom.simulator import ACCESS_TOKEN

ONE, TAG, UNTAG = (
    "GET /conversations/<conversation_id>",
    "POST /conversations/<conversation_id>/tags",
    "DELETE /conversations/<conversation_id>/tags/<tag_id>",
)
REPLY, PARTS, PUT = (
    "POST /conversations/<conversation_id>/reply",
    "POST /conversations/<conversation_id>/parts",
    "PUT /conversations/<conversation_id>",
)
SEARCH = "POST /conversations/search"


def change(conversation_id, add=(), remove=(), fields=None, note=None):
    return TicketChange(str(conversation_id), tuple(add), tuple(remove), fields or {}, note)


def warm(client, inbox):
    """As a worker's client is after its first write: our admin and the tags are known."""
    client.own_user_id()
    inbox.state.make_tag("warming_up")
    client.update_ticket(change(inbox.begun(), ["warming_up"]), "k")
    inbox.forget_calls()
    return client


def test_a_conversation_is_one_call_with_its_requester_and_company(inbox, helpdesk):
    ids = [inbox.begun(subject="Bill") for _ in range(5)]
    read = helpdesk().show_tickets([*ids, "999"])
    assert inbox.calls() == {ONE: 6}
    assert [t.id for t in read.tickets] == ids
    assert read.gone == ("999",)
    first = read.tickets[0]
    assert first.complete
    assert (first.values["status"], first.values["priority"], first.values["subject"]) == ("open", "normal", "Bill")
    assert first.values["description"] == "I was charged twice"
    (requester,) = read.people
    assert (requester.id, requester.emails[0].address) == (inbox.person["id"], inbox.person["email"])
    assert requester.external_id == inbox.person["external_id"]
    (company,) = read.organizations
    assert company.id == requester.organization_id == first.values["organization_id"]
    assert company.external_id.startswith("org-")


def test_a_contact_is_read_only_where_the_conversation_does_not_show_it(inbox, helpdesk):
    begun = [inbox.state.start_conversation("501", inbox.person["id"], "Your card expires")["id"] for _ in range(3)]
    read = helpdesk().show_tickets(begun)
    assert inbox.calls() == {ONE: 3, "GET /contacts/<contact_id>": 1}
    (requester,) = read.people
    assert requester.emails[0].address == inbox.person["email"]
    assert requester.as_of.year > 2000, "the contact itself, not what a conversation showed"
    assert {t.values["requester_id"] for t in read.tickets} == {requester.id}
    inbox.state.delete_contact(inbox.person["id"])
    assert helpdesk().show_tickets(begun[:1]).people == ()


def test_no_ids_are_no_call_and_too_many_are_refused(inbox, helpdesk):
    client = helpdesk()
    assert client.show_tickets([]).tickets == ()
    assert client.update_tickets([change(1)], "k").results == ()
    for call in (client.show_tickets, lambda ids: client.update_tickets([change(i, ["a"]) for i in ids], "k")):
        with pytest.raises(ValueError, match="this takes 100"):
            call([str(i) for i in range(101)])
    assert inbox.calls() == {}


def test_a_tag_added_or_removed_is_one_call_when_the_caches_are_warm(inbox, helpdesk):
    client = warm(helpdesk(), inbox)
    i = inbox.begun()
    client.update_ticket(change(i, ["db_a", "db_b"]), "k")
    assert inbox.calls() == {"POST /tags": 2, TAG: 2}, "two new tags, made once"
    inbox.forget_calls()
    others = [inbox.begun() for _ in range(4)]
    receipt = client.update_tickets(
        [change(o, ["db_a"]) for o in others] + [change(i, ["db_c"], ["db_a", "db_b"])], "k"
    )
    assert {r.state for r in receipt.results} == {WriteState.DONE}
    assert inbox.calls() == {TAG: 5, UNTAG: 2, "POST /tags": 1}
    assert inbox.tags_of(i) == ["db_c"]
    assert [inbox.tags_of(o) for o in others] == [["db_a"]] * 4


def test_the_caches_are_filled_by_one_call_each(inbox, helpdesk):
    inbox.state.make_tag("db_a")
    client = helpdesk()
    client.update_tickets([change(inbox.begun(), ["db_a"])], "k")
    assert inbox.calls() == {"GET /me": 1, "GET /tags": 1, TAG: 1}
    assert helpdesk(own_user_id="500").update_ticket(change(inbox.begun(), ["db_a"]), "k").state is WriteState.DONE
    assert inbox.calls()["GET /me"] == 1


def test_foreign_tags_survive_and_capitals_are_found(inbox, helpdesk):
    client = warm(helpdesk(), inbox)
    i = inbox.begun()
    inbox.state.tag(i, "501", "VIP", "Beta")
    assert client.update_ticket(change(i, ["db_a"], ["vip"]), "k").state is WriteState.DONE
    assert inbox.tags_of(i) == ["Beta", "db_a"]


def test_a_tag_that_somebody_deleted_is_made_anew(inbox, helpdesk):
    client = warm(helpdesk(), inbox)
    i = inbox.begun()
    client.update_ticket(change(i, ["db_a"]), "k")
    inbox.state.delete_tag("db_a")
    assert client.update_ticket(change(i, ["db_a"]), "k").state is WriteState.DONE
    assert inbox.tags_of(i) == ["db_a"]


def test_a_tag_made_anew_under_another_id_is_taken_off_all_the_same(inbox, helpdesk):
    client, i = warm(helpdesk(), inbox), inbox.begun()
    client.update_ticket(change(i, ["db_a"]), "k")
    inbox.state.delete_tag("db_a")
    inbox.state.tag(i, "501", "db_a", "other")
    inbox.forget_calls()
    assert client.update_ticket(change(i, remove=["db_a"]), "k").state is WriteState.DONE
    assert inbox.tags_of(i) == ["other"]
    assert inbox.calls() == {UNTAG: 2, ONE: 1}


def test_removing_what_is_not_there_is_done(inbox, helpdesk):
    client = warm(helpdesk(), inbox)
    i = inbox.begun()
    assert client.update_ticket(change(i, remove=["nobody_made_it"]), "k").state is WriteState.DONE
    assert inbox.calls() == {"GET /tags": 1}, "looked for once more, then nothing to take off"
    inbox.state.make_tag("not_on_it")
    assert client.update_ticket(change(i, remove=["not_on_it"]), "k").state is WriteState.DONE


def test_fields_are_written_by_their_own_calls_and_the_note_last(inbox, helpdesk):
    client = warm(helpdesk(), inbox)
    i = inbox.begun()
    fields = {
        "subject": "Refund",
        "custom_fields": {"plan": "gold", "seats": 3},
        "assignee_id": "502",
        "group_id": "800",
        "status": "hold",
    }
    assert (
        client.update_ticket(
            change(i, ["warming_up"], fields=fields, note=Note("n1", "Pays <gold> & more\nline 2")), "k"
        ).state
        is WriteState.DONE
    )
    assert inbox.calls() == {TAG: 1, PUT: 1, PARTS: 3, REPLY: 1}
    shown = inbox.state.show(i)
    assert (shown["title"], shown["custom_attributes"]) == ("Refund", {"plan": "gold", "seats": 3})
    assert (shown["admin_assignee_id"], shown["team_assignee_id"], shown["state"]) == (502, 800, "snoozed")
    assert 23 * 3600 < shown["snoozed_until"] - time.time() <= 24 * 3600
    last = inbox.parts_of(i)[-1]
    assert (last["part_type"], last["author"]["id"]) == ("note", "999")
    assert "Pays &lt;gold&gt; &amp; more<br>line 2" in last["body"]


@pytest.mark.parametrize(("status", "state"), [("solved", "closed"), ("open", "open"), ("hold", "snoozed")])
def test_states_are_written_and_read_back_alike(inbox, helpdesk, status, state):
    client, i = helpdesk(), inbox.begun()
    inbox.state.close(i, "501")
    client.update_ticket(change(i, fields={"status": status}), "k")
    assert inbox.state.show(i)["state"] == state
    assert client.show_tickets([i]).tickets[0].values["status"] == status


def test_nobody_is_assigned_by_nothing(inbox, helpdesk):
    i, client = inbox.begun(), helpdesk()
    client.update_ticket(change(i, fields={"assignee_id": "502", "group_id": "800"}), "k")
    client.update_ticket(change(i, fields={"assignee_id": None}), "k")
    values = client.show_tickets([i]).tickets[0].values
    assert (values["assignee_id"], values["group_id"]) == (None, "800")


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"priority": "high"}, "cannot write the priority"), ({"type": "task"}, "cannot write the type"),
        ({"status": "pending"}, "cannot be pending"), ({"status": "closed"}, "cannot be closed"),
    ],
)  # fmt: skip
def test_what_intercom_has_no_call_for_is_refused_before_anything_is_sent(inbox, helpdesk, fields, sentence):
    i = inbox.begun()
    result = helpdesk().update_ticket(change(i, ["db_a"], fields=fields, note=Note("n", "x")), "k")
    assert result.state is WriteState.REFUSED
    assert sentence in result.detail
    assert inbox.calls() in ({}, {"GET /me": 1})


def test_duplicate_attributes_and_unknown_ones_are_refused_with_what_to_do(inbox, helpdesk):
    inbox.state.duplicates.add("plan")
    for fields in ({"plan": "gold"}, {"colour": "red"}, {"seats": "many"}):
        result = helpdesk().update_ticket(change(inbox.begun(), fields={"custom_fields": fields}), "k")
        assert result.state is WriteState.REFUSED
        assert "rename or archive one" in result.detail
        assert next(iter(fields)) in result.detail


def test_a_conversation_that_is_gone_is_a_result_not_an_error(inbox, helpdesk):
    client, i = helpdesk(), inbox.begun()
    inbox.state.delete(i)
    inbox.state.make_tag("db_a")
    for wanted in (
        change(i, ["db_a"]),
        change(i, remove=["db_a"]),
        change(i, fields={"status": "open"}),
        change(i, note=Note("n", "x")),
    ):
        assert client.update_ticket(wanted, "k").state is WriteState.GONE


def test_what_becomes_of_each_conversation_of_a_batch_is_told_apart(inbox, helpdesk):
    client = warm(helpdesk(), inbox)
    fine, odd = inbox.begun(), inbox.begun()
    changes = [change(fine, ["db_a"]), change("777", ["db_a"]), change(odd, fields={"priority": "high"})]
    states = {r.ticket_id: r.state for r in client.update_tickets(changes, "k").results}
    assert states == {fine: WriteState.DONE, "777": WriteState.GONE, odd: WriteState.REFUSED}


def test_what_was_done_before_a_fault_has_its_result_and_the_rest_has_none(inbox, helpdesk):
    client = warm(helpdesk(), inbox)
    good, lost = inbox.begun(), inbox.begun()
    inbox.fault("cut_after", f"{lost}/tags")
    receipt = client.update_tickets([change(good, ["warming_up"]), change(lost, ["warming_up"])], "k")
    assert [(r.ticket_id, r.state) for r in receipt.results] == [(good, WriteState.DONE)]
    inbox.fault("cut_after", f"{lost}/reply")
    with pytest.raises(OutcomeUnknown):
        client.update_tickets([change(lost, note=Note("n", "x"))], "k")


def test_an_unknown_outcome_speaks_for_a_batch_of_failures(inbox, helpdesk):
    """Or a note that may have been written would be written again without a look."""
    client = warm(helpdesk(), inbox)
    first, second = inbox.begun(), inbox.begun()
    inbox.local.simulator.faults.set([
        {"kind": "status", "path": f"{first}/reply", "status": 429}, {"kind": "cut_after", "path": f"{second}/reply"},
    ])  # fmt: skip
    with pytest.raises(OutcomeUnknown):
        client.update_tickets([change(i, note=Note("n", "x")) for i in (first, second)], "k")


def test_a_note_is_found_again_by_its_key_only(inbox, helpdesk):
    i, client = inbox.begun(), helpdesk()
    assert not client.has_note(i, "abc1")
    client.update_ticket(change(i, note=Note("abc12", "Hello")), "k")
    inbox.forget_calls()
    assert client.has_note(i, "abc12")
    assert inbox.calls() == {ONE: 1}
    assert not client.has_note(i, "abc1"), "the beginning of a key is another key"
    inbox.state.admin_reply(i, "501", "deskbridge-ref:zzz")
    inbox.state.reply(i, "deskbridge-ref:zzz")
    assert not client.has_note(i, "zzz"), "what a customer can see or write is no note of ours"
    assert not client.has_note("999", "abc12")


def test_jobs_are_none(helpdesk):
    (state,) = helpdesk().jobs(["j1"]).values()
    assert (state.finished, state.results) == (True, ())
    assert helpdesk().jobs([]) == {}


def test_who_we_are_is_asked_once_and_nobody_is_an_error(inbox, helpdesk):
    client = helpdesk()
    assert [client.own_user_id() for _ in range(3)] == ["999"] * 3
    assert inbox.calls() == {"GET /me": 1}
    inbox.fault("status", "/me", status=200, body='{"type":"admin","id":null}')
    with pytest.raises(NeedsReauthorisation):
        helpdesk().own_user_id()


def test_the_staff_is_listed_with_its_teams(helpdesk):
    page = helpdesk().agents()
    known = {agent.id: agent for agent in page.agents}
    assert page.cursor == ""
    assert known["999"].email == "deskbridge@acme.example"
    assert set(known["500"].groups) == {"800", "801", "802"}
    assert known["501"].groups == ("801",)
    assert {agent.restriction for agent in page.agents} == {None}


def test_the_check_says_in_a_sentence_what_is_wrong(inbox, helpdesk):
    assert helpdesk().check() == []
    (wrong,) = helpdesk(token="nonsense").check()
    assert "copy it anew from the Developer Hub" in wrong
    inbox.fault("status", "/tags", status=403, body='{"type":"error.list","errors":[{"code":"api_plan_restricted"}]}')
    (missing,) = helpdesk().check()
    assert "a permission of the app is missing" in missing
    inbox.state.identity_verified = False
    assert helpdesk().check() == [IDENTITY]


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ({"kind": "status", "status": 429}, RateLimited), ({"kind": "status", "status": 503}, VendorUnavailable),
        ({"kind": "status", "status": 500}, OutcomeUnknown), ({"kind": "status", "status": 403}, NeedsReauthorisation),
        ({"kind": "status", "status": 401}, NeedsReauthorisation), ({"kind": "cut_before"}, OutcomeUnknown),
        ({"kind": "cut_after"}, OutcomeUnknown), ({"kind": "status", "status": 200, "body": "[]"}, VendorContractChanged),
        ({"kind": "status", "status": 200, "body": "<html>"}, VendorContractChanged),
        ({"kind": "status", "status": 302}, VendorContractChanged),
    ],
)  # fmt: skip
def test_faults_of_a_write_become_our_errors(inbox, helpdesk, fault, error):
    client, i = warm(helpdesk(), inbox), inbox.begun()
    inbox.fault(path=f"{i}/reply", **fault)
    with pytest.raises(error):
        client.update_ticket(change(i, note=Note("n", "x")), "k")
    assert sum(inbox.calls().values()) <= 1, "nothing repeats by itself"


@pytest.mark.parametrize("fault", [{"kind": "status", "status": 500}, {"kind": "cut_before"}, {"kind": "cut_after"}])
def test_a_read_that_fails_did_nothing(inbox, helpdesk, fault):
    i = inbox.begun()
    inbox.fault(path=i, **fault)
    with pytest.raises(VendorUnavailable):
        helpdesk().show_tickets([i])


@pytest.mark.parametrize(
    "body",
    [
        '{"id":"1"}',
        '{"id":"1","updated_at":"soon"}',
        '{"id":"1","updated_at":5,"tags":{"tags":[{"applied_at":[]}]},"created_at":"x"}',
    ],
)
def test_a_conversation_in_an_unknown_shape_is_told_as_such(inbox, helpdesk, body):
    inbox.fault("status", "/conversations/1", status=200, body=body)
    with pytest.raises(VendorContractChanged):
        helpdesk().show_tickets(["1"])


def test_regions_and_settings_that_cannot_be_are_refused():
    for config in ({"region": "mars"}, {"snooze_hours": "soon"}, {"snooze_hours": "0"}):
        with pytest.raises(ConfigError, match=next(iter(config))):
            connect(Account("con_1", "intercom", "", config), OpenGate())


def test_each_region_has_its_host():
    for region, host in (("us", "api.intercom.io"), ("eu", "api.eu.intercom.io"), ("au", "api.au.intercom.io")):
        client = connect(Account("con_1", "intercom", "", {"region": region}), OpenGate())
        assert f"https://{host}/" in client._session.adapters


def test_the_vendors_count_of_its_window_is_read():
    (news,) = told({"X-RateLimit-Limit": "1666", "X-RateLimit-Remaining": "12", "X-RateLimit-Reset": "1795600010"})
    assert (news.account, news.total, news.remaining, news.resets_s) == (True, 1666, 12, None)


def rounds(client, cursor, since):
    """A whole round of catching up: tickets, the cursor after it, pages read."""
    found, pages = [], 0
    while True:
        page = client.changed(cursor, since)
        found += page.tickets
        pages, cursor = pages + 1, page.cursor
        if page.at_end:
            return found, cursor, pages


def visible(inbox):
    """Wait until the search has seen everything, as minutes at Intercom would."""
    until = time.monotonic() + 10
    while inbox.state.index._coming:
        assert time.monotonic() < until
        inbox.state.index.search(
            "conversations", {"query": {"field": "id", "operator": "=", "value": "0"}}, "conversations"
        )
        time.sleep(0.02)


def test_what_changed_is_found_over_pages_and_the_next_round_goes_on_from_there(inbox, helpdesk):
    client, since = helpdesk(), datetime.fromtimestamp(int(time.time()) - 60, UTC)
    ids = [inbox.begun() for _ in range(320)]
    visible(inbox)
    found, cursor, pages = rounds(client, "", since)
    assert (pages, sorted(t.id for t in found)) == (3, sorted(ids))
    assert all(t.complete for t in found)
    again, _, _ = rounds(client, cursor, since)
    assert len(again) == 320, "read once more: the index may have been behind"


def test_a_read_shows_what_the_search_does_not_show_yet():
    local = Local(Context(limits=False, time_factor=1))
    client = connect(Account("con_1", "intercom", local.url, {}, {"access_token": (ACCESS_TOKEN,)}), OpenGate())
    made = local.state.create_conversation(next(iter(local.state.contacts)), "Hello")["id"]
    assert client.changed("", datetime.fromtimestamp(time.time() - 60, UTC)).tickets == ()
    assert [ticket.id for ticket in client.show_tickets([made]).tickets] == [made]
    local.stop()


def test_what_changed_before_the_cursor_is_left_out_though_the_search_shows_the_day(inbox, helpdesk):
    client, i = helpdesk(), inbox.begun()
    visible(inbox)
    later = datetime.fromtimestamp(int(time.time()) + 5, UTC)
    page = client.changed("", later)
    assert (page.tickets, page.at_end) == ((), True)
    assert [t.id for t in client.changed("", datetime.fromtimestamp(time.time() - 60, UTC)).tickets] == [i]
    assert inbox.calls() == {SEARCH: 2}


def test_a_cursor_of_something_else_is_refused(helpdesk):
    for cursor in ("abc", '{"x":1}', "[1]"):
        with pytest.raises(VendorContractChanged):
            helpdesk().changed(cursor, datetime.now(UTC))


def test_what_the_index_shows_late_is_found_by_the_next_round(inbox, helpdesk):
    """It changed before the newest change the last round saw, and was not in the search then."""
    client, now = helpdesk(), int(time.time())
    since = datetime.fromtimestamp(now - 7200, UTC)

    def index(moment):
        made = inbox.begun()
        inbox.state.conversations[made]["updated_at"] = moment
        inbox.state.index.put("conversations", inbox.state.conversations[made])
        visible(inbox)
        return made

    seen = index(now)
    found, cursor, _ = rounds(client, "", since)
    late, long_known = index(now - 600), index(now - 3600)
    assert [t.id for t in found] == [seen]
    again, _, _ = rounds(client, cursor, since)
    assert sorted(t.id for t in again) == sorted([seen, late])
    assert long_known not in {t.id for t in again}
