"""What an answer of the CRM means for a lead. Pure tables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from app.leads.states import State
from app.leads.verdict import ALREADY, mark
from integrations.kernel.crm import PushResult, PushState, Standing
from integrations.kernel.errors import AppError, ConfigError, NeedsReauthorisation, RateLimited, Retry

TRIES: Final = 12
OPERATOR_S: Final = 300.0
LONGEST_S: Final = 900.0  # of a wait for calls: an admin may allow more of them meanwhile, and to look costs none


@dataclass(frozen=True, slots=True)
class End:
    """Where a lead goes. due_in_s: None, nothing more to do.

    free: it was no try of this lead's, and is not counted.
    theirs: the record was there before, made by somebody else. was: what it said then, where that was seen.
    """

    state: State
    why: str = ""
    object_id: str = ""
    due_in_s: float | None = None
    free: bool = False
    alert: bool = False
    theirs: bool = False
    was: Standing | None = None


def back(object_id: str) -> State:
    """Where a lead waits when nothing happened at the CRM."""
    return State.PUSHED if object_id else State.DUE


def of_result(result: PushResult, object_id: str, tries: int, wait_s: float) -> End:
    """Args: object_id: what we had. tries: with this one. wait_s: our back-off."""
    known = result.object_id or object_id
    said = " ".join(part for part in (result.detail, f"({result.code})" if result.code else "") if part)
    if result.state in (PushState.CREATED, PushState.UPDATED):
        return End(State.PUSHED, "The CRM made it." if not object_id else "The CRM changed it.", known)
    if result.state is PushState.LINKED:
        why = f"The CRM had this already: {known} stands for it, and what others wrote there stays. {said}".strip()
        if "before" in mark(result.was):
            why = f"{why} {ALREADY}"
        return End(State.PUSHED, why, known, 0.0, theirs=True, was=result.was)
    if result.state is PushState.CONVERTED:
        return End(back(known), "It was converted; what it became is followed.", known, 0.0)
    if result.state is PushState.AGAIN and tries < TRIES:
        return End(back(object_id), f"The CRM could not take it just now: {said}", object_id, wait_s)
    if result.state is PushState.AGAIN:
        return End(State.DEAD, f"Tried {tries} times: {said}", object_id, alert=True)
    return End(State.DEAD, said or "The CRM refused it and did not say why.", object_id, alert=True)


def of_error(error: AppError, object_id: str, tries: int, wait_s: float) -> End:
    """A call that failed as a whole."""
    if isinstance(error, RateLimited):
        why = "No more calls of the CRM for the moment: its limit, or our share of it, is used up."
        return End(back(object_id), why, object_id, min(max(error.retry_after_s, 0.1), LONGEST_S), free=True)
    if isinstance(error, (NeedsReauthorisation, ConfigError)):
        return End(
            back(object_id), "The CRM refuses our access: an admin must look.", object_id, OPERATOR_S, alert=True
        )
    if error.retry is Retry.LATER:
        return End(back(object_id), "The CRM is not reachable.", object_id, wait_s)
    if error.retry is Retry.SAME_KEY:
        return End(State.UNKNOWN, "The CRM was asked and gave no answer: we look before we repeat.", object_id, wait_s)
    if tries < TRIES:
        return End(
            State.UNKNOWN, f"The CRM's answer could not be used ({error.code}): we look first.", object_id, wait_s
        )
    return End(State.DEAD, f"Tried {tries} times: {error.code}", object_id, alert=True)
