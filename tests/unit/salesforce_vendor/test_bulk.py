"""Thousands of drafts by jobs of Bulk API 2.0, over real HTTP: calls, results by key, partial failure, jobs that end early."""

import csv
import io
import json
import time
from datetime import date

import pytest

from integrations.kernel.crm import PushState, Shape
from integrations.kernel.errors import (
    OutcomeUnknown,
    RateLimited,
    VendorContractChanged,
    VendorRejected,
    VendorUnavailable,
)
from integrations.salesforce import tables
from integrations.salesforce.settings import KEY_FIELD
from sandbox.salesforce.kinds import full_id

INGEST = "jobs/ingest"


def wait(client, job_id, shape=Shape.LEAD):
    """The job when it has ended; the simulator works it off by itself."""
    for _ in range(400):
        job = client.bulk_state(job_id, shape)
        if job.finished:
            return job
        time.sleep(0.02)
    raise AssertionError("the job did not end")


def states(job):
    return {one.key: one.state.value for one in job.results}


def calls(org):
    """Calls of Bulk, polls apart."""
    return sum(n for name, n in org.local.calls().items() if INGEST in name and not name.startswith("GET"))


def test_ten_thousand_leads_are_one_job_and_every_key_has_its_result(org, crm, draft):
    client = crm()
    drafts = [draft(last_name=f"L{n}", owner_id=org.owner()) for n in range(10_000)]
    job = wait(client, client.bulk(drafts))
    assert states(job) == {one.key: "created" for one in drafts}
    assert {one.object_id for one in job.results} == {row["Id"] for row in org.rows("Lead")}
    assert {row[KEY_FIELD]: row["LastName"] for row in org.rows("Lead")} == {one.key: one.last_name for one in drafts}
    assert calls(org) == 3
    assert org.local.simulator.daily.used <= 60


def test_a_job_that_is_sent_twice_changes_the_same_records(org, crm, draft):
    client, drafts = crm(), [draft(last_name=f"L{n}") for n in range(5)]
    first, again = (wait(client, client.bulk(drafts)) for _ in range(2))
    assert set(states(again).values()) == {"updated"}
    assert {o.key: o.object_id for o in first.results} == {o.key: o.object_id for o in again.results}
    assert len(org.rows("Lead")) == 5


def test_known_records_and_those_the_org_gives_an_owner_are_jobs_of_their_own_under_one_id(org, crm, draft):
    client = crm()
    known = client.push([draft(last_name="K")])[0].object_id
    drafts = [draft(), draft(owner_id=org.owner()), draft(object_id=known, description="later", only=("description",))]
    job_id = client.bulk(drafts)
    assert job_id.count("+") == 2
    job = wait(client, job_id)
    assert states(job) == dict(zip([one.key for one in drafts], ["created", "created", "updated"], strict=True))
    assert (org.row(known)["Description"].split("\n")[0], org.row(known)["LastName"]) == ("later", "K")
    assert calls(org) == 9


def test_a_job_of_known_records_leaves_the_key_that_was_there_and_what_is_not_named(org, crm, draft):
    client = crm()
    (made,) = client.push([draft(Shape.DEAL, close_on=date(2027, 1, 1), values={"next_step": "call"})])
    org.state.update("Opportunity", made.object_id, {"StageName": "Qualification", "Name": "The rep's"})
    one = draft(Shape.DEAL, key=made.key, object_id=made.object_id, description="ON HOLD: x", only=("description",))
    job = wait(client, client.bulk([one]), Shape.DEAL)
    row = org.row(made.object_id)
    assert states(job) == {made.key: "updated"}
    assert (row["Description"], row["StageName"], row["Name"]) == ("ON HOLD: x", "Qualification", "The rep's")
    assert (row["NextStep"], row["CloseDate"], row[KEY_FIELD]) == ("call", "2027-01-01", made.key)


@pytest.mark.parametrize("text", [
    'quotes "inside", and, commas', "lines\nand\r\nmore", "=1+1", "-2", "+3", "@x", "#N/A", "ümläut ✓ 𝒳", " spaces ", "a;b|c\td",
])  # fmt: skip
def test_any_text_arrives_as_it_was(org, crm, draft, text):
    client, one = crm(), draft(Shape.TASK, description=text, subject=text[:60] or "x")
    wait(client, client.bulk([one]), Shape.TASK)
    (row,) = org.rows("Task")
    assert row["Description"].replace("\r\n", "\n").strip() == (
        text.replace("\r\n", "\n").strip().replace("#N/A", "N/A")
    )


def test_numbers_and_dates_keep_their_kind(org, crm, draft):
    from integrations.kernel.money import Money

    client = crm(currency="KWD")
    one = draft(Shape.DEAL, close_on=date(2027, 1, 31), amount=Money(1_234_567, "KWD"))
    wait(client, client.bulk([one]), Shape.DEAL)
    (row,) = org.rows("Opportunity")
    assert (row["Amount"], row["CloseDate"]) == (1234.567, "2027-01-31")


