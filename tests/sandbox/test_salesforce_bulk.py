"""Jobs of Bulk 2.0 at the simulated Salesforce by real HTTP: states, strict CSV, results by line, what ends one early."""

import csv
import io
import time

import pytest

KEY = "Deskbridge_Key__c"
INGEST = "jobs/ingest"
UPSERT = {"object": "Lead", "operation": "upsert", "externalIdFieldName": KEY, "contentType": "CSV", "lineEnding": "LF"}
UPDATE = {"object": "Lead", "operation": "update"}
GOOD = f"LastName,Company,{KEY}\nNovak,Unknown Ltd,k1\n"
RESULTS = ("successfulResults", "failedResults", "unprocessedrecords")


@pytest.fixture
def call(salesforce):
    salesforce.state.add_field("Lead", KEY, 64, external=True)
    return salesforce.caller()


@pytest.fixture
def job(call):
    """job(body, order) -> the id of one that was closed."""

    def started(body, order=UPSERT):
        job_id = make(call, order)
        assert upload(call, job_id, body).status_code == 201
        assert close(call, job_id).status_code == 200
        return job_id

    return started


def make(call, order=UPSERT):
    answer = call("POST", INGEST, json=order)
    assert answer.status_code == 200, answer.text
    assert answer.json()["state"] == "Open"
    return answer.json()["id"]


def upload(call, job_id, body, kind="text/csv; charset=UTF-8"):
    data = body if isinstance(body, bytes) else body.encode()
    return call("PUT", f"{INGEST}/{job_id}/batches", data=data, headers={"Content-Type": kind})


def close(call, job_id, state="UploadComplete"):
    return call("PATCH", f"{INGEST}/{job_id}", json={"state": state})


def ended(call, job_id):
    """The job, when it has ended."""
    for _ in range(500):
        told = call("GET", f"{INGEST}/{job_id}").json()
        if told["state"] not in ("UploadComplete", "InProgress"):
            return told
        time.sleep(0.01)
    raise AssertionError("the job did not end")


def results(call, job_id, name):
    answer = call("GET", f"{INGEST}/{job_id}/{name}")
    assert answer.status_code == 200, answer.text
    return list(csv.DictReader(io.StringIO(answer.text, newline="")))


def code(answer):
    return answer.status_code, answer.json()[0]["errorCode"]


def test_a_job_goes_through_its_states_and_every_call_is_counted(salesforce, call, job):
    salesforce.state.pause_jobs()
    job_id = job(GOOD)
    assert call("GET", f"{INGEST}/{job_id}").json()["state"] in ("UploadComplete", "InProgress")
    assert code(call("GET", f"{INGEST}/{job_id}/successfulResults")) == (400, "INVALIDJOBSTATE")
    assert not salesforce.state.rows["Lead"]
    salesforce.state.pause_jobs(False)
    told = ended(call, job_id)
    assert (told["state"], told["numberRecordsProcessed"], told["numberRecordsFailed"]) == ("JobComplete", 1, 0)
    (lead,) = salesforce.state.rows["Lead"].values()
    (done,) = results(call, job_id, RESULTS[0])
    assert done == {
        "sf__Id": lead["Id"],
        "sf__Created": "true",
        "LastName": "Novak",
        "Company": "Unknown Ltd",
        KEY: "k1",
    }
    assert (results(call, job_id, RESULTS[1]), results(call, job_id, RESULTS[2])) == ([], [])
    counted = salesforce.calls()
    root = "/services/data/<version>/jobs/ingest"
    assert (counted[f"POST {root}"], counted[f"PUT {root}/<job_id>/batches"], counted[f"PATCH {root}/<job_id>"]) == (
        1,
        1,
        1,
    )
    assert counted[f"GET {root}/<job_id>/<name>"] == 4
    assert salesforce.simulator.daily.used == sum(counted.values())
    assert salesforce.simulator.ledger.changes == {lead["Id"]: 1}


