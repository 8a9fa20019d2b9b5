"""The door for agents: the panel beside the ticket. Server-rendered fragments from the mirror; no vendor is called."""

from sidebar_app.intercom_canvas import blueprint as canvas
from sidebar_app.pages import blueprint as pages
from sidebar_app.routes import blueprint

__all__ = ["blueprint", "canvas", "pages"]
