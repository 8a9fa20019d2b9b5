"""What is wanted of one ticket, as a value: merge what comes later over what came before, drop what is already so.

Pure. A plan is judged against the mirror as it will be once the write on its way has landed, never the mirror alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from app.outbox.effects import Effect
from integrations.kernel.records import Note, TicketChange

CUSTOM = "custom_fields."


@dataclass(frozen=True, slots=True)
class Wanted:
    """tags: tag -> wanted on (True) or off. fields: name or `custom_fields.<id>` -> value. notes: in order, by key."""

    tags: Mapping[str, bool] = field(default_factory=dict)
    fields: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[Note, ...] = ()

    @property
    def is_empty(self) -> bool:
        return not (self.tags or self.fields or self.notes)

    def then(self, later: Wanted) -> Wanted:
        """This, and then that: the later word on a tag or field wins; a note stands once."""
        known = {note.key for note in self.notes}
        return Wanted(
            {**self.tags, **later.tags},
            {**self.fields, **later.fields},
            self.notes + tuple(n for n in later.notes if n.key not in known),
        )

    def beyond(self, expected: Mapping[str, Any]) -> Wanted:
        """What is still to do on a ticket with these values (a TicketValues); a note is always still to do."""
        present = set(expected.get("tags") or ())
        return replace(
            self,
            tags={tag: on for tag, on in self.tags.items() if (tag in present) != on},
            fields={name: value for name, value in self.fields.items() if not _is_so(expected, name, value)},
        )

    def applied_to(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """The ticket's values once this has landed."""
        result = dict(values)
        tags = set(result.get("tags") or ())
        tags |= {tag for tag, on in self.tags.items() if on}
        tags -= {tag for tag, on in self.tags.items() if not on}
        result["tags"] = sorted(tags)
        custom = dict(result.get("custom_fields") or {})
        for name, value in self.fields.items():
            if name.startswith(CUSTOM):
                custom[name.removeprefix(CUSTOM)] = value
            else:
                result[name] = value
        if custom:
            result["custom_fields"] = custom
        return result

    def change(self, ticket_id: str) -> TicketChange:
        """As the vendor's port takes it: the first note goes along, others wait for their own write."""
        plain = {n: v for n, v in self.fields.items() if not n.startswith(CUSTOM)}
        custom = {n.removeprefix(CUSTOM): v for n, v in self.fields.items() if n.startswith(CUSTOM)}
        return TicketChange(
            ticket_id,
            add_tags=tuple(sorted(t for t, on in self.tags.items() if on)),
            remove_tags=tuple(sorted(t for t, on in self.tags.items() if not on)),
            fields={**plain, **({"custom_fields": custom} if custom else {})},
            note=self.notes[0] if self.notes else None,
        )

    def to_json(self) -> dict[str, Any]:
        """For the outbox row."""
        notes = [{"key": n.key, "body": n.body} for n in self.notes]
        return {"tags": dict(self.tags), "fields": dict(self.fields), "notes": notes}


def from_json(data: Mapping[str, Any]) -> Wanted:
    """The reverse of `to_json`; a note that two wrote down at once stands once."""
    notes = {n["key"]: Note(n["key"], n["body"]) for n in reversed(data["notes"])}
    return Wanted(data["tags"], data["fields"], tuple(reversed(notes.values())))


def from_effects(effects: Iterable[Effect]) -> Wanted:
    """Effects of one ticket in the order of their rules, merged; those that are no write of it are left out."""
    wanted = Wanted()
    for effect in effects:
        if effect.is_of_ticket:
            wanted = wanted.then(_one(effect))
    return wanted


def _one(effect: Effect) -> Wanted:
    payload = effect.payload
    if effect.kind == "tickets.add_tags":
        return Wanted(tags=dict.fromkeys(payload["tags"], True))
    if effect.kind == "tickets.remove_tags":
        return Wanted(tags=dict.fromkeys(payload["tags"], False))
    if effect.kind == "tickets.set":
        return Wanted(fields={payload["field"]: payload["value"]})
    if effect.kind == "tickets.note":
        return Wanted(notes=(Note(payload["key"], payload["body"]),))
    raise ValueError(f"{effect.kind} is not an effect the outbox knows")


def _is_so(expected: Mapping[str, Any], name: str, value: Any) -> bool:  # noqa: ANN401 - a field's value
    if name.startswith(CUSTOM):
        custom = expected.get("custom_fields") or {}
        return name.removeprefix(CUSTOM) in custom and custom[name.removeprefix(CUSTOM)] == value
    return name in expected and expected[name] == value
