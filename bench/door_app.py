"""The shipped app with one route more: /noop reads the body as the door does, and stores nothing."""

from __future__ import annotations

from flask import Response, jsonify, request

from wsgi import app


@app.post("/noop")
def noop() -> Response:
    """What ingest is compared with: the same server, the same app, the same bytes."""
    request.get_data()
    response = jsonify(status="read")
    response.status_code = 202
    return response
