"""Lists over real HTTP: what changed, who works there, people with all their addresses."""

from datetime import timedelta

import pytest

from integrations.kernel.clock import utc_now
from integrations.kernel.records import Email
from integrations.zendesk import lists

LONG_AGO = utc_now() - timedelta(days=30)


def everything(client, cursor="", since=LONG_AGO):
    pages = []
    while True:
        page = client.changed(cursor, since)
        pages.append(page)
        cursor = page.cursor
        if page.at_end:
            return pages, cursor


def test_what_changed_is_listed_whole_with_people_and_the_cursor_goes_on(desk, helpdesk):
    client = helpdesk()
    made = {str(desk.ticket(tags=["vip"])) for _ in range(3)}
    pages, cursor = everything(client)
    told = {t.id: t for page in pages for t in page.tickets}
    assert made <= told.keys()
    one = told[min(made)]
    assert one.complete
    assert one.values["tags"] == ["vip"]
    assert one.values["requester_id"] in {p.id for page in pages for p in page.people}
    again, cursor = everything(client, cursor)
    assert not ({t.id for page in again for t in page.tickets} & made)
    desk.state.change(int(min(made)), 500, {"priority": "urgent"})
    later, _ = everything(client, cursor)
    assert {t.id: t.values["priority"] for page in later for t in page.tickets}[min(made)] == "urgent"


def test_a_deleted_ticket_is_told_as_gone(desk, helpdesk):
    ticket = desk.ticket()
    desk.state.soft_delete(ticket)
    pages, _ = everything(helpdesk())
    assert str(ticket) in {one for page in pages for one in page.gone}
    assert str(ticket) not in {t.id for page in pages for t in page.tickets}


def test_a_start_of_just_now_is_moved_back_far_enough_for_the_vendor(desk, helpdesk):
    assert helpdesk().changed("", utc_now()).at_end


def test_the_staff_is_read_whole_with_groups_and_restriction(desk, helpdesk):
    client, found, cursor = helpdesk(), {}, ""
    while True:
        page = client.agents(cursor)
        found |= {one.id: one for one in page.agents}
        cursor = page.cursor
        if not cursor:
            break
    known = {str(u["id"]): u for u in desk.state.users.values() if u["role"] in ("agent", "admin")}
    assert found.keys() == known.keys()
    assert {one.role for one in found.values()} == {"agent", "admin"}
    assert any(one.groups for one in found.values())
    assert {one.restriction for one in found.values()} <= {"all", "organization", "groups", "assigned", "none"}


def test_people_are_read_with_every_address_and_whether_it_is_verified(desk, helpdesk):
    person = next(i for i, found in sorted(desk.state.identities.items()) if len(found) > 1)
    read = helpdesk().show_people([str(person), "999999"])
    (one,) = read.people
    assert one.all_emails
    assert set(one.emails) == {
        Email(i["value"], verified=i["verified"], primary=i["primary"])
        for i in desk.state.identities[person]
        if i["type"] == "email"
    }
    assert read.gone == ("999999",)


@pytest.mark.parametrize(("custom", "restriction", "restricted", "expected"), [
    (None, None, False, "all"),
    (None, None, True, "all"),
    (77, None, False, "all"),
    (77, None, True, "none"),
    (77, None, None, "none"),
    (77, "groups", True, "groups"),
    (None, "a new word", False, "none"),
])  # fmt: skip
def test_an_agent_of_a_custom_role_reads_all_tickets_only_where_zendesk_says_so(
    custom, restriction, restricted, expected
):
    user = {"id": 1, "updated_at": "2026-11-01T00:00:00Z", "role": "agent", "custom_role_id": custom,
            "ticket_restriction": restriction, "restricted_agent": restricted}  # fmt: skip
    assert lists.agent(user, ()).restriction == expected
