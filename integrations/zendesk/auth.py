"""Credentials of Zendesk: OAuth client credentials, renewed before they end; API tokens only as a legacy.

Source: Zendesk, "OAuth tokens" and the announcement that API tokens stop on 2027-04-30, read 2026-11.
"""

from __future__ import annotations

import base64
import threading
import time

import requests

from integrations.kernel.errors import NeedsReauthorisation, VendorContractChanged
from integrations.kernel.vendor import Account
from integrations.transport.http import Gate, vendor_session

LIFE_S = 7200  # asked for; between 300 and 172,800 (R)
RENEW_AT = 0.8


class OAuth:
    """One token for all threads of a process; whoever finds it old renews it, the others wait."""

    def __init__(self, account: Account, host: str, gate: Gate) -> None:
        self._account = account
        self._url = f"https://{host}/oauth/tokens"
        self._session = vendor_session(
            account, hosts=(host,), authorise=None, endpoint_of=lambda _, __: "oauth_token", gate=gate
        )
        self._lock = threading.Lock()
        self._token = ""
        self._renew_at = 0.0

    def header(self) -> str:
        with self._lock:
            if time.monotonic() >= self._renew_at:
                self._fetch()
            return f"Bearer {self._token}"

    def renew(self, refused: str) -> None:
        with self._lock:
            if refused == f"Bearer {self._token}":  # else another thread has renewed it already
                self._fetch()

    def _fetch(self) -> None:
        body = {
            "grant_type": "client_credentials",
            "client_id": self._account.config.get("client_id"),
            "client_secret": self._account.secret("client_secret"),
            "scope": self._account.config.get("scope"),
            "expires_in": LIFE_S,
        }
        response = self._session.post(self._url, json=body)
        if response.status_code >= 400:
            raise NeedsReauthorisation(f"the token endpoint answered {response.status_code}")
        try:
            answer = response.json()
            self._token = str(answer["access_token"])
            life_s = float(answer.get("expires_in") or LIFE_S)
        except (requests.JSONDecodeError, KeyError, TypeError, ValueError) as error:
            raise VendorContractChanged("the token endpoint answered in an unknown shape") from error
        self._renew_at = time.monotonic() + life_s * RENEW_AT


class LegacyToken:
    """Basic authentication with an API token. Ends on 2027-04-30."""

    def __init__(self, account: Account) -> None:
        text = f"{account.config.get('legacy_email')}/token:{account.secret('legacy_token')}"
        self._header = "Basic " + base64.b64encode(text.encode()).decode()

    def header(self) -> str:
        return self._header

    def renew(self, refused: str) -> None:
        raise NeedsReauthorisation("the API token is refused; set up OAuth instead")
