"""The web process: settings -> app -> doors mounted. The only module that knows everybody."""

from app.admin import blueprint as admin
from app.cli import register
from app.config import load
from app.factory import create_app
from sidebar_app import approvals, canvas, pages
from sidebar_app import blueprint as sidebar
from webhooks import blueprint as webhooks

app = create_app(load())
app.register_blueprint(webhooks)
app.register_blueprint(sidebar)
app.register_blueprint(pages)
app.register_blueprint(canvas)
app.register_blueprint(approvals)
app.register_blueprint(admin)
register(app)
