"""The door for agents: the panel beside the ticket. Fragments from the mirror; a plain view calls no vendor."""

from sidebar_app import routes_refund, routes_void  # noqa: F401 - put their routes on the blueprint
from sidebar_app.approvals import blueprint as approvals
from sidebar_app.intercom_canvas import blueprint as canvas
from sidebar_app.pages import blueprint as pages
from sidebar_app.routes import blueprint

__all__ = ["approvals", "blueprint", "canvas", "pages"]
