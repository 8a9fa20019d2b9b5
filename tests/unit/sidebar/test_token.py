"""The token Zendesk opens the app with: every claim that is wrong is refused, one at a time."""

import time
from datetime import UTC, datetime, timedelta

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from sandbox.desk.host import INSTALLATION, Signer
from sidebar_app.token import AppNotConnected, TokenRefused, pems, verify

SIGNER = Signer()
OTHER = Signer()
CONFIG = {"subdomain": "acme", "installation_id": str(INSTALLATION), "app_key": SIGNER.public_pem()}
ROOT = "https://acme.zendesk.com/api/v2"


def opened(token, config=CONFIG, now=None):
    return verify(token, config, now or datetime.now(UTC))


def refused(token, why, config=CONFIG):
    with pytest.raises(TokenRefused) as found:
        opened(token, config)
    assert found.value.context["why"] == why


def test_a_good_token_says_who_and_where():
    found = opened(SIGNER.token(501, "user_sidebar"))
    assert (found.person_id, found.location) == ("501", "user_sidebar")
    assert {"qsh", "jti"} <= set(found.claims)


def test_the_issuer_may_be_written_as_an_address():
    assert opened(SIGNER.token(501, "ticket_sidebar", iss="https://acme.zendesk.com")).person_id == "501"


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"iss": "evil.zendesk.com"}, "issuer"),
        ({"aud": f"{ROOT}/apps/installations/7002.json"}, "audience"),
        ({"aud": [f"{ROOT}/apps/installations/{INSTALLATION}.json", "https://other.example"]}, "audience"),
        ({"aud": None}, "MissingRequiredClaimError"),
        ({"iss": None}, "MissingRequiredClaimError"),
        ({"exp": None}, "MissingRequiredClaimError"),
        ({"iat": None}, "MissingRequiredClaimError"),
        ({"exp": 10 * 365 * 86_400}, "lives too long"),
        ({"exp": 700}, "lives too long"),
        ({"exp": -60, "iat": -120}, "expired"),
        ({"iat": 120, "nbf": None}, "issued in the future"),
        ({"nbf": 120}, "not valid yet"),
        ({"exp": "soon"}, "a time that is none"),
        ({"iat": True}, "a time that is none"),
        ({"context": {"product": "chat", "location": "ticket_sidebar"}}, "product"),
        ({"context": {"product": "support", "location": "background"}}, "location"),
    ],
    ids=str,
)
def test_a_wrong_claim_is_refused(changed, why):
    now = int(time.time())  # times in the table are seconds from now
    times = {n: now + v for n, v in changed.items() if n in ("exp", "iat", "nbf") and type(v) is int}
    refused(SIGNER.token(501, "ticket_sidebar", **changed | times), why)


def test_a_list_with_only_our_audience_is_ours():
    ours = [f"{ROOT}/apps/installations/{INSTALLATION}.json"]
    assert opened(SIGNER.token(501, "ticket_sidebar", aud=ours)).person_id == "501"


def test_another_key_is_refused_and_a_second_key_of_ours_is_taken():
    refused(OTHER.token(501, "ticket_sidebar"), "InvalidSignatureError")
    both = {**CONFIG, "app_key": OTHER.public_pem() + SIGNER.public_pem()}
    assert opened(SIGNER.token(501, "ticket_sidebar"), both).person_id == "501"
    assert opened(OTHER.token(501, "ticket_sidebar"), both).person_id == "501"


def claims():
    return jwt.decode(SIGNER.token(501, "ticket_sidebar"), options={"verify_signature": False})


def test_no_signature_and_one_by_the_public_key_are_refused():
    refused(jwt.encode(claims(), None, algorithm="none"), "InvalidAlgorithmError")
    import base64
    import hashlib
    import hmac
    import json

    def part(value):
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=")

    head = part({"alg": "HS256", "typ": "JWT"}) + b"." + part(claims())
    mac = hmac.new(SIGNER.public_pem().encode(), head, hashlib.sha256).digest()
    forged = head + b"." + base64.urlsafe_b64encode(mac).rstrip(b"=")
    refused(forged.decode(), "InvalidAlgorithmError")


def test_a_key_named_in_the_header_is_not_fetched_or_used():
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    head = {"jku": "https://evil.example/keys", "kid": "1", "jwk": {"kty": "RSA"}}
    refused(jwt.encode(claims(), key, algorithm="RS256", headers=head), "InvalidSignatureError")


@pytest.mark.parametrize("token", ["", "a", "a.b.c", "é" * 40, "." * 20, "a" * 9000])
def test_junk_is_refused(token):
    with pytest.raises(TokenRefused):
        opened(token)


@pytest.mark.parametrize(
    ("sub", "person"),
    [
        (f"{ROOT}/users/501.json", "501"), ("501", "501"), (f"{ROOT}/users/501", "501"), (None, ""), ("", ""),
        ("dana@acme.example", ""), (f"{ROOT}/users/501.json/../1", "1"), ("٥٠١", ""), ("5" * 20, ""),
    ],
)  # fmt: skip
def test_the_subject_is_read_leniently_and_nobody_is_invented(sub, person):
    if sub is not None:
        assert opened(SIGNER.token(1, "ticket_sidebar", sub=sub)).person_id == person
    else:
        assert opened(SIGNER.token(1, "ticket_sidebar", sub=None)).person_id == person


def test_what_is_used_once_is_the_jti_or_the_token_itself():
    with_id = [SIGNER.token(501, "ticket_sidebar", jti="same") for _ in range(2)]
    without = SIGNER.token(501, "ticket_sidebar", jti=None)
    assert opened(with_id[0]).once == opened(with_id[1]).once
    assert opened(without).once not in (opened(with_id[0]).once, opened(SIGNER.token(502, "nav_bar", jti=None)).once)


def test_a_token_counts_as_used_until_it_is_worth_nothing():
    found = opened(SIGNER.token(501, "ticket_sidebar"))
    with pytest.raises(TokenRefused):
        opened(SIGNER.token(501, "ticket_sidebar"), now=found.expires_at + timedelta(seconds=1))


def test_without_key_or_installation_the_app_is_not_connected():
    for missing in ("app_key", "installation_id"):
        with pytest.raises(AppNotConnected):
            opened(SIGNER.token(501, "ticket_sidebar"), {**CONFIG, missing: ""})


def test_a_key_may_have_its_line_ends_written_out_and_a_private_one_is_none():
    pem = SIGNER.public_pem()
    assert pems(pem.replace("\n", "\\n")) == pems(pem) == [pem]
    assert pems(pem.replace("PUBLIC", "PRIVATE")) == []
