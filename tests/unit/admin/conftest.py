"""The console on a real database, asked by Flask's test client as a browser would."""

from __future__ import annotations

import pytest

from app.admin import blueprint as admin
from app.factory import create_app
from sidebar_app import approvals
from sidebar_app import blueprint as sidebar
from tests import admin_world as console
from tests import sidebar_world as world


@pytest.fixture
def app(database):
    made = create_app(world.settings(database))
    for one in (sidebar, approvals, admin):
        made.register_blueprint(one)
    yield made
    made.extensions["deskbridge"].database.close()


@pytest.fixture
def people(app, database):
    """A browser of one person of each role, not signed in."""
    with database.begin() as cx:
        ids = console.name_people(cx)
    return {role: console.Visitor(app, one) for role, one in ids.items()}