def test_each_line_has_its_own_end(salesforce, call, job):
    salesforce.state.create("Lead", {"LastName": "Old", "Company": "C", KEY: "k2"})
    salesforce.state.create("Lead", {"LastName": "Known", "Company": "C", "Email": "known@x.example"})
    job_id = job(
        f'{KEY},LastName,Company,Email,NumberOfEmployees\nk1,A,"C, and ""sons""\nLtd",,7\nK2,New,,,\nk3,,C,,\nk4,B,C,,many\n'
        "K1,Again,C,,\n,No key,C,,\nk5,D,C,KNOWN@x.example,\n"
    )
    told = ended(call, job_id)
    assert (told["numberRecordsProcessed"], told["numberRecordsFailed"]) == (7, 5)
    done = {one[KEY]: one for one in results(call, job_id, RESULTS[0])}
    assert {key: one["sf__Created"] for key, one in done.items()} == {"k1": "true", "K2": "false"}
    made, old = (salesforce.state.rows["Lead"][done[key]["sf__Id"]] for key in ("k1", "K2"))
    assert (made["Company"], made["NumberOfEmployees"]) == ('C, and "sons"\nLtd', 7)
    assert (old["LastName"], old["Company"]) == ("New", "C")  # an empty cell leaves a field alone
    failed = [one["sf__Error"] for one in results(call, job_id, RESULTS[1])]
    assert failed[0] == "REQUIRED_FIELD_MISSING:Required fields are missing: [LastName]:LastName --"
    codes = [one.partition(":")[0] for one in failed[1:]]
    assert codes == ["INVALID_TYPE_ON_FIELD_IN_RECORD", "DUPLICATE_VALUE", "MISSING_ARGUMENT", "DUPLICATES_DETECTED"]


def test_known_records_are_changed_by_their_id_and_fields_are_emptied(salesforce, call, job):
    lead = salesforce.state.create("Lead", {"LastName": "L", "Company": "C", "Rating": "Hot", "Title": "Boss"})
    job_id = job(f"Id,Rating,Title\n{lead['Id']},Cold,#N/A\n00QSb0000009999AAA,Cold,\n", UPDATE)
    ended(call, job_id)
    assert [one["sf__Created"] for one in results(call, job_id, RESULTS[0])] == ["false"]
    assert results(call, job_id, RESULTS[1])[0]["sf__Error"].startswith("NOT_FOUND:")
    assert (lead["Rating"], lead["Title"]) == ("Cold", None)


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (f"LastName,Company,{KEY},Nope__c\nN,U,k1,x\n", "InvalidBatch : Field name not found : Nope__c"),
        ("LastName,Company\nN,U\n", f"InvalidBatch : Field name not found : {KEY}"),
        (f"LastName,lastname,{KEY}\nN,U,k1\n", "a column is there twice"),
        (f"LastName,Company,{KEY}\nN,U\n", "line 2 has another number of cells"),
        (f'LastName,Company,{KEY}\n"N"x,U,k1\n', "Failed to parse CSV"),
        (f'LastName,Company,{KEY}\n"N,U,k1\n', "Failed to parse CSV"),
        (GOOD.replace("\n", "\r\n"), "LineEnding is invalid on user data. Current LineEnding setting is LF"),
        (GOOD.encode("utf-16"), "no UTF-8"),
        ("", "it is empty"),
    ],
)
def test_a_file_that_cannot_be_right_fails_as_a_whole(salesforce, call, job, body, why):
    told = ended(call, job(body))
    assert told["state"] == "Failed"
    assert why in told["errorMessage"]
    assert not salesforce.state.rows["Lead"]


def test_another_ending_and_delimiter_are_taken_when_they_were_said(salesforce, call, job):
    order = {**UPSERT, "lineEnding": "CRLF", "columnDelimiter": "SEMICOLON"}
    job_id = job(GOOD.replace("\n", "\r\n").replace(",", ";"), order)
    assert ended(call, job_id)["state"] == "JobComplete"
    assert '"true";"Novak"' in call("GET", f"{INGEST}/{job_id}/successfulResults").text


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        ({"object": "Nope"}, "INVALIDENTITY"), ({"operation": "shred"}, "API_ERROR"), ({"contentType": "XML"}, "API_ERROR"),
        ({"externalIdFieldName": "Nope__c"}, "INVALIDJOB"), ({"externalIdFieldName": "LastName"}, "INVALIDJOB"),
        ({"assignmentRuleId": "01QSb0000000001AAA"}, "INVALIDJOB"), ({"lineEnding": "CR"}, "INVALIDJOB"),
    ],
)  # fmt: skip
def test_a_job_that_cannot_be_is_not_made(call, changes, wanted):
    assert code(call("POST", INGEST, json={**UPSERT, **changes})) == (400, wanted)


