"""Tokens of the simulated Salesforce: JWT bearer and client credentials. Source: vendor sheet 4.1, read 2026-11."""

from __future__ import annotations

import secrets
import time

import jwt
from flask import Flask, Response, jsonify, request

from sandbox.base import Context, Refusal

CONSUMER_KEY, CONSUMER_SECRET = "sandbox-salesforce-key-not-safe", "sandbox-salesforce-secret-not-safe"
USERNAME = "deskbridge@acme.example"
AUDIENCES = ("https://login.salesforce.com", "https://test.salesforce.com")
LOGIN_HOSTS = frozenset({"login.salesforce.com", "test.salesforce.com"})
JWT_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
ASSERTION_S, SESSION_S = 180, 7200


def refused(error: str, told: str, status: int = 400) -> Refusal:
    return Refusal(status, {"error": error, "error_description": told})


class Tokens:
    """Sessions, each with its end. public_key: PEM of the uploaded certificate's key. approved: users let in by policy.

    runs_as: does the app's policy name a user for client credentials.
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        self._ends: dict[str, float] = {}
        self.public_key, self.runs_as = "", True
        self.approved = {USERNAME}
        self.session_s = float(SESSION_S)

    def issue(self) -> str:
        token = f"00DSandbox!{secrets.token_urlsafe(48)}"
        with self._context.lock:
            self._ends[token] = time.monotonic() + self.session_s
        return token

    def is_good(self, authorization: str) -> bool:
        """Is it the Bearer header of a session that lasts?"""
        return self._ends.get(authorization.removeprefix("Bearer "), 0.0) > time.monotonic()

    def expire(self) -> bool:
        """End every session, as an admin may."""
        with self._context.lock:
            self._ends.clear()
        return True

    def trust(self, public_key: str) -> bool:
        """The certificate's public key, PEM, as an admin uploads it."""
        self.public_key = public_key
        return True

    def run_as(self, known: bool = True) -> bool:
        """The app's policy names a user for client credentials, or none."""
        self.runs_as = known
        return known

    def check_assertion(self, assertion: str) -> None:
        """Raises Refusal (`invalid_grant`)."""
        try:
            claims = jwt.decode(
                assertion, self.public_key, algorithms=["RS256"], audience=AUDIENCES,
                options={"require": ["iss", "sub", "aud", "exp"]},
            )  # fmt: skip
        except jwt.InvalidAudienceError as error:
            raise refused("invalid_grant", "audience is invalid") from error
        except jwt.ExpiredSignatureError as error:
            raise refused("invalid_grant", "expired authorization code") from error
        except (jwt.PyJWTError, ValueError, TypeError) as error:
            raise refused("invalid_grant", "invalid assertion") from error
        if claims["iss"] != CONSUMER_KEY:
            raise refused("invalid_client_id", "client identifier invalid")
        if int(claims["exp"]) > time.time() + ASSERTION_S:
            raise refused("invalid_grant", "expired authorization code")
        if claims["sub"] not in self.approved:
            raise refused("invalid_grant", "user hasn't approved this consumer")

    def check_client(self) -> None:
        """HTTP Basic, on the org's own host only. Raises Refusal."""
        if request.headers.get("Host", "").partition(":")[0] in LOGIN_HOSTS:
            raise refused("invalid_grant", "request not supported on this domain")
        basic = request.authorization
        if basic is None or basic.username != CONSUMER_KEY or basic.password != CONSUMER_SECRET:
            raise refused("invalid_client", "invalid client credentials", 401)
        if not self.runs_as:
            raise refused("invalid_grant", "no client credentials user enabled")


def routes(app: Flask, tokens: Tokens, instance_url: str = "") -> None:
    """The token address. instance_url: what answers name; the address that was called when left out."""

    @app.post("/services/oauth2/token")
    def token() -> Response:
        grant = request.form.get("grant_type")
        if grant == JWT_GRANT:
            tokens.check_assertion(request.form.get("assertion", ""))
        elif grant == "client_credentials":
            tokens.check_client()
        else:
            raise refused("unsupported_grant_type", "grant type not supported")
        url = instance_url or request.host_url.rstrip("/")
        return jsonify(
            access_token=tokens.issue(), instance_url=url, token_type="Bearer", scope="api", signature="sandbox",
            id=f"{url}/id/00DSandbox/005Sandbox", issued_at=str(int(time.time() * 1000)),
        )  # fmt: skip
