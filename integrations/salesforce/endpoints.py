"""Names of the endpoints we call, for budgets and metrics.

The one limit known is the org's calls in any 24 hours, and the org tells it with every answer (`Sforce-Limit-Info`): the
client puts it into the account's `calls_per_day`, so nothing is said here before the first answer.
"""

from __future__ import annotations

import re

from integrations.transport.limits import Limit

_ROUTES = (
    ("PATCH", re.compile(r"/composite/sobjects$"), "update_many"),
    ("PATCH", re.compile(r"/composite/sobjects/"), "upsert_many"),
    ("GET", re.compile(r"/tooling/query"), "tooling_query"),
    ("*", re.compile(r"/tooling/"), "custom_field"),
    ("GET", re.compile(r"/sobjects/\w+/describe"), "describe"),
    ("PATCH", re.compile(r"/sobjects/\w+/\w+/"), "upsert"),
    ("GET", re.compile(r"/queryAll"), "query_all"),
    ("GET", re.compile(r"/query"), "query"),
    ("GET", re.compile(r"/limits"), "limits"),
    ("POST", re.compile(r"/jobs/ingest"), "bulk_create"),
    ("PUT", re.compile(r"/jobs/ingest/"), "bulk_upload"),
    ("PATCH", re.compile(r"/jobs/ingest/"), "bulk_close"),
    ("GET", re.compile(r"/jobs/ingest/\w+/\w+"), "bulk_results"),
    ("GET", re.compile(r"/jobs/ingest/"), "bulk_state"),
)
LIMITS: dict[str, tuple[Limit, ...]] = {}


def endpoint_of(method: str, path: str) -> str:
    """The endpoint's name; `other` for what is not in the table."""
    return next((name for verb, route, name in _ROUTES if verb in ("*", method) and route.search(path)), "other")
