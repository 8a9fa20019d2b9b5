"""What the fixtures do not show: mixtures, odd shapes, and what is never claimed."""

from datetime import UTC, datetime

import pytest

from integrations.intercom import people, translate, webhook, words

NOW = datetime(2026, 11, 25, 10, 0, tzinfo=UTC)
PERSON = {"type": "contact", "id": "6a", "external_id": "u-1"}


def conversation(**more):
    source = {
        "type": "email",
        "subject": "",
        "body": "<p>Hi</p>",
        "author": {"type": "user", "id": "6a", "email": "a@b.example"},
    }
    return {
        "type": "conversation", "id": "7", "created_at": 100, "updated_at": 200, "state": "open", "priority": "not_priority",
        "source": source, "contacts": {"contacts": [PERSON]}, "tags": {"tags": []}, "custom_attributes": {},
        "admin_assignee_id": None, "team_assignee_id": None, **more,
    }  # fmt: skip


def events(topic, item):
    document = {"topic": topic, "created_at": 300, "data": {"item": item}}
    return webhook.parse(document, "con_1", "notif_1", NOW)


def own(topic, item):
    return events(topic, item)[-1]


def test_a_conversation_with_everything_the_api_tells_is_whole_and_of_an_admins_the_contact_is_only_named():
    assert own("conversation.user.created", conversation()).record.complete
    begun_by_admin = conversation(
        source={"type": "conversation", "author": {"type": "admin", "id": "1", "email": "x@y.example"}}
    )
    named, itself = events("conversation.user.created", begun_by_admin)
    assert (named.kind, named.subject.id, named.record) == ("requester.seen", PERSON["id"], None)
    assert itself.record.complete
    for missing in ("tags", "contacts", "custom_attributes", "priority", "admin_assignee_id"):
        item = {name: value for name, value in conversation().items() if name != missing}
        assert not own("conversation.user.created", item).record.complete, missing


def test_an_author_who_is_not_the_contact_is_no_requester():
    """In a group conversation somebody else may have written first."""
    other = conversation(contacts={"contacts": [{"type": "contact", "id": "6b", "external_id": None}]})
    assert people.seen_in(other) is None
    named, _ = events("conversation.user.created", other)
    assert (named.subject.id, named.record) == ("6b", None)


def test_an_address_never_counts_as_verified():
    seen = people.seen_in(conversation())
    read = people.contact({"id": "6a", "updated_at": 5, "email": "a@b.example", "role": "user"})
    assert [e.verified for e in (*seen.emails, *read.emails)] == [False, False]


def test_a_person_seen_in_a_conversation_never_overwrites_the_contact_itself():
    contact = people.contact({"id": "6a", "updated_at": 1, "email": "new@b.example"})
    assert people.seen_in(conversation()).as_of < contact.as_of


def test_html_and_plain_text_come_out_alike():
    pairs = [
        ("<p>One &amp; two</p>\n<p>three</p>", "One & two three"), ("<p>a<br>b</p><ul><li>c</li></ul>", "a b c"),
        ("<p class=\"x\">I <b>pay</b> 5 &lt; 6</p>", "I pay 5 < 6"),
    ]  # fmt: skip
    for html, text in pairs:
        assert words.plain(html) == text == words.plain(text)
    assert words.plain("5 < 6 and <b> stays") == "5 < 6 and <b> stays"
    assert words.plain("") is words.plain("<p></p>") is words.plain(None) is None
    assert words.plain("a\x00b") == "ab"


def test_a_tag_is_newer_than_the_conversation_says():
    item = conversation(
        tags={"tags": [{"id": "1", "name": "VIP", "applied_at": 250, "applied_by": {"type": "admin", "id": "9"}}]}
    )
    event = own("conversation_part.tag.created", item)
    assert event.record.as_of == datetime.fromtimestamp(250, UTC)
    assert (event.actor, event.note["tags_added"]) == ("9", ["vip"])


def test_a_note_is_private_whatever_the_topic_says():
    part = {
        "type": "conversation_part",
        "part_type": "note",
        "body": "<p>secret</p>",
        "author": {"type": "admin", "id": "1"},
    }
    item = conversation(conversation_parts={"conversation_parts": [part]})
    for topic in ("conversation.admin.replied", "conversation.user.replied", "conversation.admin.noted"):
        assert own(topic, item).note["comment_public"] is False


@pytest.mark.parametrize("nobody", [None, 0, "0", ""])
def test_nobody_is_written_in_several_ways(nobody):
    values = own(
        "conversation.admin.assigned", conversation(admin_assignee_id=nobody, team_assignee_id=nobody)
    ).record.values
    assert (values["assignee_id"], values["group_id"]) == (None, None)


def test_relationships_to_custom_objects_are_left_out():
    attributes = {
        "plan": "team",
        "seats": 3,
        "paid": True,
        "rate": 1.5,
        "none": None,
        "orders": {"type": "list", "data": []},
    }
    values = own("conversation.user.created", conversation(custom_attributes=attributes)).record.values
    assert values["custom_fields"] == {"plan": "team", "seats": 3, "paid": True, "rate": 1.5, "none": None}


def test_deleted_topics_carry_ids_only_and_need_no_more():
    for topic, (kind, _) in translate.TRANSLATE.items():
        if kind.endswith(".deleted"):
            (event,) = events(topic, {"type": topic.split(".")[0], "id": "7"})
            assert (event.kind, event.record, event.subject.id) == (kind, None, "7")
