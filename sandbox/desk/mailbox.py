"""`/sandbox/mailbox/`: everybody's mail. Notices of the product come by its signed webhook and are shown, newest first.

Source: the Standard Webhooks specification, "Verifying webhook authenticity", read 2026-11.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import threading
from collections import deque
from typing import Any

from flask import Blueprint, Response, abort, jsonify, render_template, request

from sandbox.base import strict

KEPT = 200
SECRET = "whsec_" + base64.b64encode(b"sandbox-mailbox-secret-not-safe!").decode()
_LINK = re.compile(r"\s*https?://\S+")


class Mailbox:
    """What came, each notice once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ids: set[str] = set()
        self.letters: deque[dict[str, Any]] = deque(maxlen=KEPT)

    def take(self, notice_id: str, letter: dict[str, Any]) -> None:
        """Keep a notice; a repeat of it is the same one."""
        with self._lock:
            if notice_id not in self._ids:
                self._ids.add(notice_id)
                self.letters.appendleft(letter)


def is_signed(headers: Any, body: bytes) -> bool:  # noqa: ANN401 - any mapping of headers
    """Did the product of this sandbox sign it?"""
    key = base64.b64decode(SECRET.removeprefix("whsec_"))
    told = f"{headers.get('webhook-id', '')}.{headers.get('webhook-timestamp', '')}.".encode() + body
    good = "v1," + base64.b64encode(hmac.new(key, told, hashlib.sha256).digest()).decode()
    return any(hmac.compare_digest(good, one) for one in headers.get("webhook-signature", "").split())


def pages(templates: str) -> Blueprint:
    """The mailbox's blueprint. templates: the folder of the desk's."""
    blueprint = Blueprint("mailbox", __name__, url_prefix="/sandbox/mailbox", template_folder=templates)
    box = Mailbox()

    @blueprint.post("/hook")
    def hook() -> Response:
        if not is_signed(request.headers, request.get_data()):
            abort(401)
        sent = request.get_json()
        data = sent["data"]
        text = str(data.get("text", ""))
        found = _LINK.search(text)
        box.take(request.headers["webhook-id"], {
            "kind": sent["type"], "subject": data["subject"], "to": ", ".join(data.get("to", ())) or "whoever is on duty",
            "text": _LINK.sub("", text).strip(), "link": found.group(0).strip() if found else "",
        })  # fmt: skip
        return jsonify(ok=True)

    @blueprint.get("/")
    def listed() -> str:
        scheme = "dark" if request.args.get("scheme") == "dark" else "light"
        return render_template("mailbox.html", letters=list(box.letters), scheme=scheme)

    strict(blueprint, "style-src 'unsafe-inline'; img-src data:")
    return blueprint
