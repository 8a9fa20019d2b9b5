"""Routes of people, their addresses, companies, groups and who belongs to them."""

from __future__ import annotations

from flask import g, request

from sandbox.zendesk import pages, params, shapes
from sandbox.zendesk.errors import bad_request, not_found
from sandbox.zendesk.routing import Api
from sandbox.zendesk.shapes import Row
from sandbox.zendesk.state import State

ROLES = frozenset({"end-user", "agent", "admin"})


def routes(api: Api) -> None:
    """Put them on the app."""
    own = Directory(api.state)
    api.route("GET", "/users/me", own.me)
    api.route("GET", "/users/show_many", own.show_many)
    api.route("GET", "/users", own.users)
    api.route("GET", "/users/<int:user_id>", own.show)
    api.route("GET", "/users/<int:user_id>/identities", own.identities)
    api.route("GET", "/users/<int:user_id>/group_memberships", own.memberships)
    api.route("GET", "/organizations/show_many", own.organizations)
    api.route("GET", "/organizations/<int:organization_id>", own.organization)
    api.route("GET", "/groups", own.groups)
    api.route("GET", "/groups/<int:group_id>", own.group)
    api.route("GET", "/group_memberships", own.memberships)


class Directory:
    """Reads only: people are changed by acts."""

    def __init__(self, state: State) -> None:
        self._state = state

    def me(self) -> Row:
        """Credentials that are nobody's get a user without an id."""
        params.known()
        user = self._state.users[g.user_id] if g.user_id else shapes.anonymous()
        return {"user": user}

    def show(self, user_id: int) -> Row:
        params.known("include")
        if user_id not in self._state.users:
            raise not_found()
        user = self._state.users[user_id]
        beside = {}
        if "organizations" in params.includes("organizations"):
            own = user["organization_id"]
            beside = {"organizations": [self._state.organizations[own]] if own else []}
        return {"user": user, **beside}

    def show_many(self) -> Row:
        params.known("ids", "external_ids", "include")
        if ("ids" in request.args) == ("external_ids" in request.args):
            raise bad_request("either ids or external_ids is required", "MissingParameter")
        if "ids" in request.args:
            wanted = params.numbers()
            found = [self._state.users[i] for i in dict.fromkeys(wanted) if i in self._state.users]
        else:
            names = set(params.ids("external_ids"))
            found = [u for u in self._state.users.values() if u["external_id"] in names]
        return {"users": found, "next_page": None, "previous_page": None, "count": len(found)}

    def users(self) -> Row:
        """By role: `role=agent`, or `role[]=agent&role[]=admin`."""
        params.known(*params.PAGING, "role", "role[]", "external_id")
        roles = set(request.args.getlist("role[]")) | set(request.args.getlist("role"))
        if roles - ROLES:
            raise bad_request(f"role must be one of {', '.join(sorted(ROLES))}")
        rows = sorted((u for u in self._state.users.values() if u["active"]), key=lambda u: int(u["id"]))
        if roles:
            rows = [u for u in rows if u["role"] in roles]
        if external := request.args.get("external_id"):
            rows = [u for u in rows if u["external_id"] == external]
        return pages.page("users", rows)

    def identities(self, user_id: int) -> Row:
        params.known(*params.PAGING)
        if user_id not in self._state.users:
            raise not_found()
        return pages.page("identities", self._state.identities[user_id])

    def organization(self, organization_id: int) -> Row:
        params.known()
        if organization_id not in self._state.organizations:
            raise not_found()
        return {"organization": self._state.organizations[organization_id]}

    def organizations(self) -> Row:
        params.known("ids", "external_ids")
        if "external_ids" in request.args:
            names = set(params.ids("external_ids"))
            found = [o for o in self._state.organizations.values() if o["external_id"] in names]
        else:
            found = [
                self._state.organizations[i] for i in dict.fromkeys(params.numbers()) if i in self._state.organizations
            ]
        return {"organizations": found, "next_page": None, "previous_page": None, "count": len(found)}

    def groups(self) -> Row:
        params.known(*params.PAGING, "exclude_deleted")
        return pages.page("groups", list(self._state.groups.values()))

    def group(self, group_id: int) -> Row:
        params.known()
        if group_id not in self._state.groups:
            raise not_found()
        return {"group": self._state.groups[group_id]}

    def memberships(self, user_id: int | None = None) -> Row:
        params.known(*params.PAGING)
        if user_id is not None and user_id not in self._state.users:
            raise not_found()
        rows = sorted(self._state.memberships.values(), key=lambda m: int(m["id"]))
        return pages.page("group_memberships", [m for m in rows if user_id in (None, m["user_id"])])
