"""People of the console and their browsers, and leads in every state, in a database of the test's own."""

from __future__ import annotations

import html
import re
from datetime import UTC, datetime

from app import access
from app.access import CONSOLE, Role
from app.admin import links
from app.admin.console import COOKIE
from app.sessions import open_session
from app.ui.door import csrf_of
from tests import sidebar_world as world

ORIGIN = "http://127.0.0.1:8300"


def now():
    return datetime.now(UTC)


def name_people(cx):
    """One person of each role; answers their ids."""
    return {r: access.add_person(cx, "per_setup", r.value.title(), r, f"{r.value}@acme.example") for r in Role}


class Visitor:
    """Somebody's browser on the console; person_id "" is nobody of ours."""

    def __init__(self, app, person_id=""):
        self.app, self.person_id, self.client, self.csrf = app, person_id, app.test_client(), ""

    def link(self):
        runtime = self.app.extensions["deskbridge"]
        with runtime.database.begin() as cx:
            return links.make(cx, runtime.settings.public_url, self.person_id, now(), "console")

    def use(self, link, **form):
        page = self.client.get(link.removeprefix(ORIGIN))
        code = re.search(r'name="code" value="([^"]*)"', page.text).group(1)
        return self.client.post("/admin/enter", data={"code": code, **form}, headers={"Origin": ORIGIN})

    def let_in(self, connection=CONSOLE):
        """A session without the link, for tests that are about something else."""
        with self.app.extensions["deskbridge"].database.begin() as cx:
            secret = open_session(cx, connection, self.person_id or "500", now(), door="page")
        for path in ("/admin", "/approvals"):
            self.client.set_cookie(COOKIE, secret, path=path, domain="localhost")
        self.csrf = csrf_of(secret)
        return self

    def get(self, path, **headers):
        return self.client.get(path, headers=headers)

    def post(self, path, origin=ORIGIN, **form):
        return self.client.post(path, data={"csrf": self.csrf, **form}, headers={"Origin": origin})


def text_of(answer):
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", answer.text))).replace("\xa0", " ")


__all__ = ["ORIGIN", "Visitor", "name_people", "now", "text_of", "world"]
