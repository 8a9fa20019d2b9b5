"""A web process until it has answered its first request: CPU, and that no vendor's SDK was imported for it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

from bench.report import line
from bench.web import ROOT

ROUNDS, GOAL_S = 7, 1.5
SDKS = frozenset({"zenpy", "stripe", "simple_salesforce"})
BARE = """
import json, resource
import flask, psycopg, redis, sqlalchemy
spent = resource.getrusage(resource.RUSAGE_SELF)
print(json.dumps({"cpu_s": spent.ru_utime + spent.ru_stime}))
"""
CODE = """
import json, resource, sys
import wsgi
from integrations import registry
from integrations.kernel.vendor import Port
for card in registry.by_port(Port.WEBHOOKS):
    registry.webhook_module(card.slug)
assert wsgi.app.test_client().get("/healthz").status_code == 200
spent = resource.getrusage(resource.RUSAGE_SELF)
print(json.dumps({"cpu_s": spent.ru_utime + spent.ru_stime, "modules": sorted({m.split(".")[0] for m in sys.modules})}))
"""


def ready() -> float:
    """CPU seconds of one start, every vendor's webhook code and a first answer included."""
    found = _told(CODE)
    if imported := SDKS & set(found["modules"]):
        raise SystemExit(f"a web process imported {', '.join(sorted(imported))}")
    return float(found["cpu_s"])


def bare() -> float:
    """CPU seconds of importing what no web process can do without: how fast this machine is."""
    return float(_told(BARE)["cpu_s"])


def _told(code: str) -> dict[str, Any]:
    environment = {**os.environ, "DATABASE_URL": "postgresql://x/y", "REDIS_URL": "redis://z"}  # noqa: TID251
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def run() -> None:
    """Print CPU seconds of a start."""
    pairs = [(ready(), bare()) for _ in range(ROUNDS + 1)][1:]  # the first one may still compile
    values, base = (list(side) for side in zip(*pairs, strict=True))
    line("start: CPU until ready / importing flask, psycopg, redis, sqlalchemy", "s", values, base, load="")
    line("start: CPU until a web process is ready", "s", values, load="first request answered", goal=("<=", GOAL_S))
