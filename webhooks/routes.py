"""`POST /webhooks/<vendor>/<connection>`: limits, raw bytes, verify, strict JSON, store, commit, answer, ring."""

from __future__ import annotations

import time
from collections.abc import Mapping

from flask import Blueprint, Response, current_app, g, request
from werkzeug.exceptions import RequestEntityTooLarge

from app.inbox.door import Door
from app.telemetry import metrics
from app.telemetry.logs import bind
from integrations import registry
from integrations.kernel.clock import utc_now
from integrations.kernel.errors import AppError, MalformedPayload, PayloadTooLarge, UnsupportedMedia
from integrations.kernel.vendor import Port
from webhooks import replies

MAX_BODY_BYTES = 1 << 20

blueprint = Blueprint("webhooks", __name__, url_prefix="/webhooks")


@blueprint.post("/<vendor>/<connection>")
def receive(vendor: str, connection: str) -> Response:
    """Take one delivery. 202 only after its bytes are committed; the verdict is counted, whatever it is."""
    started = time.perf_counter()
    known = registry.by_slug(vendor)
    label = vendor if known is not None and Port.WEBHOOKS in known.ports else "unknown"
    try:
        with bind(connection_id=connection[:40]):
            new = _store(vendor, connection)
    except AppError as error:
        metrics.DELIVERIES.labels(label, error.code).inc()
        return replies.problem(error, g.request_id)
    metrics.DELIVERIES.labels(label, "stored" if new else "duplicate").inc()
    metrics.DELIVERY_SECONDS.labels(label).observe(time.perf_counter() - started)
    return replies.stored(new)


@blueprint.route("/<vendor>/<connection>", methods=["HEAD"], provide_automatic_options=False)
def look(vendor: str, connection: str) -> Response:
    """What a vendor's form asks when the address is saved. Nothing is said of the connection."""
    return Response(mimetype="text/plain")


def _store(vendor: str, connection: str) -> bool:
    door: Door = current_app.extensions["deskbridge.door"]
    headers = {name.lower(): value for name, value in request.headers.items()}
    _check_media(headers)
    body = _body(headers)
    return door.receive(vendor, connection, headers, body, utc_now())


def _check_media(headers: Mapping[str, str]) -> None:
    if headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise UnsupportedMedia("content-encoding")
    if headers.get("content-type", "").split(";")[0].strip().lower() != "application/json":
        raise UnsupportedMedia("content-type")


def _body(headers: Mapping[str, str]) -> bytes:
    """The exact bytes. A framing error of the sender is a 400, a body over the limit a 413, whoever notices it."""
    if request.content_length is not None and request.content_length > MAX_BODY_BYTES:
        raise PayloadTooLarge
    try:
        body = request.get_data(cache=True)
    except RequestEntityTooLarge as error:
        raise PayloadTooLarge from error
    except (OSError, ValueError) as error:  # a body cut short or framed wrongly
        raise MalformedPayload from error
    if len(body) > MAX_BODY_BYTES:
        raise PayloadTooLarge
    return body
