"""Refusals in Salesforce's shape: a list of errors. Source: vendor sheet 4.3, read 2026-11; the codes are (R)."""

from __future__ import annotations

from typing import Any

from sandbox.base import Refusal


class Failed(Exception):
    """One record was refused; a collection reports it beside those that were taken."""

    def __init__(self, code: str, message: str, fields: tuple[str, ...] = (), status: int = 400, **more: Any) -> None:  # noqa: ANN401 - JSON
        super().__init__(code)
        self.code, self.message, self.fields, self.status, self.more = code, message, fields, status, more

    def item(self) -> dict[str, Any]:
        """As a collection shows it."""
        return {"statusCode": self.code, "message": self.message, "fields": list(self.fields), **self.more}

    def refusal(self) -> Refusal:
        """As a call of its own answers it."""
        error = {"message": self.message, "errorCode": self.code, "fields": list(self.fields), **self.more}
        return Refusal(self.status, [error])


def refusal(status: int, code: str, message: str) -> Refusal:
    """An error of the whole call."""
    return Refusal(status, [{"message": message, "errorCode": code}])


def not_found(message: str = "The requested resource does not exist") -> Refusal:
    return refusal(404, "NOT_FOUND", message)
