"""HTTP to a vendor: an adapter on the SDK's own session.

It sends the real host's traffic to the connection's base URL and nothing anywhere else, adds the credentials, bounds the
whole call in time, asks the gate before and tells it after, and turns faults into typed errors. The SDK sees ordinary
answers only. Errors carry names and ids, never an address with a query, a body or a header.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from http.cookiejar import DefaultCookiePolicy
from typing import Any, NoReturn
from urllib.parse import urlsplit, urlunsplit

import requests
from requests.adapters import BaseAdapter
from urllib3.exceptions import HTTPError

from integrations.kernel.errors import (
    ConfigError,
    NeedsReauthorisation,
    OutcomeUnknown,
    RateLimited,
    VendorContractChanged,
    VendorError,
    VendorUnavailable,
)
from integrations.kernel.vendor import Account
from integrations.transport import wire
from integrations.transport.protocols import Authoriser as Authoriser
from integrations.transport.protocols import Gate as Gate
from integrations.transport.protocols import OpenGate as OpenGate
from integrations.transport.retry_after import retry_after_s

POOL = 64  # connections kept open to a host; more threads than that open some of their own
MAX_ANSWER_BYTES = 32 << 20
CONNECT_S = 3.0
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


class VendorAdapter(wire.BoundedAdapter):
    """One connection's wire, mounted on the vendor's real hosts."""

    def __init__(
        self,
        account: Account,
        authorise: Authoriser | None,
        endpoint_of: Callable[[str, str], str],
        gate: Gate,
        deadline_s: float,
        people: bool,
        wait_s: float,
    ) -> None:
        super().__init__(pool_connections=2, pool_maxsize=POOL, max_retries=0)
        self._account = account
        self._authorise = authorise
        self._endpoint_of = endpoint_of
        self._gate = gate
        self._deadline_s = deadline_s
        self._people = people
        self._wait_s = wait_s
        self._base = _base(account.base_url)

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:  # noqa: ANN401
        """One call, and a second one when its credentials were out of date; both within one deadline."""
        endpoint = self._endpoint_of(request.method or "GET", urlsplit(request.url or "").path)
        response = self._authorised(self._to_base(request), endpoint)
        response.request, response.url = request, str(request.url)  # SDKs read answers by the address they asked
        _check(response, request, endpoint.partition("#")[0])
        return response

    def _to_base(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """A copy that goes to the base URL: the SDK's own request never holds credentials of ours."""
        sent = request.copy()
        if self._base:
            parts = urlsplit(request.url or "")
            sent.headers["Host"] = str(parts.hostname)
            sent.url = urlunsplit((*self._base, parts.path, parts.query, ""))
        return sent

    def _authorised(self, request: requests.PreparedRequest, endpoint: str) -> requests.Response:
        if self._authorise is None:
            return self._timed(request, endpoint, self._deadline_s)
        left_s = self._deadline_s
        for again in (True, False):
            header = self._authorise.header()
            request.headers["Authorization"] = header
            started = time.monotonic()
            response = self._timed(request, endpoint, left_s)
            if response.status_code != 401:
                return response
            left_s = max(0.1, left_s - (time.monotonic() - started))
            if again:
                self._authorise.renew(header)
        raise NeedsReauthorisation(f"{endpoint} answered 401 to fresh credentials", endpoint=endpoint)

    def _timed(self, request: requests.PreparedRequest, endpoint: str, deadline_s: float) -> requests.Response:
        """The call itself, from the gate to the last byte."""
        self._gate.enter(self._account, endpoint, people=self._people, wait_s=self._wait_s)
        started = time.monotonic()
        wire.begin(started + deadline_s)
        status: int | None = None
        headers: Mapping[str, str] = {}
        fault: VendorError | None = None
        try:
            limits = (min(CONNECT_S, deadline_s), deadline_s)
            response = super().send(request, stream=True, timeout=limits, verify=True, proxies=None)
            _read_whole(response)
            status, headers = response.status_code, response.headers
        except (requests.RequestException, HTTPError, OSError) as error:
            fault = _fault(request, endpoint.partition("#")[0], error)
            raise fault from error
        finally:
            seconds = time.monotonic() - started
            self._gate.leave(self._account, endpoint, status=status, headers=headers, seconds=seconds, error=fault)
        return response


