"""Sessions of Salesforce: an External Client App by JWT bearer, or by client credentials; the settings say which.

Not by simple-salesforce's own login: that one repeats a call after a 401 without its extra headers, warns on the
process's standard error, and has no deadline. Here a refused session is renewed once, for all threads.

Source: vendor sheet 4.1, read 2026-11; the texts of refusals are (R) where they are not marked there.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import jwt
import requests

from integrations.kernel.errors import (
    ConfigError,
    NeedsReauthorisation,
    OutcomeUnknown,
    VendorContractChanged,
    VendorError,
    VendorUnavailable,
)
from integrations.kernel.vendor import Account
from integrations.salesforce.settings import audience_of
from integrations.transport.http import Gate, vendor_session

JWT_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
ASSERTION_S = 170  # Salesforce takes three minutes at most, by its own clock
FAILURE_S = 2.0  # threads that waited for a renewal that failed fail with it, instead of each trying in turn
# A part of the refusal's description, else its error -> what an admin does.
REFUSALS = (
    ("hasn't approved this consumer", ("The app is not approved for the integration user: in the External Client App's "
     "policies choose 'Admin approved users are pre-authorized' and add a permission set the user has.")),
    ("no client credentials user", ("The app has no user to run as: in the External Client App's policies, client "
     "credentials flow, name the integration user.")),
    ("not supported on this domain", "Client credentials work on the org's own domain only: check my_domain."),
    ("audience", "The assertion was for another kind of org: check my_domain (a sandbox's ends with .sandbox)."),
    ("invalid assertion", "The private key does not belong to the certificate that was uploaded to the app."),
    ("expired", "Salesforce takes the assertion for too old: set this machine's clock."),
    ("inactive", "The integration user is not active, or the org is not."),
    ("invalid_client_id", "Salesforce does not know the consumer key."),
    ("invalid_client", "Salesforce does not take the consumer key with this secret."),
    ("invalid_grant", "Salesforce does not let the integration user in: check username, permissions and login hours."),
    ("unsupported_grant_type", "This way of signing in is not switched on in the External Client App."),
)  # fmt: skip


class Sessions:
    """One session for all threads of a process; whoever finds it refused renews it, the others wait."""

    def __init__(self, account: Account, host: str, gate: Gate, clock: Callable[[], float] = time.monotonic) -> None:
        self._account = account
        self._by_key = bool(account.config.get("username") and account.secret("private_key"))
        if not account.config.get("consumer_key") or not (self._by_key or account.secret("consumer_secret")):
            raise ConfigError(
                "Give consumer_key, and username with private_key (JWT bearer), or consumer_secret (client credentials)"
            )
        self._url = f"https://{host}/services/oauth2/token"
        self._session = vendor_session(
            account, hosts=(host,), authorise=None, endpoint_of=lambda _, __: "oauth_token", gate=gate, wait_s=2.0
        )
        self._clock = clock
        self._lock = threading.Lock()
        self._token = ""
        self._failed: tuple[float, VendorError] | None = None

    def header(self) -> str:
        """The session, opened when there is none. Nothing says how long it lasts: it does until it is refused."""
        with self._lock:
            if not self._token:
                self._fetch()
            return f"Bearer {self._token}"

    def renew(self, refused: str) -> None:
        """After a 401: a new session, unless another thread has opened it already."""
        with self._lock:
            if refused == f"Bearer {self._token}":
                self._token = ""
                self._fetch()

    def _fetch(self) -> None:
        if self._failed and self._clock() < self._failed[0] + FAILURE_S:
            raise self._failed[1]
        try:
            self._token = self._ask()
            self._failed = None
        except OutcomeUnknown as error:  # a session more or less does no harm, and no write was sent
            self._failed = (self._clock(), VendorUnavailable(str(error)))
            raise self._failed[1] from error
        except VendorError as error:
            self._failed = (self._clock(), error)
            raise

    def _ask(self) -> str:
        """A session by the newest secret that is taken."""
        secrets = self._account.secrets.get("private_key" if self._by_key else "consumer_secret", ())
        refused = VendorError("no secret")
        for secret in secrets:
            response = self._by_jwt(secret) if self._by_key else self._by_secret(secret)
            if response.status_code < 400:
                return _token(response)
            refused = _refusal(response)
        raise refused

    def _by_jwt(self, private_key: str) -> requests.Response:
        config = self._account.config
        claims = {
            "iss": config["consumer_key"], "sub": config["username"], "aud": audience_of(config),
            "exp": int(time.time()) + ASSERTION_S,
        }  # fmt: skip
        try:
            assertion = jwt.encode(claims, private_key, algorithm="RS256")
        except (ValueError, TypeError, jwt.PyJWTError) as error:
            raise NeedsReauthorisation(
                "private_key: no RSA key in PEM; give the key of the uploaded certificate"
            ) from error
        return self._session.post(self._url, data={"grant_type": JWT_GRANT, "assertion": assertion})

    def _by_secret(self, secret: str) -> requests.Response:
        credentials = (str(self._account.config["consumer_key"]), secret)
        return self._session.post(self._url, data={"grant_type": "client_credentials"}, auth=credentials)


def _token(response: requests.Response) -> str:
    try:
        return str(response.json()["access_token"])
    except (KeyError, TypeError, ValueError) as error:
        raise VendorContractChanged("the token endpoint answered in an unknown shape") from error


def _refusal(response: requests.Response) -> NeedsReauthorisation:
    """A refusal as the sentence an admin needs."""
    try:
        told: Any = response.json()
    except ValueError:
        told = {}
    told = told if isinstance(told, dict) else {}
    said = f"{told.get('error_description') or ''} {told.get('error') or ''}".lower()
    sentence = next((text for part, text in REFUSALS if part in said), "Salesforce does not let us in.")
    return NeedsReauthorisation(f"{sentence} ({response.status_code} {str(told.get('error') or '')[:60]})".strip())
