"""The calls of the CRM's day, over the real client and the simulated Salesforce: leads wait, say so, and go on."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import redis

from app.cli import crm_calls
from app.jobs import tasks
from app.leads.push import WAITS
from integrations.kernel.errors import RateLimited
from integrations.kernel.vendor import Account
from integrations.salesforce.client import connect
from integrations.salesforce.settings import KEY_FIELD, SETTINGS
from integrations.transport.gate import SharedGate
from sandbox.salesforce import oauth
from sandbox.salesforce.local import Local
from tests.crm_world import CRM, SPENT
from tests.lead_scene import Scene


@pytest.fixture
def org():
    made = Local()
    for name in ("Lead", "Opportunity", "Task"):
        made.state.add_field(name, KEY_FIELD, 64, external=True)
    yield made
    made.stop()


@pytest.fixture
def client(org, redis_url):
    """A client that may make 20 of the day's 100 calls."""
    org.simulator.daily.allow(100)
    config = {one.name: one.default for one in SETTINGS if one.default}
    config |= {"my_domain": "acme", "consumer_key": oauth.CONSUMER_KEY, "currency": "USD"}
    account = Account(CRM, "salesforce", org.url, config, {"consumer_secret": (oauth.CONSUMER_SECRET,)})
    server = redis.Redis.from_url(redis_url)
    yield connect(account, SharedGate(server))
    server.close()


@pytest.fixture
def scene(database, client, org):
    made = Scene(database, client)
    company, owner = next(iter(org.state.rows["Account"].values())), "005"
    owner = next(r["Id"] for r in org.state.rows["User"].values() if r["IsActive"])
    made.user(owner)
    made.account(company["Id"], owner=owner, domains=("northwind.example",))
    made.payer("cus_1", "northwind.example")
    return made


def use_up(client, org, calls):
    """Others of our processes make calls until so many are made."""
    while (client.usage().ours or 0) < calls:
        client.directory("")


def test_a_lead_waits_untouched_while_our_share_is_used_up_and_goes_on_when_calls_are_free(
    scene, client, org, redis_url
):
    use_up(client, org, 20)
    scene.signal()
    scene.gather()
    used = org.simulator.daily.used
    assert scene.push() == 0
    one = scene.one()
    assert (one.state, one.tries, org.simulator.daily.used) == ("due", 0, used)
    assert WAITS.labels(CRM)._value.get() > 80_000
    text = crm_calls.sentence(client.usage())
    assert "We made 20 of 20 that are our share" in text
    assert "Leads and reads wait about 23 h" in text or "24 h" in text
    scene.push()
    (told,) = scene.sql("SELECT * FROM notice")
    assert "cannot be called" in told["subject"]
    assert "daily_share" in told["body"]
    redis.Redis.from_url(redis_url).flushall()  # the day's window has passed
    scene.push()
    assert scene.one().state == "pushed"
    assert WAITS.labels(CRM)._value.get() == 0


def test_a_lead_that_meets_the_end_of_the_share_on_its_way_is_due_again_soon(scene, client, org):
    use_up(client, org, 18)
    scene.signal()
    scene.signal("cancellation", "risk")
    scene.gather()
    scene.push()  # a describe and a deal; then nothing is left for the task
    rows = {r["kind"]: r for r in scene.sql("SELECT *, due_at - now() < interval '15 minutes' AS soon FROM lead")}
    assert {rows["renewal"]["state"], rows["risk"]["state"]} == {"pushed", "due"}
    waiting = next(r for r in rows.values() if r["state"] == "due")
    assert "our share" in waiting["why"]
    assert waiting["soon"]
    assert waiting["tries"] == 0  # a day without calls must not use up what a lead is tried for


@pytest.mark.parametrize("work", [tasks._mirror, tasks._verdicts])
def test_reading_waits_earlier_than_sending(scene, client, org, work):
    runtime = SimpleNamespace(clients=SimpleNamespace(crm=lambda _: client), database=scene.database, leads=scene.ctx)
    work(runtime, CRM)
    used = org.simulator.daily.used
    assert used > 1
    use_up(client, org, 16)
    used = org.simulator.daily.used
    work(runtime, CRM)
    assert org.simulator.daily.used == used
    scene.signal()
    scene.run()
    assert scene.one().state == "pushed"


def test_a_quiet_org_is_told_without_a_wait(client):
    assert crm_calls.sentence(client.usage()) == ""
    client.directory("")
    text = crm_calls.sentence(client.usage())
    assert text.startswith("The CRM counts ")
    assert "wait" not in text


def test_an_org_whose_calls_are_all_used_up_is_asked_once_an_hour_and_the_admin_is_told(scene, client, org, redis_url):
    org.simulator.daily.allow(100_000)
    for number in range(450):
        scene.payer(f"cus_{number}x", None, name=f"Company {number}", email=f"pay@company{number}.example")
        scene.signal(payer=f"cus_{number}x")
    scene.gather()
    spent = {"kind": "status", "status": 403, "body": SPENT}
    org.simulator.faults.set([{**spent, "method": "PATCH", "path": "sobjects"}] * 50)
    work = SimpleNamespace(clients=SimpleNamespace(crm=lambda _: client), database=scene.database, leads=scene.ctx)

    def asked():
        return sum(org.calls().values())

    scene.push()
    assert org.calls()[next(name for name in org.calls() if name.startswith("PATCH"))] == 1
    assert 3500 < client.usage().wait_s <= 3600
    assert WAITS.labels(CRM)._value.get() > 3500
    (told,) = scene.sql("SELECT * FROM notice")
    assert (told["kind"], "the CRM's own limit" in told["body"]) == ("lead.waits", True)
    before = asked()
    for _ in range(3):
        scene.push()
        tasks._mirror(work, CRM)
        tasks._verdicts(work, CRM)
    assert asked() == before
    states = scene.sql("SELECT DISTINCT state, tries, job_id FROM lead")
    assert [dict(one) for one in states] == [{"state": "due", "tries": 0, "job_id": ""}]
    assert len(scene.sql("SELECT * FROM notice")) == 1

    redis.Redis.from_url(redis_url).flushall()  # the hour is over: one more look, and it is closed again
    org.simulator.faults.set([{**spent, "path": "services/data"}] * 50)
    for _ in range(3):
        scene.push()
        tasks._mirror(work, CRM)
    assert asked() == before + 1
    redis.Redis.from_url(redis_url).flushall()
    org.simulator.faults.set([])
    scene.push()
    assert {one.state for one in scene.leads()} == {"pushed"}


def test_reading_that_meets_the_orgs_limit_stops_the_leads_too(scene, client, org):
    scene.signal()
    scene.gather()
    org.simulator.faults.set(
        [{"kind": "status", "status": 403, "body": SPENT, "method": "GET", "path": "queryAll"}] * 9
    )
    with pytest.raises(RateLimited):
        client.directory("")
    before = sum(org.calls().values())
    assert scene.push() == 0
    assert sum(org.calls().values()) == before
    assert scene.one().state == "due"
    assert [one["kind"] for one in scene.sql("SELECT kind FROM notice")] == ["lead.waits"]
