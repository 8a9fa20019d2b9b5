"""Contacts, companies and admins in our words. Pure.

No address of a contact counts as verified: the document has no such field, leads type theirs into the Messenger, and a
sender of an e-mail can be forged. What links a contact surely is its `external_id`, which the customer's own product
sets; it can be trusted where the workspace enforces identity verification, which the connection's check looks at.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from integrations.intercom.words import Item, clean, first_contact, id_of, moment
from integrations.kernel.records import AgentRecord, Email, OrganizationRecord, PersonRecord

# A person as a conversation shows them is less than the contact itself, so it never overwrites one that is known.
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


def contact(data: Item) -> PersonRecord:
    """A contact as the API, or a webhook in either shape, tells it.

    Raises:
        KeyError, ValueError, TypeError, AttributeError: not a contact.
    """
    location = data.get("location_data")
    return PersonRecord(
        id=str(data["id"]),
        as_of=moment(data["updated_at"]),
        name=_text(data.get("name")) or "",
        emails=_emails(data.get("email")),
        external_id=_text(data.get("external_id") or data.get("user_id")),
        organization_id=_company_of(data),
        locale=_text(data.get("language_override") or data.get("browser_language")),
        time_zone=_text(location.get("timezone")) if isinstance(location, Mapping) else None,
        fields={**_plain(data.get("custom_attributes")), "contact_role": _text(data.get("role"))},
        all_emails=True,
    )


def seen_in(item: Item) -> PersonRecord | None:
    """The requester as the conversation itself shows them: its author, where the contact began it and has an address.

    None: the contact must be read.
    """
    reference, source = first_contact(item), item.get("source")
    author = source.get("author") if isinstance(source, Mapping) else None
    if reference is None or not isinstance(author, Mapping) or not author.get("email"):
        return None
    if author.get("type") == "admin" or id_of(author) != id_of(reference):
        return None
    return PersonRecord(
        id=str(reference["id"]),
        as_of=LONG_AGO,
        name=_text(author.get("name")) or "",
        emails=_emails(author["email"]),
        external_id=_text(reference.get("external_id")),
        organization_id=id_of(item.get("company")),
    )


def company(data: Item) -> OrganizationRecord:
    """A company. It has no domains: `website` is what somebody typed, no proof of whose addresses are whose.

    Raises:
        KeyError, ValueError, TypeError: not a company.
    """
    return OrganizationRecord(
        id=str(data["id"]),
        as_of=moment(data["updated_at"]),
        name=_text(data.get("name")) or "",
        external_id=_text(data.get("company_id")),
        fields=_plain(data.get("custom_attributes")),
    )


def company_in(item: Item) -> OrganizationRecord | None:
    """The company a conversation carries, where it says as of when."""
    found = item.get("company")
    return company(found) if isinstance(found, Mapping) and found.get("id") and found.get("updated_at") else None


def admin(data: Item, now: datetime) -> AgentRecord:
    """A member of the staff. Intercom tells no role and no restriction; without an inbox seat they only look on.

    Raises:
        KeyError, TypeError: not an admin.
    """
    return AgentRecord(
        id=str(data["id"]),
        as_of=now,
        name=_text(data.get("name")) or "",
        email=_text(data.get("email")),
        role="admin" if data.get("has_inbox_seat") else "admin_without_seat",
        groups=tuple(str(team) for team in data.get("team_ids") or ()),
    )


def _company_of(data: Item) -> str | None:
    listed = data.get("companies")
    found = (listed.get("data") or listed.get("companies") or ()) if isinstance(listed, Mapping) else ()
    return id_of(found[0]) if found else None


def _emails(address: Any) -> tuple[Email, ...]:  # noqa: ANN401 - a JSON value
    text = _text(address)
    return (Email(text, verified=False, primary=True),) if text else ()


def _plain(fields: Any) -> dict[str, Any]:  # noqa: ANN401 - a JSON value
    given = fields if isinstance(fields, Mapping) else {}
    return {str(name): value for name, value in given.items() if value is None or isinstance(value, str | int | float)}


def _text(value: Any) -> str | None:  # noqa: ANN401 - a JSON value
    return clean(value) or None if isinstance(value, str) else None
