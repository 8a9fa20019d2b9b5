"""Sessions over real HTTP: JWT bearer and client credentials, renewal, refusals as sentences, time-outs; and the traps of
simple-salesforce (vendor sheet 4.2), each shown not to be stepped into."""

import threading
from concurrent.futures import ThreadPoolExecutor

import jwt
import pytest

from integrations.kernel.crm import Shape
from integrations.kernel.errors import (
    ConfigError,
    NeedsReauthorisation,
    OutcomeUnknown,
    VendorContractChanged,
    VendorUnavailable,
)
from integrations.kernel.vendor import Account
from integrations.salesforce import auth, client, faults
from integrations.salesforce.client import connect
from integrations.salesforce.settings import KEY_FIELD
from integrations.transport.http import OpenGate
from sandbox.salesforce import oauth

TOKEN = "POST /services/oauth2/token"


@pytest.fixture
def by_key(org, crm, key_pair):
    """by_key(**config) -> a client by JWT bearer, its certificate uploaded."""
    private, public = key_pair
    org.state.trust_key(public)

    def build(private_key=private, **config):
        return crm(secrets={"private_key": (private_key,)}, **{"username": oauth.USERNAME, **config})

    return build


def refused(client):
    with pytest.raises(NeedsReauthorisation) as caught:
        client.directory("")
    return str(caught.value)


def test_a_session_by_jwt_bearer_pushes_and_reads(org, by_key, draft):
    client = by_key()
    (made,) = client.push([draft()])
    assert client.show(Shape.LEAD, [made.object_id])
    assert org.local.calls()[TOKEN] == 1


def test_an_assertion_is_short_lived_and_for_the_right_kind_of_org(org, by_key, key_pair):
    told = []
    org.local.simulator.tokens.check_assertion = lambda text: told.append(
        jwt.decode(text, key_pair[1], algorithms=["RS256"], options={"verify_aud": False})
    )
    import time

    for domain, audience in (
        ("acme", "https://login.salesforce.com"), ("acme--uat.sandbox", "https://test.salesforce.com"),
        ("acme.develop", "https://login.salesforce.com"),
    ):  # fmt: skip
        by_key(my_domain=domain).directory("")
        claims = told.pop()
        assert (claims["iss"], claims["sub"], claims["aud"]) == (oauth.CONSUMER_KEY, oauth.USERNAME, audience)
        assert time.time() < claims["exp"] <= time.time() + 180


def test_refusals_of_jwt_bearer_are_sentences(org, by_key, key_pair):
    assert "The private key does not belong" in refused(by_key(private_key=_another()))
    assert "is not approved" in refused(by_key(username="nobody@acme.example"))
    assert "does not know the consumer key" in refused(by_key(consumer_key="other"))
    assert "no RSA key" in refused(by_key(private_key="-----BEGIN PRIVATE KEY-----\nx\n-----END PRIVATE KEY-----"))


def _another():
    from cryptography.hazmat.primitives import serialization as s
    from cryptography.hazmat.primitives.asymmetric import rsa

    made = rsa.generate_private_key(65537, 2048)
    return made.private_bytes(s.Encoding.PEM, s.PrivateFormat.PKCS8, s.NoEncryption()).decode()


def test_refusals_of_client_credentials_are_sentences_without_the_secret(org, crm):
    text = refused(crm(secrets={"consumer_secret": ("sneaky-secret",)}))
    assert "does not take the consumer key with this secret" in text
    assert "sneaky" not in text


@pytest.mark.parametrize(("said", "sentence"), auth.REFUSALS)
def test_every_known_refusal_has_its_sentence(org, crm, said, sentence):
    org.fault(
        kind="status", status=400, path="oauth2", body=f'{{"error": "x", "error_description": "{said.title()}!"}}'
    )
    assert sentence in refused(crm())


@pytest.mark.parametrize("body", ["<html>", "[]", '{"error": 7}', ""])
def test_a_refusal_in_an_unknown_shape_is_still_one(org, crm, body):
    org.fault(kind="status", status=400, path="oauth2", body=body)
    assert "does not let us in" in refused(crm())