def test_what_one_record_is_refused_for_is_its_result_and_the_others_are_taken(org, crm, draft):
    client, account = crm(), org.account()["Id"]
    org.state.create("Lead", {"LastName": "Known", "Company": "I", "Email": "ada@initech.example"})
    good, bad, twice = draft(), draft(last_name="", email="x"), draft(email="ada@initech.example")
    job = wait(client, client.bulk([good, bad, twice]))
    told = {one.key: one for one in job.results}
    assert told[good.key].state is PushState.CREATED
    assert told[bad.key].state is PushState.REFUSED
    assert told[bad.key].code in ("REQUIRED_FIELD_MISSING", "INVALID_EMAIL_ADDRESS")
    assert told[twice.key].state is PushState.AGAIN  # a job names no other record: asked again by itself, it is linked
    assert client.push([twice])[0].state is PushState.LINKED
    org.state.lock_row(account)
    locked = draft(Shape.DEAL, account_id=account, close_on=date(2027, 1, 1))
    (result,) = wait(client, client.bulk([locked]), Shape.DEAL).results
    assert (result.state, result.code) == (PushState.AGAIN, "UNABLE_TO_LOCK_ROW")


def test_a_converted_lead_in_a_job_is_asked_again_by_itself_and_followed(org, crm, draft):
    client = crm()
    (made,) = client.push([draft()])
    org.state.convert(made.object_id)
    one = draft(object_id=made.object_id)
    (result,) = wait(client, client.bulk([one])).results
    assert (result.state, result.object_id) == (PushState.CONVERTED, made.object_id)


def test_while_a_job_runs_one_call_says_so(org, crm, draft):
    client = crm()
    job_id = client.bulk([draft()])
    for state in ("Open", "UploadComplete", "InProgress"):
        org.fault(kind="status", status=200, path=f"{INGEST}/", body=json.dumps({"id": job_id, "state": state}))
        before = org.local.simulator.ledger.calls.copy()
        job = client.bulk_state(job_id, Shape.LEAD)
        assert (job.finished, job.results) == (False, ())
        assert sum((org.local.simulator.ledger.calls - before).values()) == 1


@pytest.mark.parametrize("state", ["Failed", "Aborted"])
def test_a_job_that_ended_early_tells_what_was_done_and_what_was_not(org, crm, draft, state):
    client = crm()
    done, left = draft(), draft()
    job_id = client.bulk([done])
    wait(client, job_id)
    header = f'"{KEY_FIELD}"\n'
    org.local.simulator.faults.set([
        {"kind": "status", "status": 200, "path": rf"{INGEST}/\w+$",
         "body": json.dumps({"id": job_id, "state": state, "errorMessage": "TooManyLockFailure: too many"})},
        {"kind": "status", "status": 200, "path": "unprocessedRecords", "body": f'{header}"{left.key}"\n'},
    ])  # fmt: skip
    told = {one.key: one for one in client.bulk_state(job_id, Shape.LEAD).results}
    assert told[done.key].state is PushState.CREATED
    assert (told[left.key].state, told[left.key].code) == (PushState.AGAIN, "UNPROCESSED")
    assert "TooManyLockFailure" in told[left.key].detail


def test_a_job_whose_start_was_cut_is_unknown_and_its_records_are_found_by_key(org, crm, draft):
    client, one = crm(), draft()
    org.local.simulator.faults.set([
        {"kind": "cut_after", "method": "PATCH", "path": INGEST},
        {"kind": "status", "status": 503, "method": "PATCH", "path": INGEST},  # it could not be aborted either
    ])  # fmt: skip
    with pytest.raises(OutcomeUnknown):
        client.bulk([one])
    for _ in range(400):
        if client.find(Shape.LEAD, [one.key]):
            break
        time.sleep(0.02)
    assert client.push([one])[0].state is PushState.UPDATED
    assert len(org.rows("Lead")) == 1


def state(client, number):
    """Of the org's jobs, by their number."""
    return client.call("GET", f"{INGEST}/{full_id(f'750Sb{number:010d}')}")["state"]


@pytest.mark.parametrize(
    ("rule", "error"),
    [
        ({"method": "PUT", "kind": "status", "status": 503}, VendorUnavailable),
        ({"method": "PUT", "kind": "cut_after"}, OutcomeUnknown),
        ({"method": "PATCH", "kind": "status", "status": 503}, VendorUnavailable),
        ({"method": "PATCH", "kind": "cut_after"}, OutcomeUnknown),
    ],
)
def test_a_job_that_was_not_wholly_started_is_aborted_so_that_it_never_runs_later(org, crm, draft, rule, error):
    client = crm()
    org.state.pause_jobs()
    org.fault(path=INGEST, **rule)
    with pytest.raises(error):
        client.bulk([draft()])
    assert state(client, 1) == "Aborted"
    org.state.pause_jobs(False)
    time.sleep(0.3)
    assert org.rows("Lead") == []


