"""Routes of the simulated Intercom: what is not in the document is refused, as strictly as the document says."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flask import Flask, Response, jsonify, request

from sandbox.base import Ledger
from sandbox.intercom import shapes
from sandbox.intercom.errors import invalid, not_found
from sandbox.intercom.index import ZONE_NAME
from sandbox.intercom.shapes import ATTRIBUTES, OWN_ADMIN, Object
from sandbox.intercom.state import State

KINDS = {"string": str, "integer": int, "boolean": bool}


def asked(*needed: str, may: tuple[str, ...] = ()) -> Object:
    """The body, with these names as text and no others than `may` beside them. Raises Refusal."""
    body = request.get_json(silent=True)
    if not isinstance(body, dict):
        raise invalid("the body is not JSON")
    if missing := [name for name in needed if not isinstance(body.get(name), str) or not body[name]]:
        raise invalid(f"{missing[0]} is required, as text", "parameter_not_found")
    if unknown := set(body) - {*needed, *may}:
        raise invalid(f"{min(unknown)} is not a parameter")
    return body


def people(app: Flask, state: State) -> None:
    """Admins, teams, contacts, companies, attributes."""

    @app.get("/me")
    def me() -> Response:
        return jsonify(shapes.me(state.admins[OWN_ADMIN], state.made, ZONE_NAME, verified=state.identity_verified))

    @app.get("/admins")
    def admins() -> Response:
        return jsonify(type="admin.list", admins=list(state.admins.values()))

    @app.get("/teams")
    def teams() -> Response:
        return jsonify(type="team.list", teams=list(state.teams.values()))

    @app.get("/contacts/<contact_id>")
    def contact(contact_id: str) -> Response:
        return jsonify(state.contact(contact_id))

    @app.get("/companies/<company_id>")
    def company(company_id: str) -> Response:
        if company_id not in state.companies:
            raise not_found("Company Not Found", "company_not_found")
        return jsonify(state.companies[company_id])

    @app.post("/contacts/search")
    def search_contacts() -> Response:
        return jsonify(state.index.search("contacts", request.get_json(silent=True), "data"))

    @app.get("/data_attributes")
    def attributes() -> Response:
        return jsonify(type="list", data=[])


def conversations(app: Flask, state: State, ledger: Ledger) -> None:
    """Read, search, update, reply and the parts endpoint."""

    def shown(conversation_id: str, changed: bool = False) -> Response:
        if changed:
            ledger.changed(conversation_id)
        with state.context.lock:
            return jsonify(state.show(conversation_id))

    @app.get("/conversations/<conversation_id>")
    def one(conversation_id: str) -> Response:
        return shown(conversation_id)

    @app.post("/conversations/search")
    def search() -> Response:
        return jsonify(state.index.search("conversations", request.get_json(silent=True), "conversations"))

    @app.put("/conversations/<conversation_id>")
    def update(conversation_id: str) -> Response:
        body = asked(may=("read", "title", "custom_attributes", "company_id"))
        state.conversation(conversation_id)
        check_attributes(body.get("custom_attributes", {}), state.duplicates)
        return shown(conversation_id, state.update(conversation_id, body))

    @app.post("/conversations/<conversation_id>/reply")
    def reply(conversation_id: str) -> Response:
        body = asked("message_type", "type", "admin_id", "body", may=("skip_notifications",))
        does = {"note": state.note, "comment": state.admin_reply}.get(body["message_type"])
        if does is None or body["type"] != "admin":
            raise invalid("message_type is note or comment, type is admin")
        return shown(conversation_id, does(conversation_id, body["admin_id"], _inner(body["body"])))

    @app.post("/conversations/<conversation_id>/parts")
    def parts(conversation_id: str) -> Response:
        kind = (request.get_json(silent=True) or {}).get("message_type")
        if kind not in MANAGE:
            raise invalid("message_type is close, open, snoozed or assignment")
        return shown(conversation_id, MANAGE[kind](state, conversation_id))


def _inner(html: str) -> str:
    """Without the outer paragraph, which every body gets."""
    return html.removeprefix("<p>").removesuffix("</p>")


def check_attributes(wanted: Mapping[str, Any], duplicates: set[str]) -> None:
    """Raises Refusal: unknown, of another kind, or the name of two."""
    for name, value in wanted.items():
        if name in duplicates:
            raise invalid(f"Multiple non-archived attributes are named '{name}'", "INVALID_PARAMETER")
        if name not in ATTRIBUTES or (value is not None and type(value) is not KINDS[ATTRIBUTES[name]]):
            raise invalid(f"Custom attribute '{name}' does not exist, or not with this kind of value")


def _close(state: State, conversation_id: str) -> bool:
    return state.close(conversation_id, asked("message_type", "type", "admin_id", may=("body",))["admin_id"])


def _open(state: State, conversation_id: str) -> bool:
    return state.open(conversation_id, asked("message_type", "admin_id")["admin_id"])


def _snooze(state: State, conversation_id: str) -> bool:
    body = asked("message_type", "admin_id", may=("snoozed_until",))
    if not isinstance(body.get("snoozed_until"), int) or body["snoozed_until"] <= state.now():
        raise invalid("snoozed_until is a moment to come")
    return state.snooze(conversation_id, body["admin_id"], body["snoozed_until"])


def _assign(state: State, conversation_id: str) -> bool:
    body = asked("message_type", "type", "admin_id", "assignee_id", may=("body",))
    if body["type"] not in ("admin", "team") or not body["assignee_id"].isdigit():
        raise invalid("type is admin or team, assignee_id a number")
    return state.assign(conversation_id, body["admin_id"], body["assignee_id"], body["type"])


MANAGE: dict[str, Callable[[State, str], bool]] = {
    "close": _close, "open": _open, "snoozed": _snooze, "assignment": _assign,
}  # fmt: skip


def tags(app: Flask, state: State, ledger: Ledger) -> None:
    """The workspace's tags, and those of a conversation."""

    @app.get("/tags")
    def listed() -> Response:
        return jsonify(type="list", data=[_tag(state, tag_id) for tag_id in state.tags])

    @app.post("/tags")
    def create() -> Response:
        return jsonify(_tag(state, state.make_tag(asked("name")["name"])))

    @app.post("/conversations/<conversation_id>/tags")
    def attach(conversation_id: str) -> Response:
        body = asked("id", "admin_id")
        if state.attach(conversation_id, body["id"], body["admin_id"]):
            ledger.changed(conversation_id)
        return jsonify(_tag(state, body["id"]))

    @app.delete("/conversations/<conversation_id>/tags/<tag_id>")
    def detach(conversation_id: str, tag_id: str) -> Response:
        found = state.detach(conversation_id, tag_id, asked("admin_id")["admin_id"])
        ledger.changed(conversation_id)
        return jsonify(found)


def _tag(state: State, tag_id: str) -> Object:
    return {"type": "tag", "id": tag_id, "name": state.tags[tag_id]}
