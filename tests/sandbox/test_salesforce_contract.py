"""The product's own calls to the simulated Salesforce: by the derived document where it has one, by our schemas where not."""

from __future__ import annotations

import json
import time
from collections import Counter
from datetime import UTC, date, datetime

import pytest
import requests

from integrations.kernel.crm import Draft, PushState, Shape
from integrations.kernel.errors import NeedsReauthorisation
from integrations.kernel.vendor import Account
from integrations.salesforce.client import connect
from integrations.salesforce.settings import SETTINGS
from integrations.transport.http import OpenGate
from sandbox import contracts
from sandbox.base.serving import free_port
from sandbox.judging import judge
from sandbox.salesforce import schemas
from sandbox.salesforce.oauth import CONSUMER_KEY, CONSUMER_SECRET

ROOT = "/services/data/v66.0"


@pytest.fixture
def proxied(salesforce, tmp_path):
    """The address of the strict proxy: no call and no answer may break the document or a schema of ours."""
    if not contracts.SPECS.exists():
        pytest.skip(
            "LOUD: ../shared is not beside this repository: the contract of the simulated Salesforce IS NOT CHECKED"
        )
    entry = contracts.VENDORS["salesforce"]
    port = free_port()
    vendor = contracts.Checked(port, salesforce.url, entry.spec, entry.options, entry.own)
    process = contracts.started("salesforce", vendor, tmp_path)
    with requests.Session() as session:
        session.trust_env = False
        until = time.monotonic() + 30
        while True:
            try:
                session.get(f"http://127.0.0.1:{port}/__contract__/report", timeout=1)
                break
            except requests.RequestException:
                assert time.monotonic() < until
                time.sleep(0.05)
    yield f"http://127.0.0.1:{port}"
    own = contracts.judged("salesforce", vendor, tmp_path)
    found = contracts.report(port, own)
    process.kill()
    process.wait()
    lines = [line for line in (tmp_path / "salesforce.jsonl").read_text().splitlines() if '"violation"' in line]
    assert own.violations == []
    assert found["violations"] == 0, "\n".join(lines[:8])[:4000]
    assert found["unjudged"] == own.calls > 0


@pytest.fixture
def crm(proxied):
    config = {one.name: one.default for one in SETTINGS if one.default}
    config |= {"my_domain": "acme", "consumer_key": CONSUMER_KEY, "currency": "USD"}
    account = Account("con_crm", "salesforce", proxied, config, {"consumer_secret": (CONSUMER_SECRET,)})
    return connect(account, OpenGate())


def draft(shape=Shape.LEAD, key="k", **values):
    told = {"kind": "renewal", "subject": "Renewal: Acme", "description": "Why now: 80 points"}
    more = {"company": "Acme", "last_name": "Novak"} if shape is Shape.LEAD else {}
    return Draft(**{"shape": shape, "key": key, **told, **more, **values})


@pytest.fixture
def ready(crm):
    """A client whose org is set up, by the product's own setup."""
    assert {one.state.value for one in crm.setup().make(verdicts=True)} == {"made"}
    return crm


def test_setting_up_checking_and_taking_away(ready, salesforce):
    assert ready.check() == []
    assert set(ready.setup().records().values()) == {0}
    salesforce.state.permit(False)
    assert {one.state.value for one in ready.setup().remove()} == {"by_hand"}
    salesforce.state.permit()
    assert {one.state.value for one in ready.setup().remove()} == {"removed"}


def test_pushes_of_every_kind_and_what_is_refused(ready, salesforce):
    account = next(iter(salesforce.state.rows["Account"]))
    (alone,) = ready.push([draft(key="a", email="a@x.example")])
    many = ready.push([draft(key="b"), draft(key="c", email="A@x.example"), draft(key="d", email="no address")])
    assert [one.state for one in (alone, *many)] == [
        PushState.CREATED, PushState.CREATED, PushState.LINKED, PushState.REFUSED,
    ]  # fmt: skip
    assert (
        ready.push([draft(object_id=alone.object_id, description="x", only=("description",))])[0].state
        is PushState.UPDATED
    )
    salesforce.state.convert(alone.object_id)
    assert ready.push([draft(key="a")])[0].state is PushState.CONVERTED
    deals = [draft(Shape.DEAL, key=one, account_id=account, close_on=date(2027, 1, 1)) for one in "ab"]
    assert {one.state for one in ready.push(deals)} == {PushState.CREATED}
    assert ready.push([draft(Shape.TASK, key="t", account_id=account)])[0].state is PushState.CREATED
    salesforce.state.lock_row(account)
    assert {one.state for one in ready.push(deals)} == {PushState.AGAIN}


def test_reading_companies_people_and_standings(ready, salesforce):
    made = ready.push([draft(key=f"k{n}") for n in range(3)])
    salesforce.state.reject("Lead", made[0].object_id, "No budget")
    salesforce.state.delete("Lead", made[1].object_id)
    assert set(ready.find(Shape.LEAD, ["k0", "k1", "k2"])) == {"k0", "k2"}
    assert ready.show(Shape.LEAD, [made[0].object_id])[made[0].object_id].verdict == "Rejected"
    for read in (ready.directory, lambda cursor: ready.standings(cursor, datetime(2026, 1, 1, tzinfo=UTC))):
        cursor, at_end = "", False
        while not at_end:
            page = read(cursor)
            cursor, at_end = page.cursor, page.at_end


