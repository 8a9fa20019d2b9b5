"""Which answer makes each vendor stop or try again.

202: stored. 401: not signed by the vendor (never retried). 404: no such connection. 503 with a short Retry-After: our
trouble, send it again (Zendesk is said to retry only below 60 s). A 410 is never sent: Intercom would unsubscribe us.
"""

from __future__ import annotations

from flask import Response, jsonify

from integrations.kernel.errors import AppError

RETRY_AFTER_S = 20


def stored(new: bool) -> Response:
    """The one good answer, tiny; a copy gets the same."""
    response = jsonify(status="stored" if new else "known")
    response.status_code = 202
    return response


def problem(error: AppError, request_id: str) -> Response:
    """The one bad answer: problem JSON (RFC 9457) with a code, a sentence and the request's id, nothing else."""
    response = jsonify(
        type=f"urn:deskbridge:error:{error.code}",
        title=error.public,
        status=error.status,
        code=error.code,
        request_id=request_id,
    )
    response.status_code = error.status
    response.mimetype = "application/problem+json"
    if error.status == 503:
        response.headers["Retry-After"] = str(RETRY_AFTER_S)
    return response