def test_while_a_secret_is_rotated_either_is_taken(org, crm):
    client = crm(secrets={"consumer_secret": ("new-and-not-known-yet", oauth.CONSUMER_SECRET)})
    client.directory("")
    assert org.local.calls()[TOKEN] == 2


@pytest.mark.parametrize(
    ("config", "secrets"),
    [
        ({"consumer_key": ""}, None),
        ({}, {}),
        ({"username": "u"}, {}),
        ({}, {"private_key": ("k",)}),
        ({"my_domain": "a/b"}, None),
    ],
)
def test_settings_that_cannot_be_right_are_refused_before_any_call(org, crm, config, secrets):
    with pytest.raises(ConfigError):
        crm(secrets=secrets, **config)
    assert org.local.calls() == {}


def test_an_ended_session_is_renewed_once_for_all_threads_and_nothing_is_lost(org, crm, draft):
    client = crm()
    client.push([draft()])
    org.state.expire_sessions()
    start = threading.Barrier(8)

    def push():
        start.wait()
        return client.push([draft()])[0].state.value

    with ThreadPoolExecutor(8) as pool:
        states = [one.result() for one in [pool.submit(push) for _ in range(8)]]
    assert states == ["created"] * 8
    assert len(org.rows("Lead")) == 9
    assert org.local.calls()[TOKEN] == 2


def test_a_session_that_is_refused_again_ends_in_one_more_try(org, crm, draft):
    client = crm()
    client.push([draft()])
    org.local.simulator.tokens.is_good = lambda header: False
    with pytest.raises(NeedsReauthorisation, match="401 to fresh credentials"):
        client.push([draft()])
    assert org.local.calls()[TOKEN] == 2


def test_many_threads_that_find_the_door_closed_ask_once(org, crm):
    client = crm(secrets={"consumer_secret": ("wrong",)})
    start = threading.Barrier(6)

    def ask():
        start.wait()
        return refused(client)

    with ThreadPoolExecutor(6) as pool:
        texts = {one.result() for one in [pool.submit(ask) for _ in range(6)]}
    assert len(texts) == 1
    assert org.local.calls()[TOKEN] == 1


def test_a_token_that_does_not_come_is_no_unknown_end_as_nothing_was_written(org, crm, draft):
    org.fault(kind="cut_after", path="oauth2")
    with pytest.raises(VendorUnavailable):
        crm().push([draft()])
    org.fault(kind="status", status=200, path="oauth2", body='{"token": 1}')
    with pytest.raises(VendorContractChanged):
        crm().push([draft()])
    assert org.rows("Lead") == []


# Time-outs ---------------------------------------------------------------------


@pytest.fixture
def hasty(monkeypatch):
    """Calls may take a third of a second."""
    monkeypatch.setattr(client, "DEADLINE_S", 0.3)


def test_a_write_without_an_answer_in_time_is_unknown_and_found_by_its_key(org, crm, draft, hasty):
    client, one = crm(), draft()
    client.push([draft()])
    org.fault(kind="delay", seconds=0.8, method="PATCH")
    with pytest.raises(OutcomeUnknown):
        client.push([one])
    deadline = threading.Event()
    for _ in range(100):
        if found := client.find(Shape.LEAD, [one.key]):
            break
        deadline.wait(0.05)
    assert found[one.key].object_id
    (again,) = client.push([one])
    assert (again.state.value, again.object_id) == ("updated", found[one.key].object_id)


def test_a_read_without_an_answer_in_time_may_just_be_repeated(org, crm, hasty):
    client = crm()
    client.directory("")
    org.fault(kind="delay", seconds=0.8, path="queryAll")
    with pytest.raises(VendorUnavailable):
        client.directory("")
    assert client.directory("").accounts


