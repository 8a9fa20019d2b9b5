"""The simulated Salesforce by real HTTP: sessions, records, keys, collections, queries; simple-salesforce against it."""

import time
from concurrent.futures import ThreadPoolExecutor

import jwt
import pytest
import requests
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from simple_salesforce import Salesforce, SFType
from simple_salesforce.exceptions import SalesforceExpiredSession, SalesforceMalformedRequest

from sandbox.salesforce.oauth import CONSUMER_KEY, CONSUMER_SECRET, JWT_GRANT, USERNAME

KEY = "Deskbridge_Key__c"
LEAD = {"LastName": "Novak", "Company": "Unknown Ltd", "Email": "novak@unknown.example"}


@pytest.fixture
def salesforce(salesforce):
    """With a key field on leads."""
    salesforce.state.add_field("Lead", KEY, 64, external=True)
    return salesforce


@pytest.fixture
def call(salesforce):
    return salesforce.caller()


def token(local, **form):
    auth = form.pop("auth", None)
    headers = form.pop("headers", {})
    with requests.Session() as session:
        session.trust_env = False
        return session.post(f"{local.url}/services/oauth2/token", form, auth=auth, headers=headers, timeout=10)


def code(answer):
    return answer.status_code, answer.json()[0]["errorCode"]


def test_a_signed_assertion_opens_a_session_and_a_bad_one_does_not(salesforce):
    key, other = (rsa.generate_private_key(public_exponent=65537, key_size=2048) for _ in range(2))
    salesforce.simulator.tokens.public_key = (
        key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()
    )  # fmt: skip
    good = {"iss": CONSUMER_KEY, "sub": USERNAME, "aud": "https://login.salesforce.com"}

    def ask(signer=key, seconds=120, **changes):
        claims = {**good, "exp": int(time.time()) + seconds, **changes}
        return token(salesforce, grant_type=JWT_GRANT, assertion=jwt.encode(claims, signer, "RS256"))

    opened = ask()
    assert opened.status_code == 200
    assert opened.json()["instance_url"] == salesforce.url
    bad = {
        "invalid assertion": [ask(other)], "expired authorization code": [ask(seconds=600), ask(seconds=-60)],
        "user hasn't approved this consumer": [ask(sub="x@y.example")], "audience is invalid": [ask(aud="https://evil.example")],
    }  # fmt: skip
    for told, answers in bad.items():
        for one in answers:
            assert one.status_code == 400
            assert one.json() == {"error": "invalid_grant", "error_description": told}
    assert ask(iss="another").json()["error"] == "invalid_client_id"


def test_client_credentials_work_on_the_orgs_own_host_only(salesforce):
    auth = (CONSUMER_KEY, CONSUMER_SECRET)
    assert token(salesforce, grant_type="client_credentials", auth=auth).ok
    wrong = token(salesforce, grant_type="client_credentials", auth=(CONSUMER_KEY, "no"))
    login = token(salesforce, grant_type="client_credentials", auth=auth, headers={"Host": "login.salesforce.com"})
    assert (wrong.status_code, login.status_code) == (401, 400)
    salesforce.state.run_as(False)
    nobody = token(salesforce, grant_type="client_credentials", auth=auth)
    assert (nobody.status_code, nobody.json()["error_description"]) == (400, "no client credentials user enabled")
    assert token(salesforce, grant_type="password").json()["error"] == "unsupported_grant_type"


