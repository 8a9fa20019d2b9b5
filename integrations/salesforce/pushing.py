"""Drafts to Salesforce in the fewest calls: by our key, or by id where it is known.

Nothing is repeated here after an answer that was not understood: the key makes a later repeat safe, and the caller looks
first. Source: vendor sheet 4.3, read 2026-11; that a collection of upserts answers no ids is (?), so both are read.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Protocol
from urllib.parse import quote

from integrations.kernel.crm import Draft, PushResult, PushState, Shape, Standing
from integrations.kernel.errors import OutcomeUnknown, VendorError
from integrations.salesforce import faults
from integrations.salesforce.ends import Done, Outcome, cause, end, is_vague, link, outcome, single
from integrations.salesforce.faults import Answered, Cause, Refused
from integrations.salesforce.org import OBJECTS, NeedsSetup, Sheet, Sheets, no_key
from integrations.salesforce.words import Choices, fields

MANY: Final = 200
SINGLES: Final = (
    20  # records of one push that are sent once more by themselves, to hear what a collection does not tell
)
# Assignment rules run on Leads unless a call says no; a duplicate rule that warns stops a new record, which is then linked,
# and lets a change of one that is there through. Source: vendor sheet 4.3, read 2026-11 (the second (2)).
ASSIGN: Final = "Sforce-Auto-Assign"
DUPLICATES: Final = "Sforce-Duplicate-Rule-Header"
WARN_STOPS: Final = "allowSave=false; includeRecordDetails=true; runAsCurrentUser=true"
WARN_PASSES: Final = "allowSave=true; includeRecordDetails=true; runAsCurrentUser=true"


class Ask(Protocol):
    """One call; JSON back. Raises Answered for a refusal, and the transport's errors."""

    def __call__(
        self, method: str, path: str, *, json: object = None, headers: Mapping[str, str] | None = None
    ) -> Any: ...  # noqa: ANN401


@dataclass(frozen=True, slots=True)
class Group:
    """Drafts of one call. by_id: they are known there. assign: the org's rules choose the owner."""

    drafts: tuple[Draft, ...]
    by_id: bool = False
    assign: bool = False

    @property
    def headers(self) -> dict[str, str]:
        return {ASSIGN: "TRUE" if self.assign else "FALSE", DUPLICATES: WARN_PASSES if self.by_id else WARN_STOPS}


def groups(drafts: Sequence[Draft]) -> list[Group]:
    """As few as there can be; a record is named once in a call. The org's assignment rules know Leads, Cases, Accounts."""
    found: dict[tuple[bool, bool, int], list[Draft]] = defaultdict(list)
    times: dict[str, int] = defaultdict(int)
    for draft in drafts:
        assign = draft.shape is Shape.LEAD and not draft.owner_id and not draft.object_id
        found[bool(draft.object_id), assign, times[draft.object_id] if draft.object_id else 0].append(draft)
        times[draft.object_id] += 1
    return [Group(tuple(some), by_id, assign) for (by_id, assign, _), some in found.items()]


def outcomes(answer: Any, number: int) -> list[Outcome]:  # noqa: ANN401 - JSON
    """Of a collection's records, in order. Raises OutcomeUnknown: the call was made."""
    if not isinstance(answer, list) or len(answer) != number:
        raise OutcomeUnknown("a collection was answered without a result for each record")
    return [outcome(item) for item in answer]


