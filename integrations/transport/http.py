"""HTTP to a vendor: an adapter on the SDK's own session.

It sends the real host's traffic to the connection's base URL, adds the credentials, bounds the whole call in time, asks
the gate before and tells it after, and turns faults into typed errors. The SDK sees ordinary answers only.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol
from urllib.parse import urlsplit, urlunsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError, NewConnectionError

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
from integrations.transport.retry_after import retry_after_s

POOL = 32
MAX_ANSWER_BYTES = 32 << 20
CONNECT_S = 3.0
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


class Authoriser(Protocol):
    """Adds credentials. `renew` is called once after a 401, with the header that was refused."""

    def header(self) -> str: ...

    def renew(self, refused: str) -> None: ...


class Gate(Protocol):
    """Asked before each call, told after it."""

    def enter(self, account: Account, endpoint: str, *, people: bool, wait_s: float) -> None:
        """Take a place in the budgets. Raises RateLimited, or VendorUnavailable while the breaker is open."""

    def leave(
        self, account: Account, endpoint: str, *, status: int | None, headers: Mapping[str, str], seconds: float
    ) -> None:
        """Tell how it went; `status` None is no answer."""


class OpenGate:
    """No limits; counts calls. For tests and tools."""

    def __init__(self) -> None:
        self.calls: dict[str, int] = {}

    def enter(self, account: Account, endpoint: str, *, people: bool, wait_s: float) -> None:
        self.calls[endpoint] = self.calls.get(endpoint, 0) + 1

    def leave(
        self, account: Account, endpoint: str, *, status: int | None, headers: Mapping[str, str], seconds: float
    ) -> None:
        return None


class VendorAdapter(HTTPAdapter):
    """One connection's wire. Mounted on the vendor's real hosts; everything else is refused by the session."""

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
        super().__init__(pool_connections=2, pool_maxsize=POOL, pool_block=True, max_retries=0)
        self._account = account
        self._authorise = authorise
        self._endpoint_of = endpoint_of
        self._gate = gate
        self._deadline_s = deadline_s
        self._people = people
        self._wait_s = wait_s
        self._base = _base(account.base_url)

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:  # noqa: ANN401
        """One call, and a second one when its credentials were out of date."""
        endpoint = self._endpoint_of(request.method or "GET", urlsplit(request.url or "").path)
        wire = request
        if self._base:
            parts = urlsplit(request.url or "")
            wire = request.copy()
            wire.headers["Host"] = str(parts.hostname)
            wire.url = urlunsplit((*self._base, parts.path, parts.query, ""))
        response = self._authorised(wire, endpoint)
        response.request, response.url = request, str(request.url)  # SDKs read answers by the address they asked
        if response.status_code == 429:
            raise RateLimited(
                f"{endpoint} answered 429", retry_after_s=retry_after_s(response.headers), endpoint=endpoint
            )
        if response.status_code == 503 or (response.status_code >= 500 and request.method in SAFE):
            raise VendorUnavailable(f"{endpoint} answered {response.status_code}", endpoint=endpoint)
        if response.status_code >= 500:
            raise OutcomeUnknown(f"{endpoint} answered {response.status_code}", endpoint=endpoint)
        return response

    def _authorised(self, request: requests.PreparedRequest, endpoint: str) -> requests.Response:
        if self._authorise is None:
            return self._timed(request, endpoint)
        for again in (True, False):
            header = self._authorise.header()
            request.headers["Authorization"] = header
            response = self._timed(request, endpoint)
            if response.status_code != 401:
                return response
            if again:
                self._authorise.renew(header)
        raise NeedsReauthorisation(f"{endpoint} answered 401 to fresh credentials", endpoint=endpoint)

    def _timed(self, request: requests.PreparedRequest, endpoint: str) -> requests.Response:
        """The call itself, from the gate to the last byte."""
        self._gate.enter(self._account, endpoint, people=self._people, wait_s=self._wait_s)
        started = time.monotonic()
        status: int | None = None
        headers: Mapping[str, str] = {}
        try:
            response = super().send(
                request, stream=True, timeout=(CONNECT_S, self._deadline_s), verify=True, proxies=None
            )
            status, headers = response.status_code, response.headers
            _read_whole(response, started + self._deadline_s)
        except (requests.RequestException, HTTPError, OSError) as error:
            status = None
            raise _fault(request, endpoint, error) from error
        finally:
            seconds = time.monotonic() - started
            self._gate.leave(self._account, endpoint, status=status, headers=headers, seconds=seconds)
        return response


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

    deadline_s bounds the whole call. people: a person waits, so the whole of each limit may be used. wait_s: how long a
    call may wait for budget before RateLimited is raised.
    """
    session = requests.Session()
    session.trust_env = False
    session.max_redirects = 0
    session.adapters.clear()
    adapter = VendorAdapter(account, authorise, endpoint_of, gate, deadline_s, people, wait_s)
    for host in hosts:
        session.mount(f"https://{host}/", adapter)
    return session


def _base(url: str) -> tuple[str, str] | None:
    """(scheme, host:port) of a base URL; None for the vendor's own host."""
    if not url:
        return None
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.netloc or parts.path.strip("/") or parts.username:
        raise ConfigError("base_url: give scheme://host:port and nothing else")
    return parts.scheme, parts.netloc


def _read_whole(response: requests.Response, until: float) -> None:
    """Read the body with the clock running: a server that drips bytes cannot hold a thread."""
    parts, size = [], 0
    for part in response.iter_content(64 << 10):
        size += len(part)
        if size > MAX_ANSWER_BYTES:
            response.close()
            raise VendorContractChanged("an answer larger than 32 MiB")
        if time.monotonic() > until:
            response.close()
            raise requests.ReadTimeout("the whole answer did not come in time")
        parts.append(part)
    response._content = b"".join(parts)


def _fault(request: requests.PreparedRequest, endpoint: str, error: Exception) -> VendorError:
    """Nothing was sent: try later. Something was sent and nothing came back: a write may have happened."""
    text = f"{endpoint}: {type(error).__name__}"
    if request.method in SAFE or isinstance(error, requests.ConnectTimeout) or _not_connected(error):
        return VendorUnavailable(text, endpoint=endpoint)
    return OutcomeUnknown(text, endpoint=endpoint)


def _not_connected(error: BaseException) -> bool:
    """Was the connection never made? requests wraps urllib3's errors in its own, the reason is inside."""
    reason = getattr(error.args[0], "reason", None) if error.args else None
    return isinstance(reason, NewConnectionError)
