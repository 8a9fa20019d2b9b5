"""What became of one draft, out of what Salesforce said of its record. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from integrations.kernel.crm import Draft, PushResult, PushState, Shape
from integrations.kernel.errors import OutcomeUnknown
from integrations.salesforce import faults
from integrations.salesforce.faults import Cause, Refused

PREFIXES: Final = {Shape.LEAD: "00Q", Shape.DEAL: "006", Shape.TASK: "00T"}
_OTHERS: Final = (Cause.DUPLICATE, Cause.TAKEN)


@dataclass(frozen=True, slots=True)
class Done:
    """A record that was written. object_id: "" where the answer did not tell."""

    object_id: str
    created: bool


Outcome = Done | Refused


def outcome(item: Any) -> Outcome:  # noqa: ANN401 - JSON
    """Of one item of a collection's answer. Raises OutcomeUnknown: the call was made."""
    if not isinstance(item, Mapping) or "success" not in item:
        raise OutcomeUnknown("a collection was answered in an unknown shape")
    if item["success"] is True:
        return Done(str(item.get("id") or ""), item.get("created") is True)
    return faults.refused(item.get("errors"))


def single(answer: Any) -> Done:  # noqa: ANN401 - JSON
    """Of one record's upsert that was taken; 204 without a body in older versions (R): it was changed."""
    if not isinstance(answer, Mapping):
        return Done("", created=False)
    return Done(str(answer.get("id") or ""), answer.get("created") is True)


def cause(told: Outcome) -> Cause | None:
    """What a refusal is about; None for none."""
    return told.fault.cause if isinstance(told, Refused) else None


def is_vague(told: Outcome) -> bool:
    """Does it speak of another record without naming it?"""
    return isinstance(told, Refused) and told.fault.cause in (Cause.DUPLICATE, Cause.SEVERAL) and not told.ids


def link(draft: Draft, told: Outcome, key: str) -> str:
    """The record that says the same already, of the same kind; "" for none. key: our field's name. One that is there
    is not moved to another."""
    if not isinstance(told, Refused) or told.fault.cause not in _OTHERS or draft.object_id or is_ours(told, key):
        return ""
    return next((one for one in told.ids if one.startswith(PREFIXES[draft.shape])), "")


def is_ours(told: Refused, key: str) -> bool:
    """Is the unique value that is taken our key, or not named? Then somebody wrote the same draft at the same moment."""
    return told.fault.cause is Cause.TAKEN and (key.casefold() in told.message.casefold() or not told.ids)


def end(draft: Draft, told: Outcome, key: str) -> PushResult:
    """As the port tells it. key: our field's name."""
    if isinstance(told, Done):
        state = PushState.CREATED if told.created and not draft.object_id else PushState.UPDATED
        return PushResult(draft.key, state, told.object_id or draft.object_id)
    fault = told.fault
    if fault.cause in _OTHERS:
        return _of_another(draft, told, key)
    named = f" They are {', '.join(told.ids[:10])}." if fault.cause is Cause.SEVERAL and told.ids else ""
    return PushResult(draft.key, fault.state, draft.object_id, told.code, told.sentence + named)


def _of_another(draft: Draft, told: Refused, key: str) -> PushResult:
    """Salesforce knows it already, by a duplicate rule or a unique value."""
    if is_ours(told, key):
        return PushResult(
            draft.key, PushState.AGAIN, draft.object_id, told.code, "Somebody wrote the same key at the same moment."
        )
    if found := link(draft, told, key):
        return PushResult(draft.key, PushState.LINKED, found, told.code, told.sentence)
    if told.ids or draft.object_id:
        named = (
            f" It found {', '.join(told.ids[:5])}, which cannot stand for it: see to it by hand." if told.ids else ""
        )
        return PushResult(draft.key, PushState.REFUSED, draft.object_id, told.code, told.sentence + named)
    text = f"{told.sentence} It did not say which; the record is asked for by itself."
    return PushResult(draft.key, PushState.AGAIN, "", told.code, text)
