"""The same day in the Intercom inbox: people write, admins answer, note, assign, close, snooze and tag."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import Any

from sandbox.base import Context
from sandbox.world import World

FOREIGN_TAGS = ("vip", "beta", "escalated", "press")
ACTS = (
    ("reply", 24), ("admin_reply", 18), ("note", 10), ("assign", 10), ("close", 12), ("open", 6), ("snooze", 4),
    ("priority", 8), ("tag", 8),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Said:
    """kind: "conversation" or a word of ACTS. conversation: which of the day's, by number. who: a person of the world."""

    kind: str
    conversation: int
    who: int = 0
    told: dict[str, Any] = field(default_factory=dict)


def plan(world: World, seed: int, conversations: int, acts: int) -> list[Said]:
    """New conversations and what is done with them, mixed; a conversation begins before anything else happens to it."""
    random = Random(f"inbox-{seed}")
    spots = sorted(
        [(random.random() * 0.85, True) for _ in range(conversations)] + [(random.random(), False) for _ in range(acts)]
    )
    found: list[Said] = []
    begun = 0
    for _, new in spots:
        if new or not begun:
            if begun < conversations:
                found.append(
                    Said("conversation", begun, random.choice(world.people).id, {"text": random.choice(world.texts)})
                )
                begun += 1
        else:
            kind = random.choices([name for name, _ in ACTS], [weight for _, weight in ACTS])[0]
            found.append(Said(kind, random.randrange(begun), told=_told(random, world, kind)))
    return found


def _told(random: Random, world: World, kind: str) -> dict[str, Any]:
    if kind in ("reply", "admin_reply", "note"):
        return {"text": random.choice(world.texts)}
    if kind == "priority":
        return {"high": random.random() < 0.7}
    return {"tag": random.choice(FOREIGN_TAGS)} if kind == "tag" else {}


class Inbox:
    """Does what the plan says. Keeps which conversation of the plan became which of the inbox."""

    def __init__(self, context: Context) -> None:
        self._state: Any = context.simulators["intercom"].state
        self._made: list[str] = []

    def perform(self, said: Said) -> bool:
        """Do it; False when it was so already."""
        state = self._state
        if said.kind == "conversation":
            self._made.append(state.create_conversation(state.contact_of(said.who), said.told["text"])["id"])
            return True
        conversation, admin = self._made[said.conversation], sorted(state.admins)[said.conversation % len(state.admins)]
        if said.kind == "reply":
            return bool(state.reply(conversation, said.told["text"]))
        if said.kind in ("admin_reply", "note"):
            return bool(getattr(state, said.kind)(conversation, admin, said.told["text"]))
        if said.kind == "assign":
            return bool(state.assign(conversation, admin, admin))
        if said.kind == "priority":
            return bool(state.priority(conversation, admin, high=said.told["high"]))
        if said.kind == "tag":
            return bool(state.tag(conversation, admin, said.told["tag"]))
        return bool(getattr(state, said.kind)(conversation, admin))