def test_jobs_are_aborted_also_those_behind_one_that_ended_by_itself(org, crm, draft):
    client = crm()
    ended = client.bulk([draft()])
    wait(client, ended)
    org.state.pause_jobs()
    late = client.bulk([draft()])
    client.bulk_abort(f"{ended}+{late}")
    org.state.pause_jobs(False)
    assert [state(client, n) for n in (1, 2)] == ["JobComplete", "Aborted"]
    assert {one.state for one in client.bulk_state(late, Shape.LEAD).results} <= {PushState.AGAIN}
    assert len(org.rows("Lead")) == 1
    org.fault(kind="status", status=503, method="PATCH", path=INGEST)
    with pytest.raises(VendorUnavailable):
        client.bulk_abort(late)


def test_a_job_that_could_not_begin_is_told_as_what_it_is(org, crm, draft):
    client = crm()
    client.push([draft()])
    for rule, error in (
        ({"status": 503}, VendorUnavailable), ({"status": 429}, RateLimited),
        ({"status": 400, "body": '[{"errorCode": "FEATURENOTENABLED", "message": "m"}]'}, VendorRejected),
        ({"status": 403, "body": '[{"errorCode": "REQUEST_LIMIT_EXCEEDED", "message": "m"}]'}, RateLimited),
        ({"status": 200, "body": "{}"}, VendorContractChanged),
    ):  # fmt: skip
        org.fault(kind="status", method="POST", path=INGEST, **rule)
        with pytest.raises(error):
            client.bulk([draft()])
    assert len(org.rows("Lead")) == 1


def test_when_a_later_job_cannot_begin_the_end_of_all_is_unknown(org, crm, draft):
    client = crm()
    org.state.pause_jobs()
    org.local.simulator.faults.set([
        {"kind": "delay", "seconds": 0, "method": "POST", "path": INGEST},
        {"kind": "status", "status": 503, "method": "POST", "path": INGEST},
    ])  # fmt: skip
    with pytest.raises(OutcomeUnknown, match="some of the jobs were started"):
        client.bulk([draft(), draft(owner_id=org.owner())])
    assert state(client, 1) == "Aborted"  # else it would write what is old by then over what is sent meanwhile


@pytest.mark.parametrize("kind", ["successfulResults", "failedResults", "unprocessedRecords"])
def test_results_in_an_unknown_shape_are_said_to_be_so(org, crm, draft, kind):
    client = crm()
    job_id = client.bulk([draft()])
    wait(client, job_id)
    org.fault(kind="status", status=200, path=kind, body='"sf__Id","Name"\n"00Q","x"\n')
    with pytest.raises(VendorContractChanged):
        client.bulk_state(job_id, Shape.LEAD)


# Pure --------------------------------------------------------------------------


def test_a_job_is_cut_where_its_results_would_be_too_large_and_no_record_is_lost():
    records = [{"k": f"key{n}", "text": "x" * 50} for n in range(100)]
    bodies = list(tables.jobs(records, most=1000))
    assert all(len(body) <= 1000 for body in bodies)
    rows = [row for body in bodies for row in csv.DictReader(io.StringIO(body.decode(), newline=""))]
    assert rows == records
    assert len(list(tables.jobs([{"k": "x" * 5000}], most=1000))) == 1


@pytest.mark.parametrize(
    ("said", "code", "state", "part"),
    [
        ("REQUIRED_FIELD_MISSING:Required fields are missing: [LastName]:LastName --", "REQUIRED_FIELD_MISSING", "refused",
         "Fields: LastName."),
        ("STRING_TOO_LONG:Name: data value too large: a:b (max length=3):Name --", "STRING_TOO_LONG", "refused", "Fields: Name."),
        ("DUPLICATES_DETECTED:Use one of these records?:--", "DUPLICATES_DETECTED", "again", "once more by itself"),
        ("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY:Flow X:--", "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", "again", "once more"),
        ("BRAND_NEW:ann@x.example said no:--", "BRAND_NEW", "refused", "[address] said no"),
        ("", "UNKNOWN", "refused", "refused"), ("nonsense", "nonsense", "refused", "refused"),
    ],
)  # fmt: skip
def test_a_line_of_the_failed_is_read_as_its_code_message_and_fields(said, code, state, part):
    failed = io.StringIO()
    writer = csv.writer(failed, quoting=csv.QUOTE_ALL)
    writer.writerows([("sf__Id", "sf__Error", "k"), ("00Q1", said, "key1")])
    (told,) = tables.results("", failed.getvalue(), "", "k")
    assert (told.key, told.code, told.state.value, told.object_id) == ("key1", code, state, "00Q1")
    assert part in told.detail
