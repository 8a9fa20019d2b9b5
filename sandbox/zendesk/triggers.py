"""Triggers: made by an admin over the API, run after each save of a ticket, in order, each at most once a save."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.zendesk import conditions, pages, params
from sandbox.zendesk.errors import invalid, not_found
from sandbox.zendesk.hooks import CONDITIONAL, Hooks
from sandbox.zendesk.routing import Api
from sandbox.zendesk.shapes import HOST, Row
from sandbox.zendesk.store import Save
from sandbox.zendesk.templates import render

KNOWN = frozenset({"title", "active", "position", "conditions", "all", "any", "actions", "description", "category_id"})
NOTIFY = "notification_webhook"  # the only action there is here: what product and tests need of triggers


def routes(api: Api, hooks: Hooks) -> Triggers:
    """Put them on the app; answers the triggers."""
    own = Triggers(api, hooks)
    api.route("POST", "/triggers", own.create, 201)
    api.route("GET", "/triggers", own.listing)
    api.route("GET", "/triggers/definitions", own.definitions)
    api.route("GET", "/triggers/<int:trigger_id>", own.show)
    api.route("PUT", "/triggers/<int:trigger_id>", own.change)
    api.route("DELETE", "/triggers/<int:trigger_id>", own.delete)
    return own


class Triggers:
    """By id, in the order of their positions."""

    def __init__(self, api: Api, hooks: Hooks) -> None:
        self._state = api.state
        self._hooks = hooks
        self._rows: dict[int, Row] = {}
        api.state.savers.append(self._run)

    def using(self, hook_id: str) -> bool:
        """Does a trigger send to this webhook?"""
        return any(action["value"][0] == hook_id for row in self._rows.values() for action in row["actions"])

    def _get(self, trigger_id: int) -> Row:
        if trigger_id not in self._rows:
            raise not_found()
        return self._rows[trigger_id]

    def create(self) -> Row:
        params.known()
        wanted = _conditions_in_place(params.wrapped("trigger"))
        self._check(wanted, new=True)
        trigger_id, now = self._state.next_id(), self._state.now()
        row = {
            "url": f"{HOST}/api/v2/triggers/{trigger_id}.json", "id": trigger_id, "active": True, "default": False,
            "position": len(self._rows) + 1, "description": None, "category_id": "1", "created_at": now,
            "updated_at": now, "raw_title": wanted["title"], **wanted,
        }  # fmt: skip
        self._rows[trigger_id] = row
        return {"trigger": row}

    def listing(self) -> Row:
        params.known(*params.PAGING, "active", "category_id")
        active = params.choice("active", ("true", "false"))
        rows = [r for r in self._ordered() if not active or r["active"] == (active == "true")]
        return pages.page("triggers", rows)

    def _ordered(self) -> list[Row]:
        return sorted(self._rows.values(), key=lambda row: (row["position"], row["id"]))

    def show(self, trigger_id: int) -> Row:
        params.known()
        return {"trigger": self._get(trigger_id)}

    def change(self, trigger_id: int) -> Row:
        params.known()
        row, wanted = self._get(trigger_id), _conditions_in_place(params.wrapped("trigger"))
        self._check(wanted, new=False)
        row |= {**wanted, "updated_at": self._state.now(), "raw_title": wanted.get("title", row["raw_title"])}
        return {"trigger": row}

    def delete(self, trigger_id: int) -> None:
        params.known()
        self._get(trigger_id)
        del self._rows[trigger_id]

    def definitions(self) -> Row:
        params.known()
        rows = [
            {"title": name.replace("_", " ").capitalize(), "subject": name, "type": "list" if name in conditions.VALUES
             else "text", "group": "ticket", "nullable": False, "repeatable": False,
             "operators": [{"value": o or "is", "title": (o or "is").replace("_", " ").capitalize(),
                            "terminal": o in conditions.VALUELESS} for o in operators],
             "values": [{"value": v, "title": v.capitalize() or "-", "enabled": True}
                        for v in conditions.VALUES.get(name, ())]}
            for name, operators in conditions.OPERATORS.items()
        ]  # fmt: skip
        hooks = [h.row for h in self._hooks.webhooks.values() if h.row["subscriptions"] == [CONDITIONAL]]
        actions = [{
            "title": "Notify active webhook", "subject": NOTIFY, "type": "list", "group": "notification",
            "nullable": False, "repeatable": True,
            "values": [{"value": row["id"], "title": row["name"], "enabled": True} for row in hooks],
        }]  # fmt: skip
        return {"definitions": {"conditions_all": rows, "conditions_any": rows, "actions": actions}}

    def _check(self, wanted: Mapping[str, Any], *, new: bool) -> None:
        """Raises 422 with the part that is wrong."""
        if unknown := sorted(set(wanted) - KNOWN):
            raise invalid(unknown[0], "is not an attribute of a trigger", "UnknownAttribute")
        for name in ("title", "conditions", "actions") if new else ():
            if not wanted.get(name):
                raise invalid(name, "cannot be blank", "BlankValue")
        found = wanted.get("conditions", {})
        if not isinstance(found, dict) or not set(found) <= {"all", "any"}:
            raise invalid("conditions", "has all and any")
        for one in (*found.get("all", ()), *found.get("any", ())):
            if why := conditions.problem(one):
                raise invalid("conditions", why)
        for action in wanted.get("actions", ()):
            if why := self._action_problem(action):
                raise invalid("actions", why)

    def _action_problem(self, action: Any) -> str:  # noqa: ANN401 - JSON
        if not isinstance(action, dict) or set(action) != {"field", "value"}:
            return "an action has field and value"
        name, value = action["field"], action["value"]
        if name != NOTIFY:
            return f"{name} is not an action here"
        if not isinstance(value, list) or len(value) != 2 or not all(isinstance(v, str) for v in value):
            return f"{NOTIFY} takes a webhook's id and a body"
        hook = self._hooks.webhooks.get(value[0])
        if hook is None or hook.row["subscriptions"] != [CONDITIONAL]:
            return f"webhook {value[0]} does not exist or is not {CONDITIONAL}"
        return ""

    def _run(self, save: Save) -> None:
        """After a save: each active trigger whose conditions hold sends its webhooks."""
        for row in self._ordered():
            if not row["active"] or not conditions.hold(row["conditions"], save):
                continue
            for action in row["actions"]:
                hook_id, text = action["value"]
                self._hooks.conditional(hook_id, render(text, self._state, save))


def _conditions_in_place(wanted: Mapping[str, Any]) -> Row:
    """`all` and `any` may stand without the wrapper."""
    found = {name: value for name, value in wanted.items() if name not in ("all", "any")}
    loose = {name: wanted[name] for name in ("all", "any") if name in wanted}
    if loose:
        found["conditions"] = {"all": [], "any": [], **loose}
    elif isinstance(found.get("conditions"), dict):
        found["conditions"] = {"all": [], "any": [], **found["conditions"]}
    return found
