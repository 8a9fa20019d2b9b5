"""People, their addresses and companies: what happens to them, and the events that tell of it."""

from __future__ import annotations

from datetime import timedelta

from integrations.kernel.clock import iso
from sandbox.world import Person, World
from sandbox.zendesk import shapes
from sandbox.zendesk.shapes import Row
from sandbox.zendesk.store import Store

OWN_USER = 999  # the user behind the OAuth client
ADMIN = 500


class People(Store):
    """Acts take ids; whoever does something is the admin if nobody else is named."""

    def move_in(self, world: World) -> None:
        """Everybody of the world; nobody listens yet."""
        made = iso(self.context.now().replace(microsecond=0) - timedelta(days=400))
        for person in (*world.people, *world.agents):
            self._person(person, made)
        self.users[OWN_USER] = shapes.user(
            OWN_USER, "Deskbridge", "deskbridge@acme.example", made, role="admin", verified=True
        )
        self.identities[OWN_USER] = [
            shapes.identity(OWN_USER * 10, OWN_USER, "deskbridge@acme.example", made, verified=True, primary=True)
        ]
        for o in world.organizations:
            self.organizations[o.id] = shapes.organization(o.id, o.name, o.domains, made)
        for g in world.groups:
            self.groups[g.id] = shapes.group(g.id, g.name, made)
            for agent in g.agents:
                default = self.users[agent]["default_group_id"] is None
                self.users[agent]["default_group_id"] = self.users[agent]["default_group_id"] or g.id
                row = shapes.membership(g.id * 1000 + agent, agent, g.id, made, default=default)
                self.memberships[row["id"]] = row

    def _person(self, person: Person, made: str) -> None:
        address, verified = person.emails[0]
        self.users[person.id] = shapes.user(
            person.id, person.name, address, made, role=person.role, verified=verified,
            organization_id=person.organization_id, external_id=person.external_id,
        )  # fmt: skip
        self.identities[person.id] = [
            shapes.identity(person.id * 10 + n, person.id, value, made, verified=known, primary=n == 0)
            for n, (value, known) in enumerate(person.emails)
        ]

    def _changed(self, user_id: int, kind: str, event: Row, actor_id: int) -> Row:
        user = self.users[user_id]
        user["updated_at"] = self.now()
        self.tell(user, f"user.{kind}", event, actor_id)
        return user

    def create_person(self, name: str, email: str, organization_id: int | None = None, actor_id: int = ADMIN) -> Row:
        """A new customer, the address not yet verified."""
        with self.context.lock:
            user_id, now = self.next_id(), self.now()
            self.users[user_id] = shapes.user(user_id, name, email, now, organization_id=organization_id)
            row = shapes.identity(self.next_id(), user_id, email, now, verified=False, primary=True)
            self.identities[user_id] = [row]
            return self._changed(user_id, "created", {}, actor_id)

    def rename(self, user_id: int, name: str, actor_id: int = ADMIN) -> Row:
        with self.context.lock:
            before, self.users[user_id]["name"] = self.users[user_id]["name"], name
            return self._changed(user_id, "name_changed", {"current": name, "previous": before}, actor_id)

    def set_role(self, user_id: int, role: str, actor_id: int = ADMIN) -> Row:
        with self.context.lock:
            before, self.users[user_id]["role"] = self.users[user_id]["role"], role
            return self._changed(user_id, "role_changed", {"current": role, "previous": before}, actor_id)

    def set_external_id(self, user_id: int, external_id: str | None, actor_id: int = ADMIN) -> Row:
        with self.context.lock:
            before, self.users[user_id]["external_id"] = self.users[user_id]["external_id"], external_id
            event = {"current": external_id, "previous": before}
            return self._changed(user_id, "external_id_changed", event, actor_id)

    def suspend(self, user_id: int, suspended: bool = True, actor_id: int = ADMIN) -> Row:
        with self.context.lock:
            before, self.users[user_id]["suspended"] = self.users[user_id]["suspended"], suspended
            event = {"current": suspended, "previous": before}
            return self._changed(user_id, "suspended_changed", event, actor_id)

    def add_identity(self, user_id: int, email: str, verified: bool = False, actor_id: int = ADMIN) -> Row:
        """One more address."""
        with self.context.lock:
            row = shapes.identity(self.next_id(), user_id, email, self.now(), verified=verified, primary=False)
            self.identities[user_id].append(row)
            self._changed(user_id, "identity_created", self._identity(row), actor_id)
            return row

    def verify_identity(self, user_id: int, email: str, verified: bool = True, actor_id: int = ADMIN) -> Row:
        """An address is proved (or no longer)."""
        with self.context.lock:
            row = self._find(user_id, email)
            row |= {"verified": verified, "updated_at": self.now()}
            if row["primary"]:
                self.users[user_id]["verified"] = verified
            self._changed(user_id, "identity_changed", self._identity(row), actor_id)
            return row

    def delete_identity(self, user_id: int, email: str, actor_id: int = ADMIN) -> Row:
        with self.context.lock:
            row = self._find(user_id, email)
            self.identities[user_id].remove(row)
            self._changed(user_id, "identity_deleted", self._identity(row), actor_id)
            return row

    def _find(self, user_id: int, email: str) -> Row:
        return next(row for row in self.identities[user_id] if row["value"].lower() == email.lower())

    @staticmethod
    def _identity(row: Row) -> Row:
        names = ("type", "value", "primary", "verified")
        return {"identity": {"id": str(row["id"]), **{name: row[name] for name in names}}}

    def delete_person(self, user_id: int, actor_id: int = ADMIN) -> Row:
        """Gone for ordinary use: inactive, without addresses. Their tickets stay."""
        with self.context.lock:
            user = self.users[user_id]
            user |= {"active": False, "email": None, "verified": False}
            self.identities[user_id] = []
            return self._changed(user_id, "deleted", {}, actor_id)

    def rename_organization(self, organization_id: int, name: str, actor_id: int = ADMIN) -> Row:
        with self.context.lock:
            row = self.organizations[organization_id]
            before = row["name"]
            row |= {"name": name, "updated_at": self.now()}
            event = {"current": name, "previous": before}
            self.tell(row, "organization.name_changed", event, actor_id)
            return row
