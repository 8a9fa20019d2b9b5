"""What starts, starts fast and light; what production must not offer is not there."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from app.config import SANDBOX_KEY, load
from app.factory import create_app
from bench import start

ROOT = Path(__file__).resolve().parents[2]


def test_a_web_process_is_ready_in_little_cpu_and_knows_no_vendors_sdk():
    assert start.ready() < 7 * start.bare(), (
        "less than twice what it takes, on any machine; ready() itself refuses a vendor's SDK"
    )


def test_an_sdk_that_a_web_process_imports_is_noticed(monkeypatch):
    monkeypatch.setattr(start, "CODE", "import stripe\n" + start.CODE)
    with pytest.raises(SystemExit, match="imported stripe"):
        start.ready()


def test_a_refused_start_lists_every_wrong_setting_and_no_value():
    environment = {**os.environ, "MODE": "production", "WEB_PORT": "ten", "MASTER_KEYS": SANDBOX_KEY}  # noqa: TID251
    done = subprocess.run(
        [sys.executable, "-c", "import wsgi"], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    assert done.returncode != 0
    for name in ("DATABASE_URL", "REDIS_URL", "MASTER_KEYS", "METRICS_TOKENS", "PUBLIC_URL", "WEB_PORT"):
        assert f"{name}: " in done.stderr
    assert SANDBOX_KEY not in done.stderr


def routes(mode):
    production = {
        "DATABASE_URL": "postgresql://x/y", "REDIS_URL": "redis://z", "PUBLIC_URL": "https://desk.example.com",
        "MASTER_KEYS": "a2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2s=", "METRICS_TOKENS": "t",
    }  # fmt: skip
    return {rule.rule for rule in create_app(load({**production, "MODE": mode})).url_map.iter_rules()}


def test_production_has_no_sandbox_routes():
    assert "/sandbox-explain/<connection>/<ticket>" in routes("sandbox")
    assert not [rule for rule in routes("production") if "sandbox" in rule]


# Every route and who may call it: a new one fails until it stands here. "signed": by the vendor. "token": METRICS_TOKENS.
ROUTES = {
    ("/healthz", "GET"): "anybody", ("/readyz", "GET"): "anybody", ("/metrics", "GET"): "token",
    ("/webhooks/<vendor>/<connection>", "POST"): "signed", ("/webhooks/<vendor>/<connection>", "HEAD"): "anybody",
}  # fmt: skip


def test_every_route_is_in_the_table_of_who_may_call_it():
    from webhooks import blueprint

    app = create_app(load({"MODE": "development", "METRICS_TOKENS": "secret-token"}))
    app.register_blueprint(blueprint)
    found = {
        (rule.rule, method) for rule in app.url_map.iter_rules() for method in rule.methods - {"OPTIONS"}
        if not (method == "HEAD" and "GET" in rule.methods)
    }  # fmt: skip
    assert found == set(ROUTES)
    assert app.test_client().get("/metrics").status_code == 401
    assert app.test_client().get("/metrics", headers={"Authorization": "Bearer wrong"}).status_code == 401
