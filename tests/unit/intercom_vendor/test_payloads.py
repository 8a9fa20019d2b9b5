"""Every recorded or composed delivery beside this repository becomes the event it must."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from integrations.intercom import webhook
from integrations.transport import jsonscan

FOLDER = Path(__file__).resolve().parents[4] / "shared" / "data" / "contracts" / "payloads" / "intercom"
NOW = datetime(2026, 11, 25, 10, 0, tzinfo=UTC)
# file -> kind, what the subject is, and a value that must have been understood
EXPECTED = {
    "webhooks_2020/company-created": ("organization.created", "organization", lambda e: e.record.name == "Rei"),
    "webhooks_2020/conversation-admin-assigned": ("ticket.assignee_changed", "ticket", lambda e: e.record.values["assignee_id"] == "3330619"),
    "webhooks_2020/conversation-admin-closed": ("ticket.status_changed", "ticket", lambda e: e.record.values["status"] == "solved"),
    "webhooks_2020/conversation-admin-noted": ("ticket.commented", "ticket", lambda e: e.note == {"comment": "this is a note", "comment_public": False, "comment_by_staff": True}),
    "webhooks_2020/conversation-admin-replied": ("ticket.commented", "ticket", lambda e: e.note == {"comment": "hi Bob", "comment_public": True, "comment_by_staff": True}),
    "webhooks_2020/conversation-admin-single-created": ("ticket.created", "ticket", lambda e: e.actor == "3330619" and e.record.values["requester_id"] == "5ee3d479d1cf3dedbee23d68"),
    "webhooks_2020/conversation-part-tag-created": ("ticket.tags_changed", "ticket", lambda e: e.note["tags_added"] == ["sample tag"] == e.record.values["tags"]),
    "webhooks_2020/lead-created": ("person.created", "person", lambda e: e.record.emails and e.record.time_zone == "Europe/Dublin"),
    "webhooks_2020/user-created": ("person.created", "person", lambda e: e.record.external_id == "2345234523452345" and e.record.organization_id == "5f161ef9ce73f3ea2605304e"),
    "webhooks_2020/user-deleted": ("person.deleted", "person", lambda e: e.record is None),
    "webhooks_2020/user-email-updated": ("person.identities_changed", "person", lambda e: e.record.emails[0].primary),
    "webhooks_composed/conversation.admin.closed": ("ticket.status_changed", "ticket", lambda e: e.record.values["status"] == "solved"),
    "webhooks_composed/conversation.user.created": ("ticket.created", "ticket", lambda e: e.actor == "6762f1261bb69f9f2193bba7" and e.record.values["group_id"] == "5017691"),
    "webhooks_composed/conversation.user.replied": ("ticket.commented", "ticket", lambda e: e.note["comment"] == "Okay!" and e.note["comment_by_staff"] is False),
    "webhooks_composed/conversation_part.tag.created": ("ticket.tags_changed", "ticket", lambda e: e.note["tags_added"] == ["test tag"] and e.actor == "1a2b3c"),
}  # fmt: skip


@pytest.fixture
def folder():
    if not FOLDER.exists():
        pytest.skip("LOUD: ../shared is not beside this repository: Intercom's payloads ARE NOT CHECKED")
    return FOLDER


def test_there_is_an_expectation_for_every_delivery(folder):
    found = {f"{p.parent.name}/{p.stem}" for p in folder.glob("webhooks_*/*.json")}
    assert found == set(EXPECTED)


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_a_delivery_becomes_its_event(folder, name):
    kind, subject, is_understood = EXPECTED[name]
    body = (folder / f"{name}.json").read_bytes()
    document = jsonscan.parse(body)
    envelope = webhook.envelope({}, body, document)
    event = webhook.parse(document, "con_1", envelope.event_key, NOW)[-1]
    assert (event.kind, event.subject.type) == (kind, subject)
    assert envelope.event_key == document["id"] == json.loads(body)["id"]
    assert envelope.lane.endswith(f":{event.subject.id}")
    assert is_understood(event)
    assert event.occurred_at == datetime.fromtimestamp(document["created_at"], UTC)
