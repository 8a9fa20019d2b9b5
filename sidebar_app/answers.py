"""How the door answers: the page, fragments with their ETag, sentences for what is refused; and the headers of all."""

from __future__ import annotations

import hashlib
from urllib.parse import urlsplit

from flask import Response, make_response, render_template, request

from app.config import Settings
from app.telemetry.logs import get_logger
from app.ui import door
from integrations.kernel.errors import AppError, InputError
from sidebar_app.parts import parts

SCHEMES = ("light", "dark")

log = get_logger(__name__)


class OpenInZendesk(InputError):
    code, public = "sidebar.opened_directly", "Open this app from a ticket in Zendesk: there it knows who you are."


def page(connection_id: str, subdomain: str, bearer: str, location: str) -> Response:
    """The document of the frame. bearer: "" when nothing may be shown."""
    settings = parts().runtime.settings
    template = "nav_bar.html" if location == "nav_bar" else "frame.html"
    response = _html(template, connection=connection_id, bearer=bearer, location=location, error=None)
    return _framed(response, subdomain, settings, posts=location == "nav_bar")


def refused_page(error: AppError, subdomain: str) -> Response:
    """The same document with a sentence in the panel's place."""
    response = _html("frame.html", connection="", bearer="", location="", error=error)
    response.status_code = error.status
    return _framed(response, subdomain, parts().runtime.settings)


def fragment(template: str, *, status: int = 200, **values: object) -> Response:
    """A part of the page; 304 when the page has it already."""
    response = make_response(render_template(f"sidebar/{template}", **values), status)
    response.mimetype = "text/html"
    tag = hashlib.sha256(response.get_data()).hexdigest()[:20]
    response.set_etag(tag)
    return same(tag) if status == 200 and request.method == "GET" and tag in request.if_none_match else response


def same(tag: str) -> Response:
    """The page has it already."""
    return Response(status=304, headers={"ETag": f'"{tag}"'})


def refused(error: AppError) -> Response:
    """What the panel shows instead. After a 401 the page stops asking; all else may be different the next time."""
    return fragment("state.html", status=error.status, error=error)


def log_refusal(error: AppError) -> None:
    """For the log: ids and reasons, never a token."""
    log.info("sidebar_refused", code=error.code, endpoint=request.endpoint, **error.context)


def secure(response: Response) -> Response:
    """The headers of every answer of this door."""
    return door.secure(response, parts().runtime.settings.public_url)


def _html(template: str, **values: object) -> Response:
    scheme = request.args.get("colorScheme", "")
    settings = parts().runtime.settings
    text = render_template(
        f"sidebar/{template}", scheme=scheme if scheme in SCHEMES else "light", sdk=settings.zaf_sdk_url,
        poll_s=settings.sidebar_poll_s, version=parts().assets.version, **values,
    )  # fmt: skip
    return Response(text, mimetype="text/html")


def _framed(response: Response, subdomain: str, settings: Settings, *, posts: bool = False) -> Response:
    """Only the helpdesk's own page may hold the frame; in the sandbox also the simulated desk, which has the SDK."""
    sdk = urlsplit(settings.zaf_sdk_url)
    origin = f"{sdk.scheme}://{sdk.netloc}"
    parents = [f"https://{subdomain}.zendesk.com"] if subdomain else []
    if settings.mode == "sandbox":
        parents.append(origin)
    policy = {
        "default-src": "'none'", "script-src": f"'self' {origin}", "style-src": "'self'", "img-src": "'self' data:",
        "connect-src": "'self'", "frame-ancestors": " ".join(parents) or "'none'", "base-uri": "'none'",
        "form-action": "'self'" if posts else "'none'",
    }  # fmt: skip
    if posts:
        response.headers["Referrer-Policy"] = door.POSTS
    response.headers["Content-Security-Policy"] = "; ".join(f"{name} {value}" for name, value in policy.items())
    return response