def test_calls_out_of_order_are_refused(call):
    job_id = make(call)
    assert code(close(call, job_id)) == (400, "INVALIDJOBSTATE")  # nothing was uploaded
    assert upload(call, job_id, GOOD, kind="application/json").status_code == 415
    assert upload(call, job_id, GOOD).status_code == 201
    assert code(upload(call, job_id, GOOD)) == (400, "CLIENTINPUTERROR")
    assert code(close(call, job_id, "JobComplete")) == (400, "INVALIDJOBSTATE")
    assert code(call("DELETE", f"{INGEST}/{job_id}")) == (400, "INVALIDJOBSTATE")
    assert close(call, job_id).status_code == 200
    assert code(close(call, job_id)) == (400, "INVALIDJOBSTATE")
    ended(call, job_id)
    assert code(close(call, job_id, "Aborted")) == (400, "INVALIDJOBSTATE")
    assert call("GET", f"{INGEST}/{job_id}/nonsense").status_code == 404
    assert call("DELETE", f"{INGEST}/{job_id}").status_code == 204
    assert call("GET", f"{INGEST}/{job_id}").status_code == 404


def test_a_job_that_fails_half_way_keeps_what_is_done_and_names_what_is_not(salesforce, call, job):
    salesforce.state.fail_jobs(200, "TooManyLockFailure : too many")
    lines = "".join(f"L,C,k{n}\n" for n in range(300))
    job_id = job(f"LastName,Company,{KEY}\n{lines}")
    told = ended(call, job_id)
    assert (told["state"], told["errorMessage"]) == ("Failed", "TooManyLockFailure : too many")
    assert len(results(call, job_id, RESULTS[0])) == len(salesforce.state.rows["Lead"]) == 200
    left = results(call, job_id, RESULTS[2])
    assert left[0] == {"LastName": "L", "Company": "C", KEY: "k200"}
    assert len(left) == 100


def test_a_job_of_several_batches_takes_every_line_once(salesforce, call, job):
    """More lines than one transaction has."""
    job_id = job(f"LastName,Company,{KEY}\n" + "".join(f"L,C,k{n}\n" for n in range(450)))
    assert ended(call, job_id)["numberRecordsProcessed"] == 450
    assert sorted(row[KEY] for row in salesforce.state.rows["Lead"].values()) == sorted(f"k{n}" for n in range(450))


def test_an_aborted_job_goes_no_further(salesforce, call, job):
    salesforce.state.pause_jobs()
    job_id = job(GOOD)
    assert close(call, job_id, "Aborted").json()["state"] == "Aborted"
    salesforce.state.pause_jobs(False)
    assert ended(call, job_id)["state"] == "Aborted"
    job_id = job(GOOD.replace("k1", "k2"))
    ended(call, job_id)
    assert [row[KEY] for row in salesforce.state.rows["Lead"].values()] == ["k2"]


def test_a_job_with_the_orgs_rule_gives_leads_their_owner(salesforce, call, job):
    rep = next(u["Id"] for u in salesforce.state.rows["User"].values() if u["Name"] == "Tess Territory")
    ruled = {**UPSERT, "assignmentRuleId": salesforce.state.assign_leads(rep)}
    for number, order in ((1, UPSERT), (2, ruled), (1, ruled)):  # the last is there already and keeps its owner
        ended(call, job(GOOD.replace("k1", f"k{number}"), order))
    owners = {row[KEY]: row["OwnerId"] for row in salesforce.state.rows["Lead"].values()}
    assert owners == {"k1": salesforce.state.me, "k2": rep}
    salesforce.state.assign_leads("")
    assert code(call("POST", INGEST, json=ruled)) == (400, "INVALIDJOB")
