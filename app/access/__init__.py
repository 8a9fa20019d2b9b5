"""Who may do what: people of ours, their logins at each helpdesk, and their roles."""

from app.access.policy import CONSOLE, Actor, Login, Role, Staff
from app.access.service import (
    actor,
    add_person,
    attach,
    detach,
    emails,
    folded,
    must_be_new,
    named,
    names,
    people,
    set_email,
    set_role,
    set_rule,
    whose,
)  # fmt: skip

__all__ = [
    "CONSOLE", "Actor", "Login", "Role", "Staff", "actor", "add_person", "attach", "detach", "emails", "folded",
    "must_be_new", "named", "names", "people", "set_email", "set_role", "set_rule", "whose",
]  # fmt: skip
