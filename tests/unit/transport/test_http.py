"""One vendor call over real sockets: where it goes, what its faults become, how long it may take."""

import gzip
import threading
import time

import pytest

from integrations.kernel.errors import (
    ConfigError,
    NeedsReauthorisation,
    OutcomeUnknown,
    RateLimited,
    VendorContractChanged,
    VendorUnavailable,
)
from integrations.kernel.vendor import Account
from integrations.transport import http

URL = "https://api.vendor.example/v1/things?page=2"


class Keys:
    """An authoriser whose first token is out of date."""

    def __init__(self, *tokens):
        self.tokens = list(tokens)
        self.refused = []

    def header(self):
        return f"Bearer {self.tokens[0]}"

    def renew(self, refused):
        self.refused.append(refused)
        self.tokens.pop(0)


def test_the_real_host_is_called_at_the_base_url_with_path_and_query(server, open_session):
    session, gate = open_session()
    response = session.get(URL)
    assert (response.status_code, response.url) == (200, URL)
    (asked,) = server.asked
    assert (asked.path, asked.headers["host"]) == ("/v1/things?page=2", "api.vendor.example")
    assert gate.calls == {"thing": 1}


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/v1/things",
        "https://api.vendor.example.evil.example/",
        "https://api.vendor.example@evil.example/",
        "http://api.vendor.example/v1/things",
        "https://api.vendor.example:8443/v1/things",
        "http://169.254.169.254/latest/meta-data",
    ],
)
def test_any_other_host_is_refused_before_anything_is_sent(server, open_session, url):
    session, gate = open_session(authorise=Keys("secret"))
    with pytest.raises(VendorContractChanged, match="not the vendor's host"):
        session.get(url)
    assert server.connections == 0
    assert not gate.calls


def test_a_redirect_is_an_error_and_is_not_followed(server, open_session, say):
    server.script = lambda asked, sock: say(302, b"", Location="https://evil.example/")
    session, _ = open_session(authorise=Keys("secret"))
    with pytest.raises(VendorContractChanged, match="redirects are not followed"):
        session.get(URL)
    assert len(server.asked) == 1


@pytest.mark.parametrize("url", ["http://h:1/path", "ftp://h", "h:80", "http://user@h", "http://h/?q=1", "http:///"])
def test_a_base_url_with_more_than_scheme_host_and_port_is_refused(open_session, url):
    with pytest.raises(ConfigError, match="scheme://host:port"):
        open_session(account=Account("c", "vendor", base_url=url))


def test_credentials_are_added_and_are_not_left_on_the_sdks_own_request(server, open_session):
    session, _ = open_session(authorise=Keys("token-1"))
    response = session.get(URL)
    assert server.asked[0].headers["authorization"] == "Bearer token-1"
    assert "authorization" not in {name.lower() for name in response.request.headers}


def test_a_401_renews_once_and_repeats_the_same_request(server, open_session, say):
    server.script = lambda asked, sock: say(200 if asked.headers["authorization"] == "Bearer new" else 401)
    keys = Keys("old", "new")
    session, gate = open_session(authorise=keys)
    assert session.post(URL, json={"a": 1}).status_code == 200
    assert keys.refused == ["Bearer old"]
    assert [asked.body for asked in server.asked] == [b'{"a": 1}'] * 2
    assert gate.calls == {"thing": 2}


def test_a_401_to_fresh_credentials_asks_for_a_person(server, open_session, say):
    server.script = lambda asked, sock: say(401)
    session, _ = open_session(authorise=Keys("old", "new"))
    with pytest.raises(NeedsReauthorisation):
        session.get(URL)
    assert len(server.asked) == 2


@pytest.mark.parametrize("status", [200, 201, 204, 400, 403, 404, 409, 422])
def test_other_statuses_are_the_sdks_to_read(server, open_session, say, status):
    server.script = lambda asked, sock: say(status, b"" if status == 204 else b"{}")
    assert open_session()[0].post(URL).status_code == status


def test_a_429_raises_at_once_with_its_retry_after_to_the_second(server, open_session, say):
    server.script = lambda asked, sock: say(429, b"{}", Retry_After="37")
    started = time.monotonic()
    with pytest.raises(RateLimited) as caught:
        open_session()[0].get(URL)
    assert caught.value.retry_after_s == 37
    assert time.monotonic() - started < 1


@pytest.mark.parametrize(
    ("method", "status", "error"),
    [
        ("GET", 500, VendorUnavailable),
        ("GET", 502, VendorUnavailable),
        ("GET", 503, VendorUnavailable),
        ("PUT", 503, VendorUnavailable),
        ("PUT", 500, OutcomeUnknown),
        ("POST", 502, OutcomeUnknown),
        ("DELETE", 504, OutcomeUnknown),
    ],
)
def test_a_failing_vendor_leaves_writes_unknown_and_reads_for_later(server, open_session, say, method, status, error):
    server.script = lambda asked, sock: say(status)
    with pytest.raises(error) as caught:
        open_session()[0].request(method, URL)
    assert type(caught.value) is error


@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_nobody_listening_means_nothing_happened(server, open_session, method):
    server.stop()
    with pytest.raises(VendorUnavailable):
        open_session()[0].request(method, URL)


