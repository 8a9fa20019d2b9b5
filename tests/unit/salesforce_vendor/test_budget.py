"""Our share of the org's day: as the org told it, kept to over all processes, and no call is made beyond it."""

import pytest
import redis

from integrations.kernel.crm import Shape
from integrations.kernel.errors import RateLimited
from integrations.transport.gate import SharedGate


@pytest.fixture
def gate(redis_url):
    """gate() -> that of another process."""
    client = redis.Redis.from_url(redis_url)
    yield lambda: SharedGate(client)
    client.close()


def push_all(client, draft, most=100):
    """Push until the budget says no."""
    for _ in range(most):
        client.push([draft()])


def test_a_fifth_of_the_day_is_ours_and_then_nothing_is_called(org, crm, draft, gate):
    daily = org.local.simulator.daily
    daily.allow(100)
    client = crm(gate=gate())
    with pytest.raises(RateLimited) as caught:
        push_all(client, draft)
    assert 86_000 < caught.value.retry_after_s <= 86_400
    assert daily.used == 21  # a describe, whose answer told the day and which is not counted, and the pushes
    assert len(org.rows("Lead")) == 20
    usage = client.usage()
    assert (usage.used, usage.allowed, usage.ours, usage.share) == (21, 100, 20, 20)
    assert usage.wait_s > 86_000
    with pytest.raises(RateLimited):
        client.find(Shape.LEAD, ["x"])
    assert daily.used == 21


def test_another_process_keeps_to_the_same_share_once_it_was_told_the_day(org, crm, draft, gate):
    daily = org.local.simulator.daily
    daily.allow(100)
    first, second = crm(gate=gate()), crm(gate=gate())
    for _ in range(15):
        first.push([draft()])
    made = first.usage().ours
    with pytest.raises(RateLimited):
        push_all(second, draft)
    assert daily.used - 2 == 20  # the first call of each was made to be told
    assert second.usage().ours == 20 > made


def test_an_admin_gives_more_or_less(org, crm, draft, gate):
    org.local.simulator.daily.allow(100)
    client = crm(gate=gate(), daily_share="5")
    with pytest.raises(RateLimited):
        push_all(client, draft)
    assert client.usage().share == 5
    more = crm(gate=gate(), daily_share="50")
    more.push([draft()])
    assert (more.usage().share, more.usage().wait_s) == (50, 0.0)


def test_what_is_left_at_the_end_is_kept_for_sending(org, crm, draft, gate):
    org.local.simulator.daily.allow(100)
    client = crm(gate=gate())
    while (client.usage().ours or 0) < 16:
        assert not client.usage().is_tight
        client.push([draft()])
    assert client.usage().is_tight
    assert client.usage().wait_s == 0
    assert client.push([draft()])[0].state == "created"


def test_others_who_use_the_day_up_stop_us_before_its_end(org, crm, draft, gate):
    daily = org.local.simulator.daily
    client = crm(gate=gate())
    client.push([draft()])
    daily.used = int(daily.allowed * 0.81)
    client.push([draft()])
    usage = client.usage()
    assert usage.wait_s > 0
    assert usage.ours < usage.share
    with pytest.raises(RateLimited):
        client.push([draft()])
    assert len(org.rows("Lead")) == 2


def test_the_orgs_own_refusal_is_a_wait_and_nothing_was_made(org, crm, draft, gate):
    daily = org.local.simulator.daily
    client = crm(gate=gate(), daily_share="100")
    client.push([draft()])
    daily.allow(daily.used)
    with pytest.raises(RateLimited) as caught:
        client.push([draft()])
    assert caught.value.retry_after_s == 3600
    asked = org.calls()
    with pytest.raises(RateLimited):
        client.push([draft()])
    assert org.calls() == asked  # it is not asked again for a while
    assert 3500 < crm(gate=gate()).usage().wait_s <= 3600  # by no process
    assert len(org.rows("Lead")) == 1


def test_too_many_calls_at_once_are_no_used_up_day(org, crm, draft, gate):
    told = '[{"errorCode": "REQUEST_LIMIT_EXCEEDED", "message": "ConcurrentPerOrgLongTxn Limit exceeded."}]'
    client = crm(gate=gate())
    client.push([draft()])
    org.fault(kind="status", status=403, method="PATCH", body=told)
    with pytest.raises(RateLimited) as caught:
        client.push([draft()])
    assert caught.value.retry_after_s == 60
    assert client.usage().wait_s == 0
    assert client.push([draft()])[0].state == "created"
