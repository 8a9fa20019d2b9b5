"""What each refusal of Salesforce's means for one record, with the sentence an admin needs; and for a whole call. Tables.

Source: vendor sheet 4.3, read 2026-11: the codes are (R). A code that is not here is a refusal that says so itself.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from integrations.kernel.crm import PushState
from integrations.kernel.errors import NeedsReauthorisation, RateLimited, VendorError, VendorRejected, VendorUnavailable

# The day is a rolling one, so calls come free again one by one: whoever takes the first leaves none for the org's others.
# An hour without ours, then one that looks (docs/decisions/0001-the-house.md).
DAY_LIMIT_S: Final = 3600.0
REQUEST_LIMIT: Final = "REQUEST_LIMIT_EXCEEDED"
# The same code says that too many calls of the org run at once, which is over in seconds; only its words differ (R).
AT_ONCE: Final = "Concurrent"
AT_ONCE_S: Final = 60.0


class Cause(Enum):
    """What a refusal of one record is about, where that is more than its end."""

    END = "end"
    SEVERAL = "several"  # more than one record has our key
    DUPLICATE = "duplicate"  # a duplicate rule: link
    TAKEN = "taken"  # a unique value is another record's
    THEIRS = "theirs"  # a trigger or flow of the org's: one more try, then the end


@dataclass(frozen=True, slots=True)
class Fault:
    """said: is Salesforce's own message worth showing, and free of what people typed? stale: what we believe of the org's
    fields may be old."""

    state: PushState
    text: str
    cause: Cause = Cause.END
    said: bool = False
    stale: bool = False


AGAIN, REFUSED, LINKED = PushState.AGAIN, PushState.REFUSED, PushState.LINKED
FAULTS: Final[Mapping[str, Fault]] = {
    "UNABLE_TO_LOCK_ROW": Fault(AGAIN, "Somebody else was changing the same account's records."),
    "SERVER_UNAVAILABLE": Fault(AGAIN, "Salesforce was busy."),
    "PROCESSING_HALTED": Fault(AGAIN, "Salesforce stopped at another record of the same call."),
    "UNPROCESSED": Fault(AGAIN, "Salesforce's job ended before it came to this record.", said=True),
    "INACTIVE_OWNER_OR_USER": Fault(AGAIN, "The owner is no longer active in Salesforce; another is chosen when the mirror "
                                    "knows it. Name a fallback owner."),
    "STORAGE_LIMIT_EXCEEDED": Fault(AGAIN, "The org's storage is full: make room in Salesforce."),
    "DUPLICATES_DETECTED": Fault(LINKED, "A duplicate rule of the org knows this one already.", Cause.DUPLICATE),
    "DUPLICATE_VALUE": Fault(LINKED, "Another record has the same unique value already.", Cause.TAKEN),
    "DUPLICATE_EXTERNAL_ID": Fault(REFUSED, "More than one record has our key, so none was changed: keep one of them, clear "
                                   "the key of the others, and make the field unique.", Cause.SEVERAL),
    "CANNOT_UPDATE_CONVERTED_LEAD": Fault(PushState.CONVERTED, "The Lead was converted."),
    "REQUIRED_FIELD_MISSING": Fault(REFUSED, "The org requires a field that is not filled: give it a default in Salesforce, "
                                    "or map it in the connection's `fields`.", said=True),
    "FIELD_CUSTOM_VALIDATION_EXCEPTION": Fault(REFUSED, "A validation rule of the org refused it: let the rule pass records "
                                               "of the integration user, or change it.", said=True),
    "STRING_TOO_LONG": Fault(REFUSED, "A text is longer than the org's field.", stale=True),
    "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST": Fault(REFUSED, "The org's picklist does not have this value any more: retry "
                                                     "it, the picklists are read anew.", stale=True),
    "INVALID_FIELD": Fault(REFUSED, "The org has no such field, or hides it from the integration user.", said=True,
                           stale=True),
    "INVALID_FIELD_FOR_INSERT_UPDATE": Fault(REFUSED, "The integration user may not write a field: give it edit access.",
                                             said=True, stale=True),
    "INVALID_TYPE_ON_FIELD_IN_RECORD": Fault(REFUSED, "A field is of another type than what it was given.", stale=True),
    "INVALID_EMAIL_ADDRESS": Fault(REFUSED, "Salesforce does not take the e-mail address for one."),
    "INSUFFICIENT_ACCESS_OR_READONLY": Fault(REFUSED, "The integration user may not change this record, or what it is of: "
                                             "share it, or give the user edit access."),
    "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY": Fault(REFUSED, "The integration user may not use the account or owner "
                                                           "of this record: share the account with it."),
    "INVALID_CROSS_REFERENCE_KEY": Fault(REFUSED, "The account, contact or owner is no longer there, or of another kind."),
    "ENTITY_IS_DELETED": Fault(REFUSED, "The record, or the account it belongs to, was deleted in Salesforce."),
    "NOT_FOUND": Fault(REFUSED, "The record is no longer there, or hidden from the integration user."),
    "MALFORMED_ID": Fault(REFUSED, "An id is none of Salesforce's."),
    "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY": Fault(REFUSED, "A trigger or flow of the org failed, twice: have its owner look "
                                                  "at it.", Cause.THEIRS, said=True),
}  # fmt: skip
UNKNOWN: Final = Fault(REFUSED, "Salesforce refused it.", said=True)

# Codes of a whole call that a person must see to.
OPERATOR: Final[Mapping[str, str]] = {
    "API_DISABLED_FOR_ORG": "The org's edition or the user's profile has no API: switch on 'API Enabled'.",
    "API_CURRENTLY_DISABLED": "The org's API is switched off at the moment.",
    "INSUFFICIENT_ACCESS_OR_READONLY": "The integration user lacks a permission for this call.",
    "INSUFFICIENT_ACCESS": "The integration user lacks a permission for this call.",
    "INVALID_TYPE": "The integration user does not see an object that is needed: give it read access.",
    "FORBIDDEN": "Salesforce forbids this call to the integration user.",
}
_PASSING: Final = frozenset({"UNABLE_TO_LOCK_ROW", "SERVER_UNAVAILABLE"})
_ADDRESS = re.compile(r"[^\s@<>:;,'\"]+@[^\s@<>:;,'\"]+")
_ID = re.compile(r"\b[a-zA-Z0-9]{15}(?:[a-zA-Z0-9]{3})?\b")


@dataclass(frozen=True, slots=True)
class Refused:
    """The first error of one record, as Salesforce tells it. ids: of the records it names."""

    code: str
    message: str = ""
    fields: tuple[str, ...] = ()
    ids: tuple[str, ...] = ()

    @property
    def fault(self) -> Fault:
        return FAULTS.get(self.code, UNKNOWN)

    @property
    def sentence(self) -> str:
        """For people: no value somebody typed, no address."""
        fault = self.fault
        parts = [fault.text]
        if fault.said and self.message:
            parts.append(f"Salesforce says: {_ADDRESS.sub('[address]', self.message)[:200]}")
        if self.fields:
            parts.append(f"Fields: {', '.join(self.fields)[:200]}.")
        return " ".join(parts)


def refused(errors: Any) -> Refused:  # noqa: ANN401 - JSON
    """Of the list of errors that stands for one record; a message names ids where a unique value is taken."""
    first = errors[0] if isinstance(errors, list) and errors and isinstance(errors[0], Mapping) else {}
    code = str(first.get("statusCode") or first.get("errorCode") or "UNKNOWN")[:80]
    message, names = str(first.get("message") or ""), first.get("fields")
    found = matches(first.get("duplicateResult"))
    if not found and FAULTS.get(code, UNKNOWN).cause in (Cause.TAKEN, Cause.SEVERAL):
        found = tuple(dict.fromkeys(one for one in _ID.findall(message) if any(c.isdigit() for c in one)))
    return Refused(code, message, tuple(str(n) for n in names) if isinstance(names, list) else (), found)


def matches(told: Any) -> tuple[str, ...]:  # noqa: ANN401 - JSON
    """Ids of the records a duplicate rule found, best first. Source: vendor sheet 4.3 (R)."""
    results = told.get("matchResults") if isinstance(told, Mapping) else None
    found = [
        str(record["record"]["Id"])
        for result in results or ()
        for record in result.get("matchRecords") or ()
        if isinstance(record.get("record"), Mapping) and record["record"].get("Id")
    ]
    return tuple(dict.fromkeys(found))


def of_urls(content: Any) -> Refused:  # noqa: ANN401 - JSON
    """A 300: the addresses of the records that all have the key."""
    urls = content if isinstance(content, Sequence) and not isinstance(content, str) else ()
    return Refused("DUPLICATE_EXTERNAL_ID", ids=tuple(str(url).rsplit("/", 1)[-1] for url in urls))


def is_day_limit(content: Any) -> bool:  # noqa: ANN401 - JSON or text
    """Does it say that the org takes no more calls today?"""
    told = refused(content)
    return told.code == REQUEST_LIMIT and not told.message.startswith(AT_ONCE)


def of_call(endpoint: str, status: int, content: Any) -> VendorError:  # noqa: ANN401 - JSON or text
    """What a refusal of a whole call means; the transport has dealt with 401, 429 and 5xx."""
    told = refused(content)
    if is_day_limit(content):
        text = "the org's API calls of the last 24 hours are used up: Setup > Company Information shows them"
        return RateLimited(text, retry_after_s=DAY_LIMIT_S, endpoint=endpoint)
    if told.code == REQUEST_LIMIT:
        text = "too many calls of the org run at once: other integrations are slow"
        return RateLimited(text, retry_after_s=AT_ONCE_S, endpoint=endpoint)
    if told.code in _PASSING:
        return VendorUnavailable(f"{endpoint} answered {told.code}", endpoint=endpoint)
    if status == 403 or (told.code in OPERATOR and status in (400, 404)):
        text = OPERATOR.get(told.code, "Salesforce refuses this call to the integration user.")
        return NeedsReauthorisation(f"{text} ({endpoint}: {status} {told.code})", endpoint=endpoint)
    return VendorRejected(f"{endpoint} answered {status} {told.code}", http_status=status, vendor_code=told.code)


class Answered(Exception):
    """Salesforce said no to a call: its status and what it said, for who knows what the call was about."""

    def __init__(self, status: int, content: Any) -> None:  # noqa: ANN401 - JSON or text
        super().__init__(str(status))
        self.status, self.content = status, content
