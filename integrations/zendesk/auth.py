"""Credentials of Zendesk: OAuth client credentials, renewed before they end; API tokens only as a legacy.

Source: Zendesk, "OAuth tokens" and the announcement that API tokens stop on 2027-04-30, read 2026-11.
"""

from __future__ import annotations

import base64
import threading
import time
from collections.abc import Callable

import requests

from integrations.kernel.errors import (
    NeedsReauthorisation,
    OutcomeUnknown,
    VendorContractChanged,
    VendorError,
    VendorUnavailable,
)
from integrations.kernel.vendor import Account
from integrations.transport.http import Gate, vendor_session
from integrations.zendesk.settings import API_TOKENS_END

LIFE_S = 7200  # asked for; between 300 and 172,800 (R)
RENEW_AT = 0.8
FAILURE_S = 2.0  # threads that waited for a renewal that failed fail with it, instead of each trying in turn


class OAuth:
    """One token for all threads of a process; whoever finds it old renews it, the others wait."""

    def __init__(self, account: Account, host: str, gate: Gate, clock: Callable[[], float] = time.monotonic) -> None:
        self._account = account
        self._url = f"https://{host}/oauth/tokens"
        self._session = vendor_session(
            account, hosts=(host,), authorise=None, endpoint_of=lambda _, __: "oauth_token", gate=gate, wait_s=2.0
        )
        self._clock = clock
        self._lock = threading.Lock()
        self._token = ""
        self._renew_at = 0.0
        self._failed: tuple[float, VendorError] | None = None

    def header(self) -> str:
        """The token, fetched when there is none or 80 % of its life are over."""
        with self._lock:
            if not self._token or self._clock() >= self._renew_at:
                self._fetch()
            return f"Bearer {self._token}"

    def renew(self, refused: str) -> None:
        """After a 401: a new token, unless another thread has fetched it already."""
        with self._lock:
            if refused == f"Bearer {self._token}":
                self._fetch()

    def _fetch(self) -> None:
        if self._failed and self._clock() < self._failed[0] + FAILURE_S:
            raise self._failed[1]
        try:
            self._take(self._ask())
            self._failed = None
        except OutcomeUnknown as error:  # a token more or less at Zendesk does no harm, and no write was sent
            self._failed = (self._clock(), VendorUnavailable(str(error)))
            raise self._failed[1] from error
        except VendorError as error:
            self._failed = (self._clock(), error)
            raise

    def _ask(self) -> requests.Response:
        """The token endpoint's answer to the newest secret it takes."""
        secrets, status = self._account.secrets.get("client_secret", ()), 0
        if not self._account.config.get("client_id") or not secrets:
            raise NeedsReauthorisation("client_id and client_secret are not given: make an OAuth client (README)")
        for secret in secrets:
            body = {
                "grant_type": "client_credentials",
                "client_id": self._account.config.get("client_id"),
                "client_secret": secret,
                "scope": self._account.config.get("scope"),
                "expires_in": LIFE_S,
            }
            response = self._session.post(self._url, json=body)
            status = response.status_code
            if status < 400:
                return response
        raise NeedsReauthorisation(f"the token endpoint answered {status}: check client id, secret and scopes")

    def _take(self, response: requests.Response) -> None:
        try:
            answer = response.json()
            token, life_s = str(answer["access_token"]), float(answer.get("expires_in") or LIFE_S)
        except (KeyError, TypeError, ValueError) as error:
            raise VendorContractChanged("the token endpoint answered in an unknown shape") from error
        self._token, self._renew_at = token, self._clock() + life_s * RENEW_AT


class LegacyToken:
    """Basic authentication with an API token. Ends on 2027-04-30."""

    def __init__(self, account: Account) -> None:
        text = f"{account.config.get('legacy_email')}/token:{account.secret('legacy_token')}"
        self._header = "Basic " + base64.b64encode(text.encode()).decode()

    def header(self) -> str:
        """The same for ever."""
        return self._header

    def renew(self, refused: str) -> None:
        """There is nothing to renew."""
        raise NeedsReauthorisation(f"the API token is refused (all end {API_TOKENS_END}); set up OAuth instead")