@pytest.mark.parametrize(("method", "error"), [("GET", VendorUnavailable), ("PUT", OutcomeUnknown)])
def test_a_connection_cut_after_the_request_was_sent_is_unknown_for_writes(server, open_session, method, error):
    server.script = lambda asked, sock: None
    with pytest.raises(error):
        open_session()[0].request(method, URL, data=b"x")


@pytest.mark.parametrize(("method", "error"), [("GET", VendorUnavailable), ("POST", OutcomeUnknown)])
def test_a_body_cut_short_is_no_answer(server, open_session, method, error):
    def cut(asked, sock):
        sock.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"half":')

    server.script = cut
    with pytest.raises(error):
        open_session()[0].request(method, URL)


def drip(head, piece):
    def script(asked, sock):
        sock.sendall(head)
        while True:
            time.sleep(0.05)
            sock.sendall(piece)

    return script


@pytest.mark.parametrize(
    "script",
    [
        drip(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", b"x"),
        drip(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
        drip(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffff\r\n", b"x"),
        drip(b"HTTP/1.1 200 OK\r\n", b"X-More: 1\r\n"),
        drip(b"", b"H"),
        lambda asked, sock: time.sleep(5),
    ],
    ids=["body", "chunks", "inside a chunk", "headers", "status line", "silence"],
)
@pytest.mark.parametrize("stream", [False, True])
def test_the_whole_call_ends_at_its_deadline_however_slowly_bytes_come(server, open_session, script, stream):
    server.script = script
    session, _ = open_session(deadline_s=0.4)
    started = time.monotonic()
    with pytest.raises(OutcomeUnknown):
        session.put(URL, data=b"x", stream=stream)
    assert time.monotonic() - started < 1.0


def test_the_deadline_also_bounds_the_second_call_after_a_401(server, open_session, say):
    def slow(asked, sock):
        time.sleep(0.35)
        return say(401)

    server.script = slow
    session, _ = open_session(authorise=Keys("old", "new"), deadline_s=0.5)
    started = time.monotonic()
    with pytest.raises(VendorUnavailable):
        session.get(URL)
    assert time.monotonic() - started < 0.65


def test_a_connection_is_used_again_with_the_next_calls_own_deadline(server, open_session):
    session, _ = open_session(deadline_s=0.5)
    for _ in range(4):
        time.sleep(0.2)
        assert session.get(URL).json() == {}
    assert server.connections == 1


def test_an_answer_too_large_is_refused_also_when_it_is_zipped(server, open_session, say, monkeypatch):
    monkeypatch.setattr(http, "MAX_ANSWER_BYTES", 1 << 20)
    bomb = gzip.compress(b"0" * (8 << 20))
    for said in (say(200, b"x" * (2 << 20)), say(200, bomb, Content_Encoding="gzip")):
        server.script = lambda asked, sock, said=said: said
        with pytest.raises(VendorContractChanged, match="larger than"):
            open_session()[0].get(URL)


def test_proxies_and_passwords_of_the_environment_and_cookies_are_not_used(
    server, open_session, say, monkeypatch, tmp_path
):
    (tmp_path / "netrc").write_text("machine api.vendor.example login me password canary\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    server.script = lambda asked, sock: say(200, b"{}", Set_Cookie="a=b; Path=/")
    session, _ = open_session()
    session.get(URL)
    session.get(URL)
    assert not {"cookie", "authorization"} & set(server.asked[1].headers)


def test_forty_threads_share_the_session(server, open_session, say):
    server.script = lambda asked, sock: (time.sleep(0.1), say(200, asked.path.encode()))[1]
    session, gate = open_session()
    answers = {}

    def call(number):
        answers[number] = session.get(f"https://api.vendor.example/{number}").text

    threads = [threading.Thread(target=call, args=(number,)) for number in range(40)]
    started = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == {number: f"/{number}" for number in range(40)}
    assert time.monotonic() - started < 1.5
    assert gate.calls == {"thing": 40}


def test_errors_carry_no_query_no_token_and_no_body(server, open_session):
    server.script = lambda asked, sock: None
    session, _ = open_session(authorise=Keys("tok-canary"))
    with pytest.raises(OutcomeUnknown) as caught:
        session.put("https://api.vendor.example/v1?email=canary@example.com", data=b"canary-body")
    assert "canary" not in f"{caught.value} {caught.value.context}"


class Watcher(http.OpenGate):
    """A gate that writes down what it is told."""

    def __init__(self):
        super().__init__()
        self.told = []

    def leave(self, account, endpoint, *, status, headers, seconds, error=None):
        self.told.append((endpoint, status, type(error).__name__, dict(headers).get("X-Left")))


def test_the_gate_is_told_how_every_call_ended(server, open_session, say):
    gate = Watcher()
    session, _ = open_session(gate=gate, endpoint_of=lambda method, path: f"{method.lower()}_thing#1")
    server.script = lambda asked, sock: say(422, b"{}", X_Left="7") if asked.method == "GET" else None
    session.get(URL)
    with pytest.raises(OutcomeUnknown):
        session.put(URL)
    assert gate.told == [
        ("get_thing#1", 422, "NoneType", "7"),
        ("put_thing#1", None, "OutcomeUnknown", None),
    ]
    assert gate.calls == {"get_thing": 1, "put_thing": 1}