def test_a_session_ends_and_the_day_is_used_up(salesforce, call):
    assert call("GET", "limits").headers["Sforce-Limit-Info"] == "api-usage=1/100000"
    salesforce.simulator.daily.allowed = 1
    assert code(call("GET", "limits")) == (403, "REQUEST_LIMIT_EXCEEDED")
    salesforce.state.expire_sessions()
    assert code(call("GET", "limits")) == (401, "INVALID_SESSION_ID")


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        ({"LastName": None}, "REQUIRED_FIELD_MISSING"),
        ({"Company": "x" * 256}, "STRING_TOO_LONG"),
        ({"Email": "not an address"}, "INVALID_EMAIL_ADDRESS"),
        ({"Nonsense__c": "1"}, "INVALID_FIELD"),
        ({"OwnerId": "005Sb0000009999AAA"}, "INVALID_CROSS_REFERENCE_KEY"),
        ({"IsConverted": True}, "INVALID_FIELD_FOR_INSERT_UPDATE"),
    ],
)
def test_a_lead_is_refused_as_salesforce_refuses_it(call, changes, wanted):
    assert code(call("POST", "sobjects/Lead", json={**LEAD, **changes})) == (400, wanted)


def test_an_inactive_owner_is_refused(salesforce, call):
    gone = next(u for u in salesforce.state.rows["User"].values() if not u["IsActive"])
    assert code(call("POST", "sobjects/Lead", json={**LEAD, "OwnerId": gone["Id"]})) == (400, "INACTIVE_OWNER_OR_USER")


def test_a_record_is_made_read_changed_and_deleted(salesforce, call):
    made = call("POST", "sobjects/Lead/", json=LEAD)
    path = f"sobjects/Lead/{made.json()['id']}"
    before = call("GET", path).json()
    time.sleep(0.01)
    assert (made.status_code, call("PATCH", path, json={"Rating": "Hot"}).status_code) == (201, 204)
    after = call("GET", path).json()
    assert after["Rating"] == "Hot"
    assert after["SystemModstamp"] > before["SystemModstamp"]
    assert call("DELETE", path).status_code == 204
    assert call("GET", path).status_code == 404
    query = {"q": f"SELECT Id, IsDeleted FROM Lead WHERE Id = '{before['Id']}'"}
    assert call("GET", "query", params=query).json()["totalSize"] == 0
    assert call("GET", "queryAll", params=query).json()["records"][0]["IsDeleted"] is True


def test_the_same_address_is_a_duplicate_that_names_the_record(call):
    first = call("POST", "sobjects/Lead", json=LEAD).json()["id"]
    again = call("POST", "sobjects/Lead", json=LEAD)
    assert code(again) == (400, "DUPLICATES_DETECTED")
    match = again.json()[0]["duplicateResult"]["matchResults"][0]["matchRecords"][0]
    assert match["record"]["Id"] == first
    allowed = {"Sforce-Duplicate-Rule-Header": "allowSave=true; includeRecordDetails=true"}
    assert call("POST", "sobjects/Lead", json=LEAD, headers=allowed).status_code == 201


def test_one_key_is_one_record_however_many_write_at_once(salesforce, call):
    with ThreadPoolExecutor(8) as pool:
        done = list(pool.map(lambda n: call("PATCH", f"sobjects/Lead/{KEY}/k-1", json=LEAD).status_code, range(24)))
    assert sorted(done) == [200] * 23 + [201]
    assert code(call("POST", "sobjects/Lead", json={**LEAD, "Email": None, KEY: "K-1"})) == (400, "DUPLICATE_VALUE")
    assert call("GET", f"sobjects/Lead/{KEY}/k-1").json()["Company"] == "Unknown Ltd"
    assert call("GET", f"sobjects/Lead/{KEY}/k-2").status_code == 404


def test_a_collection_answers_in_order_with_an_error_of_its_own(call):
    kind = {"attributes": {"type": "Lead"}}
    call("POST", "sobjects/Lead", json={"LastName": "L", "Company": "C", KEY: "c"})
    sent = [{**kind, **LEAD, KEY: "a"}, {**kind, KEY: "b", "Company": "x"}, {**kind, KEY: "C", "Rating": "Cold"}]
    found = call("PATCH", f"composite/sobjects/Lead/{KEY}", json={"allOrNone": False, "records": sent}).json()
    assert [(one["success"], one.get("created")) for one in found] == [(True, True), (False, None), (True, False)]
    assert found[1]["errors"][0]["statusCode"] == "REQUIRED_FIELD_MISSING"
    assert call("PATCH", f"composite/sobjects/Lead/{KEY}", json={"records": sent * 67}).status_code == 400


