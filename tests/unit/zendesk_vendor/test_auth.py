"""Credentials: fetched once for all threads, renewed before they end and after a 401."""

import threading

import pytest

from integrations.kernel.errors import NeedsReauthorisation, VendorUnavailable
from integrations.kernel.vendor import Account
from integrations.transport.http import OpenGate
from integrations.zendesk.auth import OAuth
from integrations.zendesk.endpoints import LIMITS, endpoint_of
from sandbox.zendesk import simulator


class Time:
    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Time()


@pytest.fixture
def oauth(desk, clock):
    def build(*secrets, gate=None):
        config = {"client_id": simulator.CLIENT_ID, "scope": "read write"}
        account = Account(
            "con_1", "zendesk", desk.url, config, {"client_secret": secrets or (simulator.CLIENT_SECRET,)}
        )
        return OAuth(account, "acme.zendesk.com", gate or OpenGate(), clock)

    return build


def fetched(desk):
    return sum("oauth" in path for _, path, *_ in desk.requests)


def test_sixteen_threads_fetch_one_token(desk, oauth):
    credentials, seen = oauth(), set()
    threads = [threading.Thread(target=lambda: seen.add(credentials.header())) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 1
    assert fetched(desk) == 1


def test_a_token_is_renewed_at_four_fifths_of_its_life(desk, oauth, clock):
    credentials = oauth()
    first = credentials.header()
    clock.now = 7200 * 0.79
    assert credentials.header() == first
    clock.now = 7200 * 0.81
    assert credentials.header() != first
    assert fetched(desk) == 2


def test_only_the_token_that_was_refused_is_renewed(desk, oauth):
    credentials = oauth()
    first = credentials.header()
    credentials.renew(first)
    second = credentials.header()
    credentials.renew(first)
    assert credentials.header() == second != first
    assert fetched(desk) == 2


def test_a_token_that_ended_early_is_replaced_and_the_call_repeated(desk, helpdesk):
    client = helpdesk()
    client.own_user_id()
    desk.answers["GET", "show_many"] = [(401, b'{"error":"invalid_token"}'), (None, b"")]
    assert client.show_tickets([str(desk.ticket())]).tickets
    assert fetched(desk) == 2


def test_an_older_secret_is_tried_while_it_is_rotated(desk, oauth):
    assert oauth("not yet known", simulator.CLIENT_SECRET).header()
    with pytest.raises(NeedsReauthorisation):
        oauth("wrong", "also wrong").header()


def test_threads_that_waited_for_a_failed_renewal_fail_with_it(desk, oauth, clock):
    desk.answers["POST", "oauth"] = [(500, b"{}")]
    credentials, errors = oauth(), []

    def ask():
        try:
            credentials.header()
        except VendorUnavailable as error:
            errors.append(error)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(errors), fetched(desk)) == (8, 1), "nothing was written, so it is no unknown outcome either"
    desk.answers.clear()
    clock.now += 3
    assert credentials.header()


def test_a_legacy_token_works_and_warns_of_its_end(desk, helpdesk, caplog):
    account = {"legacy_email": "agent@acme.example"}
    client = helpdesk(**account)
    with pytest.raises(NeedsReauthorisation, match="2027-04-30"):
        client.own_user_id()
    assert "2027-04-30" in caplog.text
    assert fetched(desk) == 0


@pytest.mark.parametrize(
    ("method", "path", "name"),
    [
        ("GET", "/api/v2/tickets/show_many.json", "tickets_show_many"),
        ("PUT", "/api/v2/tickets/update_many.json", "tickets_update_many"),
        ("GET", "/api/v2/job_statuses/show_many.json", "job_statuses"),
        ("DELETE", "/api/v2/tickets/35436/tags.json", "ticket_tags#35436"),
        ("PUT", "/api/v2/tickets/35436.json", "ticket_update#35436"),
        ("GET", "/api/v2/tickets/35436/comments.json", "ticket_comments"),
        ("GET", "/api/v2/users/me.json", "users_me"),
        ("GET", "/api/v2/users/8/identities.json", "identities"),
        ("GET", "/api/v2/elsewhere", "other"),
    ],
)
def test_calls_are_named_for_budgets(method, path, name):
    assert endpoint_of(method, path) == name


def test_all_ticket_writes_share_one_limit():
    names = ("tickets_update_many", "ticket_update", "ticket_tags")
    assert {LIMITS[name][0].bucket for name in names} == {"ticket_writes"}
    assert LIMITS["ticket_tags"][1].each
