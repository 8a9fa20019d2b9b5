"""Intercom's values in our words: HTML or plain text, times in seconds or ISO, two shapes of a conversation. Pure.

Today's shape (2.x) has `contacts`, `source` and `admin_assignee_id`; the one of old webhooks has `user`,
`conversation_message` and `assignee`. Source: Intercom's OpenAPI document 2.15, conversation, read 2026-11.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from html.parser import HTMLParser
from typing import Any

from integrations.kernel.clock import from_unix, iso, parse_iso
from integrations.kernel.records import TicketValues

Item = Mapping[str, Any]

# A closed conversation opens again with the next reply: it is what Zendesk calls solved, never its "closed".
STATUSES = {"open": "open", "closed": "solved", "snoozed": "hold"}
PRIORITIES = {"priority": "high", "not_priority": "normal"}
# What a conversation of today's shape always has, so that its values are all that there is to know.
_WHOLE = ("state", "priority", "source", "contacts", "tags", "custom_attributes", "admin_assignee_id")


def values_of(item: Item) -> TicketValues:
    """Ticket values of a conversation; what it does not tell is left out.

    Raises:
        ValueError, TypeError, KeyError, AttributeError: a time or a list in no shape of theirs.
    """
    values: dict[str, Any] = {"is_public": True}
    source = item.get("source") or item.get("conversation_message")
    if isinstance(source, Mapping):
        values["subject"] = plain(item.get("title")) or plain(source.get("subject"))
        values["description"] = plain(source.get("body"))
        values["submitter_id"] = id_of(source.get("author"))
        values["channel"] = source.get("type") if "source" in item else None
    if "contacts" in item or "user" in item:
        values["requester_id"] = requester(item)
    if item.get("state") in STATUSES:
        values["status"] = STATUSES[item["state"]]
    if item.get("priority") in PRIORITIES:
        values["priority"] = PRIORITIES[item["priority"]]
    if "tags" in item:
        values["tags"] = tags(item)
    values |= _assigned(item)
    if isinstance(item.get("custom_attributes"), Mapping):
        values["custom_fields"] = {str(name): v for name, v in item["custom_attributes"].items() if _is_plain(v)}
    for name in ("created_at", "updated_at"):
        if item.get(name):
            values[name] = iso(moment(item[name]))
    if is_whole(item):
        values |= dict.fromkeys(("type", "brand_id", "form_id", "external_id"))
        values["organization_id"] = id_of(item.get("company"))
    return values  # type: ignore[return-value]


def _assigned(item: Item) -> dict[str, Any]:
    if "admin_assignee_id" in item:
        return {"assignee_id": _number(item["admin_assignee_id"]), "group_id": _number(item.get("team_assignee_id"))}
    assignee = item.get("assignee")
    if not isinstance(assignee, Mapping) or assignee.get("type") not in ("admin", "team"):
        return {}
    return {"assignee_id" if assignee["type"] == "admin" else "group_id": id_of(assignee)}


def is_whole(item: Item) -> bool:
    """Does this conversation tell everything of itself, as an answer of the API does?"""
    return all(name in item for name in _WHOLE) and bool(item.get("updated_at"))


def as_of(item: Item) -> datetime:
    """The vendor's time of this telling. Tags and redactions come later than `updated_at`, which they do not move.

    Raises:
        ValueError, KeyError, TypeError: without a time that can be read.
    """
    marks = [
        item["updated_at"],
        *(t.get("applied_at") for t in tag_list(item)),
        *(p.get("updated_at") for p in parts(item)),
    ]
    return max(moment(mark) for mark in marks if mark)


def requester(item: Item) -> str | None:
    """The contact the conversation is with: the first of several."""
    contact = first_contact(item)
    return id_of(contact) if contact else id_of(item.get("user"))


def first_contact(item: Item) -> Item | None:
    """The reference to the first contact: id and external id, no address."""
    contacts = item.get("contacts")
    found = contacts.get("contacts") if isinstance(contacts, Mapping) else None
    return found[0] if isinstance(found, list) and found and isinstance(found[0], Mapping) else None


def parts(item: Item) -> list[Item]:
    """The parts that came with it: all or the last 500 in an answer, the newest in a webhook, none in a search."""
    listed = item.get("conversation_parts")
    found = listed.get("conversation_parts") if isinstance(listed, Mapping) else None
    return [part for part in found or () if isinstance(part, Mapping)]


def tag_list(item: Item, name: str = "tags") -> list[Item]:
    """Tags as they came."""
    listed = item.get(name)
    return [
        tag for tag in (listed.get("tags") or () if isinstance(listed, Mapping) else ()) if isinstance(tag, Mapping)
    ]


def tags(item: Item, name: str = "tags") -> list[str]:
    """Names of tags: sorted, lower case, each once."""
    return words(tag.get("name") for tag in tag_list(item, name))


def words(names: Iterable[Any]) -> list[str]:
    """Sorted, lower case, each once; what is no text is left out."""
    return sorted({clean(name).lower() for name in names if isinstance(name, str) and name})


def moment(value: Any) -> datetime:  # noqa: ANN401 - a JSON value
    """Seconds since 1970, or ISO 8601. Raises ValueError."""
    if isinstance(value, int) and not isinstance(value, bool):
        try:
            return from_unix(value)
        except (OverflowError, OSError) as error:
            raise ValueError(f"no moment: {value}") from error
    return parse_iso(str(value))


def id_of(value: Any) -> str | None:  # noqa: ANN401 - a JSON value
    """The id of an object, as text; None where there is none."""
    return _number(value.get("id")) if isinstance(value, Mapping) else None


def _number(value: Any) -> str | None:  # noqa: ANN401 - a JSON value
    """An id as text; nobody is null, 0 or "0"."""
    return None if value in (None, "", 0, "0") else clean(str(value))


def plain(value: Any) -> str | None:  # noqa: ANN401 - a JSON value
    """One line of plain text, or None for none. The API sends HTML where webhooks since 2.15 send plain text: both
    must come out alike, or a read would seem to contradict what an event told.
    """
    if not isinstance(value, str):
        return None
    if value.lstrip().startswith("<"):
        reader = _Reader()
        reader.feed(value)
        reader.close()
        value = "".join(reader.found)
    return " ".join(clean(value).split()) or None


class _Reader(HTMLParser):
    """Text of HTML, a space between what were separate lines."""

    BREAKS = frozenset({"p", "br", "div", "li", "ul", "ol", "h1", "h2", "h3", "h4", "pre", "tr", "td", "blockquote"})

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []

    def handle_data(self, data: str) -> None:
        self.found.append(data)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in self.BREAKS:
            self.found.append(" ")

    def handle_endtag(self, tag: str) -> None:
        self.handle_starttag(tag, [])


def clean(text: str) -> str:
    """Without the one character that no PostgreSQL text can hold."""
    return text.replace("\x00", "")


def _is_plain(value: Any) -> bool:  # noqa: ANN401 - a JSON value
    """Text, number, boolean or nothing: relationships to custom objects are left out."""
    return value is None or isinstance(value, str | int | float)