def test_a_salesforce_that_cannot_be_reached_did_nothing(draft):
    config = {"my_domain": "acme", "consumer_key": "k"}
    gone = Account("con_1", "salesforce", "http://127.0.0.1:9", config, {"consumer_secret": ("s",)})
    with pytest.raises(VendorUnavailable):
        connect(gone, OpenGate()).push([draft()])


# Traps of simple-salesforce ----------------------------------------------------


def test_headers_are_sent_again_after_a_session_was_renewed(org, crm, draft, heard):
    client = crm()
    client.push([draft(), draft()])
    org.state.expire_sessions()
    client.push([draft(), draft()])
    told = [one["sforce-duplicate-rule-header"] for one in heard()]
    assert len(told) == 2  # of the second push only the repeat comes through to the org
    assert set(told) == {"allowSave=false; includeRecordDetails=true; runAsCurrentUser=true"}
    assert [one["sforce-auto-assign"] for one in heard()] == ["TRUE"] * 2
    assert org.local.calls()[TOKEN] == 2


def test_a_key_goes_into_the_address_quoted_and_not_into_the_body(org, crm, draft):
    from flask import request

    sent = []

    @org.local.simulator.app.before_request
    def listen():
        if request.method == "PATCH":
            sent.append(request.json)

    one = draft(key="a/b ?&#c'ü")
    (made,) = crm().push([one])
    assert org.row(made.object_id)[KEY_FIELD] == one.key
    assert KEY_FIELD not in sent[0]


def test_the_library_never_logs_in_by_itself_and_calls_no_other_host(org, crm, draft, monkeypatch):
    import simple_salesforce.login
    from simple_salesforce import api

    def never(*_, **__):
        raise AssertionError("simple-salesforce logged in")

    monkeypatch.setattr(api, "SalesforceLogin", never)
    monkeypatch.setattr(simple_salesforce.login, "SalesforceLogin", never)
    client = crm()
    client.push([draft()])
    org.state.expire_sessions()
    client.push([draft()])
    with pytest.raises(VendorContractChanged, match="not the vendor's host"):
        client._session.get("https://login.salesforce.com/services/oauth2/token")


def test_amounts_come_back_exact(org, crm):
    client = crm()
    org.fault(kind="status", status=200, path="query", body='{"done": true, "records": [{"Amount": 0.1}]}')
    rows, _ = client.rows(("SELECT Amount FROM Opportunity", ()))
    assert str(rows[0]["Amount"]) == "0.1"


@pytest.mark.parametrize("method", ["GET", "PATCH"])
def test_an_answer_of_no_json_is_unknown_for_a_write_and_a_broken_contract_for_a_read(org, crm, method):
    org.fault(kind="status", status=200, path="sobjects", body="<html>maintenance</html>")
    with pytest.raises(VendorContractChanged if method == "GET" else OutcomeUnknown):
        crm().call(method, "sobjects/Lead/describe")


def test_no_error_shows_an_address_a_body_or_a_secret(org, crm, draft):
    client, one = crm(), draft(email="ada@initech.example", company="Initech")
    texts = []
    for rule in (
        {"kind": "cut_after"}, {"kind": "status", "status": 500, "body": "ada@initech.example"},
        {"kind": "status", "status": 403, "body": '[{"errorCode": "X", "message": "ada@initech.example"}]'},
        {"kind": "status", "status": 400, "body": "Initech"},
    ):  # fmt: skip
        org.fault(method="PATCH", **rule)
        with pytest.raises(Exception) as caught:  # noqa: PT011 - each of its own kind, judged elsewhere
            client.push([one, draft()])
        texts.append(f"{caught.value!r} {caught.value.__cause__!r}")
    assert not [text for text in texts if "initech" in text.lower() or oauth.CONSUMER_SECRET in text], texts


def test_a_code_of_a_whole_call_that_a_person_must_see_to_says_so(org, crm):
    for code, sentence in faults.OPERATOR.items():
        org.fault(kind="status", status=403, path="queryAll", body=f'[{{"errorCode": "{code}", "message": "m"}}]')
        assert sentence in refused(crm())
