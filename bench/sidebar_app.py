"""The product's web app, telling with each answer what CPU the thread that made it used (without the web server's own)."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

from wsgi import app

CPU = "X-Bench-Cpu-Ms"
_answer = app.wsgi_app


def measured(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """One answer; its body is whole when the app returns."""
    began = time.thread_time()

    def start(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
        headers.append((CPU, f"{(time.thread_time() - began) * 1000:.3f}"))
        return start_response(status, headers, *more)

    return _answer(environ, start)


app.wsgi_app = measured  # type: ignore[method-assign]
