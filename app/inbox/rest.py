"""When a lane must wait through no fault of its events, and for how long. Pure but for the dice."""

from __future__ import annotations

import random

from sqlalchemy.exc import DBAPIError

from integrations.kernel.errors import AppError, RateLimited, Retry, VendorError

LONGEST_S = 60.0


def waits(error: Exception) -> bool:
    """Does waiting help: a vendor that is away or full, credentials to renew, a connection that is switched off?

    An answer nobody understands will not be another one later: that is a failed try.
    """
    if isinstance(error, VendorError):
        return error.retry in (Retry.LATER, Retry.OPERATOR)
    return isinstance(error, AppError)


def pause_s(error: Exception, waited_s: float) -> float:
    """As long as was told; else longer the longer it lasts, at random, so that the lanes do not come back together."""
    if isinstance(error, RateLimited):
        return error.retry_after_s
    if isinstance(error, VendorError) and error.retry is Retry.LATER:
        return random.uniform(0.5, min(LONGEST_S, max(2.0, waited_s / 2)))
    return LONGEST_S


def reason(error: Exception) -> str:
    """What is kept of a failure, for people. A database's own words quote the row: only their kind is kept."""
    cause = error.orig if isinstance(error, DBAPIError) else None
    return f"{type(error).__name__}: {type(cause).__name__ if cause else error}"[:500]