class Pushes:
    """find: our keys -> what is there. adopt: (shape, record -> our key): put our key on records that have none,
    and answer what they said before, with the key they have now."""

    def __init__(
        self,
        ask: Ask,
        sheets: Sheets,
        key: str,
        choices: Choices,
        find: Callable[[Shape, Sequence[str]], Mapping[str, Standing]],
        adopt: Callable[[Shape, Mapping[str, str]], Mapping[str, Standing]],
    ) -> None:
        self._ask, self._sheets, self._key, self._choices = ask, sheets, key, choices
        self._find, self._adopt = find, adopt

    def push(self, drafts: Sequence[Draft]) -> list[PushResult]:
        """In order. When a later call of several fails as a whole, those it was about have no result: the caller looks for
        them. When the first does, its error comes through.

        Raises:
            NeedsSetup: the object has no key field, and a record would be made.
        """
        if len(drafts) > MANY or len({one.shape for one in drafts}) > 1:
            raise ValueError(f"push takes up to {MANY} drafts of one shape")
        ends: dict[str, PushResult] = {}
        for group in groups(drafts):
            try:
                ends |= self._group(group)
            except VendorError:
                if not ends:
                    raise
                break
        if drafts:
            ends = self._with_ids(drafts[0].shape, ends)
        return [ends[one.key] for one in drafts if one.key in ends]

    def sheet(self, shape: Shape, *, by_id: bool) -> Sheet:
        """The object's fields. Raises NeedsSetup where a record would be made without a key that is kept unique."""
        found = self._sheets.of(OBJECTS[shape])
        if not by_id and not found.has_key(self._key):
            self._sheets.forget()
            raise NeedsSetup(no_key(OBJECTS[shape], self._key))
        return found

    def _group(self, group: Group) -> dict[str, PushResult]:
        sheet = self.sheet(group.drafts[0].shape, by_id=group.by_id)
        told = self._send(group, sheet)
        if again := tuple(one for one in group.drafts if cause(told[one.key]) is Cause.THEIRS):
            told |= self._send(replace(group, drafts=again), sheet)
        if not group.by_id and len(group.drafts) > 1:
            told |= self._by_themselves(group, sheet, told)
        if any(isinstance(one, Refused) and one.fault.stale for one in told.values()):
            self._sheets.forget()
        linked = {found: one.key for one in group.drafts if (found := link(one, told[one.key], self._key))}
        was = self._adopt(group.drafts[0].shape, linked) if linked else {}
        ends = {one.key: end(one, told[one.key], self._key) for one in group.drafts}
        return {
            key: replace(one, was=was.get(one.object_id)) if one.state is PushState.LINKED else one
            for key, one in ends.items()
        }

    def _send(self, group: Group, sheet: Sheet) -> dict[str, Outcome]:
        """One call; outcomes by key."""
        if len(group.drafts) == 1 and not group.by_id:
            return {group.drafts[0].key: self._single(group, sheet)}
        kind, name = {"attributes": {"type": sheet.object}}, "id" if group.by_id else self._key
        path = "composite/sobjects" if group.by_id else f"composite/sobjects/{sheet.object}/{self._key}"
        told = {one.key: fields(one, sheet, self._choices) for one in group.drafts}
        if group.by_id and not all(told.values()):  # nothing of ours in it that this org has a field for: no write
            same: dict[str, Outcome] = {key: Done("", created=False) for key, values in told.items() if not values}
            rest = tuple(one for one in group.drafts if one.key not in same)
            return same | (self._send(replace(group, drafts=rest), sheet) if rest else {})
        records = [{**kind, name: one.object_id or one.key, **told[one.key]} for one in group.drafts]
        body = {"allOrNone": False, "records": records}
        try:
            answer = self._ask("PATCH", path, json=body, headers=group.headers)
        except Answered as said:
            raise self._refusal(path, said) from said
        return dict(zip((one.key for one in group.drafts), outcomes(answer, len(records)), strict=True))

    def _single(self, group: Group, sheet: Sheet) -> Outcome:
        """One record by its key: what a collection leaves out of a refusal is told here."""
        (draft,) = group.drafts
        path = f"sobjects/{sheet.object}/{self._key}/{quote(draft.key, safe='')}"
        try:
            return single(self._ask("PATCH", path, json=fields(draft, sheet, self._choices), headers=group.headers))
        except Answered as said:
            if said.status == 300:
                return faults.of_urls(said.content)
            told = faults.refused(said.content)
            if told.code in faults.FAULTS and told.code != "NOT_FOUND":
                return told
            raise self._refusal(path.rpartition("/")[0], said) from said

    def _refusal(self, path: str, said: Answered) -> VendorError:
        self._sheets.forget()
        if faults.refused(said.content).code == "NOT_FOUND":  # the key field went since it was described
            return NeedsSetup(f"Salesforce does not find {self._key} any more: run `flask salesforce setup`.")
        return faults.of_call(path, said.status, said.content)

    def _by_themselves(self, group: Group, sheet: Sheet, told: Mapping[str, Outcome]) -> dict[str, Outcome]:
        """Those whose other record is not named; what is over the cap waits for the next push."""
        found: dict[str, Outcome] = {}
        for one in [one for one in group.drafts if is_vague(told[one.key])][:SINGLES]:
            try:
                found[one.key] = self._single(replace(group, drafts=(one,)), sheet)
            except VendorError:
                break
        return found

    def _with_ids(self, shape: Shape, ends: dict[str, PushResult]) -> dict[str, PushResult]:
        """Ids that answers did not tell, by one look; without them the record is still found by its key later."""
        states = (PushState.CREATED, PushState.UPDATED, PushState.CONVERTED)
        missing = [one.key for one in ends.values() if one.state in states and not one.object_id]
        if not missing:
            return ends
        try:
            found = self._find(shape, missing)
        except VendorError:
            return ends
        return ends | {key: replace(ends[key], object_id=found[key].object_id) for key in missing if key in found}
