"""What every door of ours that people open in a browser does alike: headers, the origin of a write, its own secret."""

from __future__ import annotations

import hashlib
import hmac
from typing import Final

from flask import Response, request

from app.ui.assets import pack
from integrations.kernel.errors import NotAllowed

POSTS: Final = "same-origin"  # with no-referrer a browser sends `Origin: null` with a form, and we could not check it
PAGE_CSP: Final = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)


class WrongOrigin(NotAllowed):
    code, public = "sidebar.origin", "This did not come from our own page. Reload the app."


def secure(response: Response, public_url: str) -> Response:
    """The headers of every answer."""
    response.headers.setdefault("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
    response.headers.setdefault("Referrer-Policy", "no-referrer")
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers.setdefault("Cache-Control", "no-store")
    if public_url.startswith("https://"):
        response.headers["Strict-Transport-Security"] = "max-age=31536000"
    return pack(response)


def page(response: Response, public_url: str) -> Response:
    """The headers of a page of its own, which is never framed."""
    response.headers.setdefault("Content-Security-Policy", PAGE_CSP)
    response.headers["Referrer-Policy"] = POSTS
    return secure(response, public_url)


def own_origin(public_url: str) -> None:
    """A write comes from our own page; a browser always says where a POST comes from. Raises WrongOrigin."""
    if request.headers.get("Origin", "") != public_url:
        raise WrongOrigin


def csrf_of(cookie: str) -> str:
    """Known to who has the cookie only, and worth nothing as a cookie."""
    return hashlib.sha256(f"csrf/{cookie}".encode()).hexdigest()


def check_csrf(cookie: str) -> None:
    """The form carries the secret of the page it came from. Raises WrongOrigin."""
    if not hmac.compare_digest(request.form.get("csrf", "").encode(), csrf_of(cookie).encode()):
        raise WrongOrigin
