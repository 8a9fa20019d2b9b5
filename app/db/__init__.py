"""The one database: table metadata, connections, transactions.

A use case opens `database.begin()` and commits by leaving it; stores take the connection and never commit. Threads that
call vendors hold no connection.
"""

from app.db.database import Database
from app.db.schema import load_models, metadata

__all__ = ["Database", "load_models", "metadata"]
