"""What the simulated Intercom holds, and everything people do there. Each act makes the events the real one makes."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from sandbox.base import Context
from sandbox.intercom import shapes
from sandbox.intercom.errors import not_found
from sandbox.intercom.index import Index
from sandbox.intercom.shapes import OWN_ADMIN, Object
from sandbox.world import World

# Does tagging move a conversation's updated_at? In the one recorded delivery it did not.
TAGS_TOUCH = False
Listener = Callable[[str, Object], None]


class State:
    """People, conversations with their parts, tags. identity_verified, duplicates: what a test may set."""

    def __init__(self, context: Context, world: World) -> None:
        self.context = context
        made = self.now() - int(timedelta(days=400).total_seconds())
        self.made = made
        self.contacts = {shapes.contact_id(p.id): shapes.contact(p, made) for p in world.people}
        self.companies = {shapes.company_id(o.id): shapes.company(o, made) for o in world.organizations}
        self.teams = {str(g.id): shapes.team(g) for g in world.groups}
        self.admins = {str(a.id): self._admin(str(a.id), a.name, a.emails[0][0]) for a in world.agents}
        self.admins[OWN_ADMIN] = shapes.admin(OWN_ADMIN, "Deskbridge", "deskbridge@acme.example", [])
        self.conversations: dict[str, Object] = {}
        self.parts: dict[str, list[Object]] = {}
        self.tags: dict[str, str] = {}  # id -> name
        self.index = Index(context)
        for one in self.contacts.values():
            self.index.put("contacts", one)
        self.identity_verified = True
        self.duplicates: set[str] = set()
        self.listeners: list[Listener] = []
        self._numbers = itertools.count(215_470_001)

    def _admin(self, admin_id: str, name: str, email: str) -> Object:
        teams = [int(t["id"]) for t in self.teams.values() if int(admin_id) in t["admin_ids"]]
        return shapes.admin(admin_id, name, email, teams)

    def now(self) -> int:
        return int(self.context.now().timestamp())

    # What is there -----------------------------------------------------------

    def conversation(self, conversation_id: str) -> Object:
        """Raises Refusal."""
        if conversation_id not in self.conversations:
            raise not_found("Conversation not found")
        return self.conversations[conversation_id]

    def show(self, conversation_id: str) -> Object:
        """With its parts. Raises Refusal."""
        return shapes.with_parts(self.conversation(conversation_id), self.parts[conversation_id])

    def contact(self, contact_id: str) -> Object:
        """Raises Refusal."""
        if contact_id not in self.contacts:
            raise not_found("User Not Found")
        return self.contacts[contact_id]

    def admin(self, admin_id: str) -> Object:
        """Raises Refusal."""
        if admin_id not in self.admins:
            raise not_found("Admin not found", "admin_not_found")
        return self.admins[admin_id]

    def find_contact(self, email: str) -> Object | None:
        """The contact with this address, or None."""
        return next((c for c in self.contacts.values() if c["email"].lower() == email.lower()), None)

    def contact_of(self, person_id: int) -> str:
        """The contact's id of a person of the world."""
        return shapes.contact_id(person_id)

    def search_lag(self, seconds: float) -> None:
        """How far the search is behind from now on, for a day that is shorter than Intercom's minutes."""
        self.index.lag_s = seconds

    # What contacts do --------------------------------------------------------

    def create_conversation(self, contact_id: str, text: str, subject: str = "") -> Object:
        """A contact writes; by e-mail where there is a subject."""
        with self.context.lock:
            person, number = self.contact(contact_id), next(self._numbers)
            companies = person["companies"]["data"]
            company = self.companies.get(companies[0]["id"]) if companies else None
            made = shapes.conversation(number, person, company, text, subject, self.now())
            self.conversations[made["id"]] = made
            self.parts[made["id"]] = []
            self._tell("conversation.user.created", made["id"])
            return made

    def add_contact(self, conversation_id: str, contact_id: str) -> Object:
        """A second contact takes part: a group conversation. No topic of a webhook for it is known."""
        with self.context.lock:
            item, who = self.conversation(conversation_id), self.contact(contact_id)
            item["contacts"]["contacts"].append(shapes.reference(who))
            item["updated_at"] = self.now()
            return item

    def start_conversation(self, admin_id: str, contact_id: str, text: str) -> Object:
        """An admin writes to a contact: the conversation shows the admin's address, not the contact's."""
        with self.context.lock:
            person, number = self.contact(contact_id), next(self._numbers)
            made = shapes.conversation(number, person, None, text, "", self.now())
            made["source"] |= {"author": shapes.author(self.admin(admin_id)), "delivered_as": "admin_initiated"}
            self.conversations[made["id"]] = made
            self.parts[made["id"]] = []
            self._tell("conversation.admin.single.created", made["id"])
            return made

    def reply(self, conversation_id: str, text: str) -> bool:
        """Its contact writes again; a closed or sleeping conversation opens."""
        with self.context.lock:
            item = self.conversation(conversation_id)
            by = self.contact(item["contacts"]["contacts"][0]["id"])
            item.update(open=True, state="open", snoozed_until=None)
            return self._part(item, "comment", by, "conversation.user.replied", text)

    def rate(self, conversation_id: str, rating: int, remark: str = "") -> bool:
        """Its contact rates it, 1 to 5."""
        with self.context.lock:
            item, now = self.conversation(conversation_id), self.now()
            contact = dict(item["contacts"]["contacts"][0])
            item["conversation_rating"] = {
                "rating": rating, "remark": remark, "created_at": now, "updated_at": now, "contact": contact,
                "teammate": {"type": "admin", "id": item["admin_assignee_id"] and str(item["admin_assignee_id"])},
            }  # fmt: skip
            item["updated_at"] = now
            self._tell("conversation.rating.added", conversation_id)
            return True

    # What admins do ----------------------------------------------------------

    def admin_reply(self, conversation_id: str, admin_id: str, text: str) -> bool:
        """An answer that the contact sees."""
        with self.context.lock:
            item = self.conversation(conversation_id)
            return self._part(item, "comment", self.admin(admin_id), "conversation.admin.replied", text)

    def note(self, conversation_id: str, admin_id: str, text: str) -> bool:
        """A note that only admins see."""
        with self.context.lock:
            item = self.conversation(conversation_id)
            return self._part(item, "note", self.admin(admin_id), "conversation.admin.noted", text)

    def assign(self, conversation_id: str, admin_id: str, to: str, kind: str = "admin") -> bool:
        """To an admin or a team; "0": to nobody. False when it is so already."""
        with self.context.lock:
            item, by = self.conversation(conversation_id), self.admin(admin_id)
            if to != "0" and to not in (self.admins if kind == "admin" else self.teams):
                raise not_found("Assignee not found", "assignee_not_found")
            field = "admin_assignee_id" if kind == "admin" else "team_assignee_id"
            if item[field] == (int(to) or None):
                return False
            item[field] = int(to) or None
            return self._part(item, "assignment", by, "conversation.admin.assigned", assigned={"type": kind, "id": to})

    def close(self, conversation_id: str, admin_id: str) -> bool:
        return self._state(conversation_id, admin_id, "closed", "close", "conversation.admin.closed")

    def open(self, conversation_id: str, admin_id: str) -> bool:
        """From closed; a sleeping one is woken."""
        slept = self.conversation(conversation_id)["state"] == "snoozed"
        topic = "conversation.admin.unsnoozed" if slept else "conversation.admin.opened"
        return self._state(conversation_id, admin_id, "open", "open", topic)

    def snooze(self, conversation_id: str, admin_id: str, until: int = 0) -> bool:
        """Until a moment, in seconds; a day from now when left out."""
        until = until or self.now() + 86_400
        return self._state(conversation_id, admin_id, "snoozed", "snoozed", "conversation.admin.snoozed", until)

    def _state(
        self, conversation_id: str, admin_id: str, state: str, kind: str, topic: str, until: int | None = None
    ) -> bool:
        with self.context.lock:
            item, by = self.conversation(conversation_id), self.admin(admin_id)
            if item["state"] == state:
                return False
            item.update(state=state, open=state == "open", snoozed_until=until)
            return self._part(item, kind, by, topic)

    def priority(self, conversation_id: str, admin_id: str, *, high: bool = True) -> bool:
        """Only people can: the API has no call for it."""
        with self.context.lock:
            item, wanted = self.conversation(conversation_id), "priority" if high else "not_priority"
            if item["priority"] == wanted:
                return False
            item["priority"] = wanted
            return self._part(item, "priority_changed", self.admin(admin_id), "conversation.priority.updated")

    def make_tag(self, name: str) -> str:
        """The id of the tag with this name, made when there is none."""
        with self.context.lock:
            known = next((i for i, n in self.tags.items() if n.lower() == name.lower()), None)
            if known is None:
                known = str(next(self._numbers))
                self.tags[known] = name
            return known

    def tag(self, conversation_id: str, admin_id: str, *names: str) -> bool:
        """Put tags on, each with an event of its own."""
        done = [self.attach(conversation_id, self.make_tag(name), admin_id) for name in names]
        return any(done)

    def attach(self, conversation_id: str, tag_id: str, admin_id: str) -> bool:
        """False when the tag is on it already. Raises Refusal for a tag, an admin or a conversation that is none."""
        with self.context.lock:
            item, by = self.conversation(conversation_id), self.admin(admin_id)
            if tag_id not in self.tags:
                raise not_found("Tag not found", "tag_not_found")
            if any(tag["id"] == tag_id for tag in item["tags"]["tags"]):
                return False
            item["tags"]["tags"].append({
                "type": "tag", "id": tag_id, "name": self.tags[tag_id], "applied_at": self.now(),
                "applied_by": {"type": "admin", "id": by["id"]},
            })  # fmt: skip
            if TAGS_TOUCH:
                item["updated_at"] = self.now()
            self._tell("conversation_part.tag.created", conversation_id)
            return True

    def detach(self, conversation_id: str, tag_id: str, admin_id: str) -> Object:
        """The tag that was taken off; no event tells of it. Raises Refusal when it is not on it."""
        with self.context.lock:
            item = self.conversation(conversation_id)
            self.admin(admin_id)
            found = next((tag for tag in item["tags"]["tags"] if tag["id"] == tag_id), None)
            if found is None:
                raise not_found("Tag not found", "tag_not_found")
            item["tags"]["tags"].remove(found)
            self.index.put("conversations", item)
            return dict(found)

    def delete_tag(self, name: str) -> None:
        """Of the whole workspace."""
        with self.context.lock:
            gone = [i for i, known in self.tags.items() if known == name]
            for tag_id in gone:
                del self.tags[tag_id]
            for item in self.conversations.values():
                item["tags"]["tags"] = [tag for tag in item["tags"]["tags"] if tag["id"] not in gone]

    def update(self, conversation_id: str, changes: Mapping[str, Any], admin_id: str = OWN_ADMIN) -> bool:
        """Title, read and custom attributes; no event tells of it. False when it is so already."""
        with self.context.lock:
            item = self.conversation(conversation_id)
            after = {**item, **{name: changes[name] for name in ("title", "read") if name in changes}}
            after["custom_attributes"] = {**item["custom_attributes"], **changes.get("custom_attributes", {})}
            if after == item:
                return False
            item.update(after, updated_at=self.now())
            self.index.put("conversations", item)
            return True

    def delete(self, conversation_id: str) -> None:
        """For ever; the event carries ids only."""
        with self.context.lock:
            self.conversation(conversation_id)
            del self.conversations[conversation_id]
            self.index.drop("conversations", conversation_id)
            self._say("conversation.deleted", {"type": "conversation", "id": conversation_id})

    # What happens to contacts ------------------------------------------------

    def change_email(self, contact_id: str, email: str) -> None:
        """Another address."""
        with self.context.lock:
            person = self.contact(contact_id)
            person.update(email=email, email_domain=email.partition("@")[2], updated_at=self.now())
            self.index.put("contacts", person)
            self._say("contact.email.updated", dict(person))

    def merge_contacts(self, contact_id: str, into: str) -> None:
        """One becomes the other: its conversations move, its id is unknown from now on."""
        with self.context.lock:
            self.contact(contact_id)
            person = self.contact(into)
            person["updated_at"] = self.now()
            del self.contacts[contact_id]
            self.index.drop("contacts", contact_id)
            reference = {"type": "contact", "id": into, "external_id": person["external_id"]}
            for item in self.conversations.values():
                if item["contacts"]["contacts"][0]["id"] == contact_id:
                    item["contacts"]["contacts"] = [dict(reference)]
            self._say("contact.merged", dict(person))

    def delete_contact(self, contact_id: str) -> None:
        """The event carries ids only."""
        with self.context.lock:
            person = self.contact(contact_id)
            del self.contacts[contact_id]
            self.index.drop("contacts", contact_id)
            gone = {"type": "contact", "id": contact_id, "external_id": person["external_id"]}
            self._say("contact.deleted", gone)

    # Events ------------------------------------------------------------------

    def _part(
        self, item: Object, kind: str, by: Mapping[str, Any], topic: str, text: str | None = None,
        assigned: Object | None = None,
    ) -> bool:  # fmt: skip
        made = shapes.part(next(self._numbers), kind, by, text, item["state"], self.now())
        made["assigned_to"] = assigned
        self.parts[item["id"]].append(made)
        item["updated_at"] = self.now()
        self._tell(topic, item["id"])
        return True

    def _tell(self, topic: str, conversation_id: str) -> None:
        """An event of a conversation: as it is now, with its newest part."""
        item = self.conversations[conversation_id]
        self.index.put("conversations", item)
        self._say(topic, shapes.with_parts(item, self.parts[conversation_id][-1:]))

    def _say(self, topic: str, item: Object) -> None:
        for listener in self.listeners:
            listener(topic, item)
