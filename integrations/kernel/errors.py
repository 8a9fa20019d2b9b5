"""One tree of errors. Each class fixes a documented code, an HTTP status and what the caller may do next.

`public` is the sentence a person may see; the context is for the log. Every code is listed in docs/errors.md.
"""

from __future__ import annotations

from enum import Enum
from typing import Any, ClassVar


class Retry(Enum):
    """What repeating the same thing would do."""

    NEVER = "never"  # the answer will not change
    LATER = "later"  # nothing happened at the vendor
    SAME_KEY = "same_key"  # it may have happened: repeat only with the same key, or look first
    OPERATOR = "operator"  # a person must act (expired token, revoked scope)


class AppError(Exception):
    """Root of every error of ours. `context` holds ids only: no bodies, tokens or e-mail addresses."""

    code: ClassVar[str] = "internal"
    status: ClassVar[int] = 500
    retry: ClassVar[Retry] = Retry.NEVER
    public: ClassVar[str] = "Something went wrong on our side. Try again; if it stays, give your admin the request id."

    def __init__(self, message: str = "", **context: Any) -> None:  # noqa: ANN401 - for the log
        super().__init__(message or self.public)
        self.context = context


class InputError(AppError):
    code, status, public = "input.invalid", 400, "The request could not be read. Check its format and send it again."


class MalformedPayload(InputError):
    code, public = "input.malformed", "The body is not the JSON this address takes. Check the sender's template."


class PayloadTooLarge(InputError):
    code, status, public = "input.too_large", 413, "The body is larger than 1 MiB. Send less."


class UnsupportedMedia(InputError):
    code, status, public = "input.media", 415, "Send application/json without Content-Encoding."


class AuthError(AppError):
    code, status, public = "auth.required", 401, "Sign in again."


class BadSignature(AuthError):
    code, public = "auth.signature", "The signature does not match. Check the signing secret of this connection."


class StaleSignature(BadSignature):
    code, public = "auth.stale", "The signed time is too far from now. Check the clocks of both sides."


class NotAllowed(AuthError):
    code, status, public = "auth.not_allowed", 403, "Your role does not allow this. Ask an admin."


class StateError(AppError):
    code, status, public = "state.conflict", 409, "This was changed by someone else. Reload and look again."


class Conflict(StateError):
    code = "state.changed"


class NotFound(StateError):
    code, status, public = "state.not_found", 404, "There is nothing here under that name. Check the address."


class Overloaded(AppError):
    code, status, retry = "service.overloaded", 503, Retry.LATER
    public = "Not stored: the service cannot write at the moment. Send it again after the time in Retry-After."


class ConfigError(AppError):
    code, public = "config.invalid", "The settings are not usable; every problem is listed with what to do."


class VendorError(AppError):
    """Something went wrong at a vendor. `vendor_code` is the vendor's own code, where it gave one."""

    code, status, public = "vendor.error", 502, "The other service answered with an error."
    vendor_code: str = ""


class VendorUnavailable(VendorError):
    code, retry = "vendor.unavailable", Retry.LATER
    public = "The other service is not reachable. It is tried again by itself."


class RateLimited(VendorError):
    """`retry_after_s`: seconds to wait, by the vendor's header or by our own budget."""

    code, retry = "vendor.rate_limited", Retry.LATER
    public = "The other service takes no more calls for the moment. It is tried again by itself."

    def __init__(self, message: str = "", *, retry_after_s: float = 1.0, **context: Any) -> None:  # noqa: ANN401
        super().__init__(message, **context)
        self.retry_after_s = retry_after_s


class OutcomeUnknown(VendorError):
    code, retry = "vendor.outcome_unknown", Retry.SAME_KEY
    public = "The other service was asked and gave no answer. We look before anything is repeated."


class NeedsReauthorisation(VendorError):
    code, retry = "vendor.reauthorise", Retry.OPERATOR
    public = "The other service refuses our credentials. An admin must renew the connection."


class VendorRejected(VendorError):
    """The vendor understood and said no. `http_status` and `vendor_code` say how."""

    code, public = "vendor.rejected", "The other service refused this change."

    def __init__(self, message: str = "", *, http_status: int = 400, vendor_code: str = "", **context: Any) -> None:  # noqa: ANN401
        super().__init__(message, **context)
        self.http_status = http_status
        self.vendor_code = vendor_code


class VendorContractChanged(VendorError):
    code, public = "vendor.contract", "The other service answered in a shape we do not know. Tell your admin."