class _Refuse(BaseAdapter):
    """Mounted on everything else: a link in an answer cannot lead us, or our credentials, to another host."""

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> NoReturn:  # noqa: ANN401
        raise VendorContractChanged(f"not called: {urlsplit(request.url or '').hostname!r} is not the vendor's host")

    def close(self) -> None:
        return None


def vendor_session(
    account: Account,
    *,
    hosts: Sequence[str],
    authorise: Authoriser | None,
    endpoint_of: Callable[[str, str], str],
    gate: Gate,
    deadline_s: float = 10.0,
    people: bool = False,
    wait_s: float = 0.0,
) -> requests.Session:
    """A session that reaches these hosts and no other.

    Args:
        hosts: the vendor's real host names; their traffic goes to `account.base_url` where that is set.
        authorise: adds the credentials; None where the SDK does.
        endpoint_of: (method, path) -> a name of ours, for budgets and metrics; `name#object` where the vendor limits
            each object too.
        deadline_s: bounds the whole call, also the second one after a 401; the wait for budget is not in it. Connecting
            gets 3 s an address, looking the name up is the system's.
        people: a person waits, so the whole of each limit may be used.
        wait_s: how long a call may wait for budget before RateLimited is raised.

    Calls raise kernel errors only: RateLimited (429, or our own budget), VendorUnavailable (nothing happened),
    OutcomeUnknown (a write was sent and not answered), NeedsReauthorisation (401 to fresh credentials),
    VendorContractChanged (redirect, another host, an answer too large). Other statuses are the caller's to read.
    """
    session = requests.Session()
    session.trust_env = False
    session.max_redirects = 0
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    session.adapters.clear()
    for prefix in ("https://", "http://"):
        session.mount(prefix, _Refuse())
    adapter = VendorAdapter(account, authorise, endpoint_of, gate, deadline_s, people, wait_s)
    for host in hosts:
        session.mount(f"https://{host}/", adapter)
    return session


def _base(url: str) -> tuple[str, str] | None:
    """(scheme, host:port) of a base URL; None for the vendor's own host."""
    if not url:
        return None
    parts = urlsplit(url)
    more = parts.path.strip("/") or parts.query or parts.fragment or "@" in parts.netloc
    if parts.scheme not in ("http", "https") or not parts.hostname or more:
        raise ConfigError("base_url: give scheme://host:port and nothing else")
    return parts.scheme, parts.netloc


def _check(response: requests.Response, request: requests.PreparedRequest, endpoint: str) -> None:
    """Statuses that mean the same at every vendor."""
    status = response.status_code
    if status == 429:
        raise RateLimited(f"{endpoint} answered 429", retry_after_s=retry_after_s(response.headers), endpoint=endpoint)
    if 300 < status < 400 and status != 304:  # a 300 leads nowhere: it names several records (Salesforce)
        raise VendorContractChanged(f"{endpoint} answered {status}: redirects are not followed", endpoint=endpoint)
    if status == 503 or (status >= 500 and request.method in SAFE):
        raise VendorUnavailable(f"{endpoint} answered {status}", endpoint=endpoint)
    if status >= 500:  # the vendor may have acted before it failed
        raise OutcomeUnknown(f"{endpoint} answered {status}", endpoint=endpoint)


def _read_whole(response: requests.Response) -> None:
    """Read the body here, bounded in time by the wire and in size; what the SDK gets is complete."""
    parts, size = [], 0
    for part in response.iter_content(64 << 10):
        size += len(part)
        if size > MAX_ANSWER_BYTES:
            response.close()
            raise VendorContractChanged(f"an answer larger than {MAX_ANSWER_BYTES >> 20} MiB")
        parts.append(part)
    response._content = b"".join(parts)


def _fault(request: requests.PreparedRequest, endpoint: str, error: Exception) -> VendorError:
    """Nothing was sent: try later. Something was sent and nothing came back: a write may have happened."""
    text = f"{endpoint}: {type(error).__name__}"
    if request.method in SAFE or not wire.was_sent():
        return VendorUnavailable(text, endpoint=endpoint)
    return OutcomeUnknown(text, endpoint=endpoint)