def test_a_collection_names_a_record_once(call):
    """By its key, whatever its capitals, or by its id."""
    kind = {"attributes": {"type": "Lead"}}
    made = call("POST", "sobjects/Lead", json=LEAD).json()["id"]
    by_key = [{**kind, "LastName": "L", "Company": "C", KEY: one} for one in ("a", "A")]
    found = call("PATCH", f"composite/sobjects/Lead/{KEY}", json={"allOrNone": False, "records": by_key}).json()
    by_id = [{**kind, "id": made, "Rating": one} for one in ("Hot", "Cold")]
    found += call("PATCH", "composite/sobjects", json={"allOrNone": False, "records": by_id}).json()
    assert [one["success"] for one in found] == [True, False, True, False]
    assert {one["errors"][0]["statusCode"] for one in found if not one["success"]} == {"DUPLICATE_VALUE"}


def test_queries_are_parsed_and_paged(salesforce, call):
    for n in range(2005):
        salesforce.state.create("Lead", {"LastName": f"L{n:04d}", "Company": "O'Brien" if n % 2 else "Zed"})

    def ask(q):
        return call("GET", "query", params={"q": q})

    first = ask("SELECT Id FROM Lead").json()
    assert (first["totalSize"], first["done"], len(first["records"])) == (2005, False, 2000)
    rest = call("GET", first["nextRecordsUrl"].removeprefix("/services/data/v66.0/")).json()
    assert rest["done"]
    assert len(rest["records"]) == 5
    where = r"Company = 'O\'Brien' AND (LastName LIKE 'L000%' OR LastName IN ('L2001')) AND NOT Email != null"
    found = ask(f"SELECT LastName FROM Lead WHERE {where} ORDER BY LastName DESC LIMIT 3").json()["records"]
    assert [one["LastName"] for one in found] == ["L2001", "L0009", "L0007"]
    assert ask("SELECT Id FROM Lead WHERE SystemModstamp > 2999-01-01T00:00:00Z").json()["totalSize"] == 0
    assert code(ask("SELECT Nope FROM Lead")) == (400, "INVALID_FIELD")
    assert code(ask("SELECT Id FROM Lead WHERE")) == (400, "MALFORMED_QUERY")
    assert code(ask("SELECT Id FROM Lead WHERE CreatedDate > 'x'")) == (400, "INVALID_FIELD")


def test_the_world_has_clear_shared_named_and_unknown_accounts(salesforce):
    rows = salesforce.state.rows["Account"].values()
    sites = [r["Website"].split("//")[1].removeprefix("www.") for r in rows if r["Website"]]
    assert "acorn.example" in sites
    assert sites.count("delta.example") == 2
    assert "juniper.example" not in sites
    assert [r["Name"] for r in rows if not r["Website"]][0] == "Grove Inc."
    assert any(r["ParentId"] for r in rows)


def test_simple_salesforce_works_against_it(salesforce):
    session = requests.Session()
    session.trust_env = False
    opened = salesforce.simulator.tokens.issue()
    sf = Salesforce(instance_url=salesforce.url, session_id=opened, version="66.0", session=session)
    sf.base_url = f"{salesforce.url}/services/data/v66.0/"  # the library makes http into https
    lead = SFType("Lead", opened, "x", "66.0", session=session)
    lead.base_url = f"{sf.base_url}sobjects/Lead/"
    assert lead.upsert(f"{KEY}/s-1", LEAD) == 201
    assert lead.upsert(f"{KEY}/s-1", LEAD) == 200
    assert "Status" in [f["name"] for f in lead.describe()["fields"]]
    assert sf.query("SELECT count() FROM Lead")["totalSize"] == 1
    with pytest.raises(SalesforceMalformedRequest):
        lead.create({"Company": "x"})
    salesforce.state.expire_sessions()
    with pytest.raises(SalesforceExpiredSession):
        sf.query("SELECT Id FROM Lead")