def test_jobs_and_their_results(ready, salesforce):
    salesforce.state.assign_leads(next(iter(salesforce.state.rows["User"])))
    drafts = [draft(key=f"k{n}", last_name="" if n == 7 else "N") for n in range(60)]
    job_id = ready.bulk(drafts)
    while not (job := ready.bulk_state(job_id, Shape.LEAD)).finished:
        time.sleep(0.02)
    assert Counter(one.state for one in job.results) == {PushState.CREATED: 59, PushState.REFUSED: 1}
    salesforce.state.pause_jobs()
    job_id = ready.bulk([draft(key="late")])
    ready.bulk_abort(job_id)
    salesforce.state.pause_jobs(False)
    assert ready.bulk_state(job_id, Shape.LEAD).finished


def test_a_session_that_ends_and_a_secret_that_is_wrong(ready, salesforce, proxied):
    salesforce.state.expire_sessions()
    assert ready.push([draft()])[0].state is PushState.CREATED
    config = {"my_domain": "acme", "consumer_key": CONSUMER_KEY}
    wrong = connect(Account("c", "salesforce", proxied, config, {"consumer_secret": ("wrong",)}), OpenGate())
    with pytest.raises(NeedsReauthorisation):
        wrong.find(Shape.LEAD, ["k"])


def test_documented_answers_pass_whatever_is_read(proxied, salesforce):
    lead = salesforce.state.create("Lead", {"LastName": "L", "Company": "C"})["Id"]
    call = salesforce.caller(proxied)
    call("GET", "tooling/query", params={"q": "SELECT Id FROM CustomField"})
    for kind in ("Account", "Contact", "Lead", "Opportunity", "Task", "User"):
        assert call("GET", f"sobjects/{kind}/describe").status_code == 200
        for object_id in list(salesforce.state.rows[kind])[:1]:
            assert call("GET", f"sobjects/{kind}/{object_id}").status_code == 200
    assert call("PATCH", f"sobjects/Lead/{lead}", json={"Rating": "Hot"}).status_code == 204
    assert call("DELETE", f"sobjects/Lead/{lead}").status_code == 204
    assert call("GET", f"sobjects/Lead/{lead}").status_code == 404


def exchange(method, url, body="", status=200, response="[]"):
    body, response = (one if isinstance(one, str) else json.dumps(one) for one in (body, response))
    return json.dumps({"method": method, "url": f"{ROOT}/{url}", "body": body, "status": status, "response": response})


RECORD = {"attributes": {"type": "Lead"}, "K__c": "k"}
TAKEN = {"success": True, "id": "00QSb0000000001AAA", "created": True, "errors": []}


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        (exchange("PATCH", "composite/sobjects/Lead/K__c", {"records": []}), "should be non-empty"),
        (exchange("PATCH", "composite/sobjects/Lead/K__c", {"records": [RECORD], "allOrNone": True}), "allOrNone"),
        (exchange("PATCH", "composite/sobjects", {"records": [RECORD]}), "'id' is a required property"),
        (exchange("PATCH", "composite/sobjects/Lead/K__c", {"records": [RECORD]}, response=[{"success": False, "errors": []}]),
         "is not valid under any"),
        (exchange("POST", "jobs/ingest", {"object": "Lead", "operation": "upsert"}, response={}), "externalIdFieldName"),
        (exchange("PUT", "jobs/ingest/1/batches", 'a,b\n"x"y,1\n', 201, ""), "no CSV"),
        (exchange("PUT", "jobs/ingest/1/batches", "a,b\n1\n", 201, ""), "no CSV"),
        (exchange("GET", "jobs/ingest/1/failedResults", response="sf__Id\n1\n"), "sf__Error"),
        (exchange("GET", "jobs/ingest/1", status=500), "a status that its schema does not list"),
        (exchange("GET", "jobs/query/1"), "an operation that our schemas do not know"),
        (exchange("GET", "queryAll?q=x", status=400, response={"error": "x"}), "is not of type 'array'"),
    ],
)  # fmt: skip
def test_a_call_that_breaks_our_own_schema_counts_as_a_violation(wrong, why):
    good = exchange(
        "PATCH", "composite/sobjects/Lead/K__c", {"records": [RECORD], "allOrNone": False}, response=[TAKEN]
    )
    cut = exchange("GET", "queryAll?q=x", response='{"totalSize":' + " " * 4000)
    documented = exchange("GET", "sobjects/Lead/describe", response="nonsense")
    judged = judge([good, cut, documented, wrong], schemas)
    assert judged.calls == 3
    assert len(judged.violations) == 1
    assert why in judged.violations[0]


def test_a_token_is_asked_for_by_a_form_that_says_how():
    form = "grant_type=client_credentials"
    told = json.dumps({"access_token": "t", "instance_url": "https://x.example", "token_type": "Bearer"})
    row = {"method": "POST", "url": "/services/oauth2/token", "body": form, "status": 200, "response": told}
    for body, violations in ((form, 0), ("grant_type=password", 1), ("{}", 1), (f"{form}&username=u", 1)):
        assert len(judge([json.dumps({**row, "body": body})], schemas).violations) == violations
