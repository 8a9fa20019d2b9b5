"""`python -m sandbox`: every simulated vendor on its own loopback port, in one process."""

from __future__ import annotations

import argparse
import importlib
import logging
import pkgutil
import socket
import sys
import threading
from pathlib import Path
from typing import Any

import waitress

import sandbox
from sandbox import control
from sandbox.base import Context
from sandbox.base.simulator import Cut

STEP = 10  # between the ports: desk, then each vendor by name
FIRST = ("zendesk", "stripe")  # a new vendor's port comes after theirs, so that nobody's moves
THREADS = 32


def vendors() -> list[str]:
    """Vendor folders: packages with a simulator.py, by name after those whose ports are known from the beginning."""
    names = [m.name for m in pkgutil.iter_modules(sandbox.__path__) if m.ispkg and m.name != "base"]
    found = [n for n in names if importlib.util.find_spec(f"sandbox.{n}.simulator")]
    return [*(name for name in FIRST if name in found), *sorted(set(found) - set(FIRST))]


def serve(app: object, port: int) -> None:
    """One app on one port, in a thread of its own."""
    server = waitress.create_server(app, host="127.0.0.1", port=port, threads=THREADS, connection_limit=2000)
    threading.Thread(target=server.run, daemon=True, name=f"port-{port}").start()


def main() -> None:
    """Start all, write the ready file, stay."""
    parser = argparse.ArgumentParser(prog="python -m sandbox", description=__doc__)
    parser.add_argument("--ports-from", type=int, default=8400)
    parser.add_argument("--limits", choices=("real", "off"), default="real")
    parser.add_argument("--time-factor", type=float, default=1.0)
    parser.add_argument("--latency-ms", type=float, default=0.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--deskbridge-url", default="")
    parser.add_argument("--ready-file", type=Path)
    options = parser.parse_args()
    logging.getLogger("waitress").setLevel(logging.ERROR)
    context = Context(
        options.seed, options.limits == "real", options.time_factor, options.latency_ms / 1000, options.deskbridge_url,
        options.ports_from,
    )  # fmt: skip
    lines = []
    for number, name in enumerate(vendors(), 1):
        port = options.ports_from + number * STEP
        serve(_cutting(importlib.import_module(f"sandbox.{name}.simulator").build(context)), port)
        lines.append(f"{name:<10} http://127.0.0.1:{port}")
    serve(control.build(context), options.ports_from)
    sys.stdout.write("\n".join([f"desk       http://127.0.0.1:{options.ports_from}/sandbox/", *lines]) + "\n")
    sys.stdout.flush()
    if options.ready_file:
        options.ready_file.write_text("ready")
    threading.Event().wait()


def _cutting(app: object) -> object:
    """Turn a `Cut` into a connection that ends without an answer."""

    def wrapped(environ: dict[str, Any], start_response: object) -> object:
        try:
            return app(environ, start_response)  # type: ignore[operator]
        except Cut:
            channel = environ["waitress.client_disconnected"].__self__  # the only way to the socket a WSGI app has
            channel.socket.shutdown(socket.SHUT_RDWR)
            raise ConnectionAbortedError("cut on purpose") from None

    return wrapped


if __name__ == "__main__":
    main()
