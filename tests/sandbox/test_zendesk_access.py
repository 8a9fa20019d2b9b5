"""Credentials at the simulated Zendesk: tokens that end, scopes, roles, the legacy pair, nobody."""

from __future__ import annotations

import time

import pytest

from sandbox.zendesk.gate import LEGACY_TOKEN
from sandbox.zendesk.state import OWN_USER


@pytest.mark.parametrize(
    ("asked", "status", "error"),
    [
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({"client_secret": "wrong"}, 401, "invalid_client"),
        ({"expires_in": 300}, 400, "invalid_request"),
        ({"expires_in": 172_800}, 400, "invalid_request"),
        ({"expires_in": "7200"}, 400, "invalid_request"),
        ({"scope": ""}, 400, "invalid_scope"),
    ],
)
def test_a_token_is_given_only_for_what_it_may_be_asked_for(call, asked, status, error):
    answer = call.token(**asked)
    assert (answer.status_code, answer.json()["error"]) == (status, error)


def test_a_token_ends_after_its_life_and_the_answer_is_zendesks(limited):
    caller = limited(1000).caller(expires_in=301)  # 301 s are 0.3 s
    time.sleep(0.5)
    answer = caller.get("/users/me")
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_token")


def test_revoked_and_unknown_tokens_are_refused(zendesk, call):
    assert call.get("/users/me").status_code == 200
    zendesk.state.tokens.revoke_all()
    assert call.get("/users/me").status_code == 401


@pytest.mark.parametrize(
    ("scope", "method", "path", "allowed"),
    [
        ("read", "GET", "/tickets/1001", True),
        ("read", "PUT", "/tickets/1001", False),
        ("tickets:read", "GET", "/tickets/1001", True),
        ("tickets:read", "GET", "/users/10000", False),
        ("tickets:write", "PUT", "/tickets/1001", True),
        ("tickets:write", "GET", "/tickets/1001", False),
        ("read tickets:write", "GET", "/job_statuses/show_many?ids=x", True),
        ("tickets:read", "GET", "/job_statuses/show_many?ids=x", False),
        ("read webhooks:write", "POST", "/webhooks", True),
        ("read tickets:write", "POST", "/webhooks", False),
        ("ticktes:read", "GET", "/tickets/1001", False),
    ],
)
def test_scopes_are_checked_at_the_call_not_when_they_are_given(zendesk, scope, method, path, allowed):
    zendesk.ticket()
    answer = zendesk.caller(scope=scope).call(
        method, path, {"ticket": {"priority": "low"}} if method == "PUT" else None
    )
    assert (answer.status_code == 403) != allowed
    if not allowed:
        assert answer.json()["description"].startswith("Missing the following required scopes: ")


def test_the_export_webhooks_and_triggers_are_for_admins(zendesk, call):
    zendesk.state.set_role(OWN_USER, "agent")
    for path in ("/incremental/tickets/cursor", "/webhooks", "/triggers"):
        assert call.get(path).status_code == 403
    assert call.get("/groups").status_code == 200


def test_the_legacy_pair_acts_for_its_agent_until_the_switch_is_turned(zendesk, call):
    del call.session.headers["Authorization"]
    call.session.auth = (f"{zendesk.state.users[501]['email']}/token", LEGACY_TOKEN)
    assert call.get("/users/me").json()["user"]["id"] == 501
    zendesk.state.switch(legacy_tokens=False)
    answer = call.get("/users/me")
    assert (answer.status_code, answer.json()) == (401, {"error": "Couldn't authenticate you"})


def test_nobody_is_a_user_without_an_id_and_may_see_nothing(zendesk, call):
    del call.session.headers["Authorization"]
    me = call.get("/users/me")
    assert (me.status_code, me.json()["user"]["id"]) == (200, None)
    assert call.get("/groups").status_code == 401
    call.session.auth = ("nobody@acme.example/token", LEGACY_TOKEN)
    assert call.get("/users/me").status_code == 401
