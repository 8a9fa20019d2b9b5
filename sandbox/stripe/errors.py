"""Refusals in Stripe's shape.

Source: vendor sheet 3.2 and 3.3; stripe-python 16.1.0 `error.py`, read 2026-11.
"""

from __future__ import annotations

import secrets

from sandbox.base import Refusal

INVALID, API, IDEMPOTENCY, CARD, RATE = (
    "invalid_request_error", "api_error", "idempotency_error", "card_error", "rate_limit_error",
)  # fmt: skip


class Denied(ValueError):
    """An act that Stripe does not do. Over HTTP it becomes an answer, in process it is raised as it is."""

    def __init__(self, code: str, message: str, status: int = 400, param: str = "", kind: str = INVALID) -> None:
        super().__init__(f"{code}: {message}")
        self.code, self.message, self.status, self.param, self.kind = code, message, status, param, kind


class Invalid(Denied):
    """Parameters that no endpoint began to work on: nothing is stored under the idempotency key."""


def missing(name: str, object_id: str) -> Denied:
    """404 resource_missing. `name`: as Stripe writes it, `charge`, `payment_intent`."""
    return Denied("resource_missing", f"No such {name}: '{object_id}'", 404, "id")


def unknown_parameter(name: str) -> Invalid:
    """400 parameter_unknown."""
    return Invalid("parameter_unknown", f"Received unknown parameter: {name}", 400, name)


def body_of(denied: Denied, request_id: str) -> dict[str, object]:
    """The answer's JSON."""
    error: dict[str, object] = {"message": denied.message, "type": denied.kind}
    if denied.code:
        error |= {
            "code": denied.code,
            "doc_url": f"https://stripe.com/docs/error-codes/{denied.code.replace('_', '-')}",
        }
    if denied.param:
        error["param"] = denied.param
    error["request_log_url"] = f"https://dashboard.stripe.com/acct_S1/test/logs/{request_id}"
    return {"error": error}


def refusal(denied: Denied, headers: dict[str, str] | None = None) -> Refusal:
    """The same as an answer that ends a request."""
    request_id = new_request_id()
    return Refusal(denied.status, body_of(denied, request_id), {"Request-Id": request_id, **(headers or {})})


def new_request_id() -> str:
    """`req_` and 14 letters and digits."""
    return f"req_{secrets.token_hex(7)}"
