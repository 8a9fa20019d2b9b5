"""The product's web app, telling what CPU each answer took (without the web server's own); and its billing by itself."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

from flask import Response, jsonify, render_template

from sidebar_app import billed, panel
from sidebar_app.parts import parts
from sidebar_app.routes import visiting
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


@app.get("/bench/billing/<connection>/<subject>/<int:times>")
def billing(connection: str, subject: str, times: int) -> Response:
    """What five calls of Stripe are for: one payer's billing, from the mirror to HTML, as a page that looks gets it.

    Who asks, and who pays for whom, is found out before: that is to be done beside five calls too.
    """
    runtime, accounts = parts().runtime, parts().accounts()
    with visiting(connection, "tickets", subject) as (cx, who):
        shown = panel.build(cx, who, runtime.settings, accounts)
        (one,) = panel.found_match(cx, who, runtime.settings, accounts).payers
    walls, cpu, size = [], [], 0
    for _ in range(times):
        began, used = time.perf_counter(), time.thread_time()
        with runtime.database.look() as cx:
            payer = billed.payer(cx, who, runtime.settings, accounts[one.connection_id], one)
        size = len(render_template("sidebar/payer.html", panel=shown, payer=payer, told=who.reader).encode())
        walls.append((time.perf_counter() - began) * 1000)
        cpu.append((time.thread_time() - used) * 1000)
    return jsonify(ms=walls, cpu=cpu, bytes=size)
