"""A simulated vendor on a free loopback port of this process: for tests, benchmarks and a look around."""

from __future__ import annotations

import socket
import threading
from typing import Any

from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from sandbox.base.simulator import Cut


class _Quiet(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log(self, type: str, message: str, *args: object) -> None:
        """Say nothing."""


def serve(app: Any) -> BaseWSGIServer:  # noqa: ANN401 - a WSGI application
    """Any WSGI app on a free port, in a thread. Ended by `end`."""

    def cutting(environ: dict[str, Any], start_response: Any) -> Any:  # noqa: ANN401 - WSGI
        try:
            return app(environ, start_response)
        except Cut:
            environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
            raise ConnectionAbortedError("cut on purpose") from None

    server = make_server("127.0.0.1", 0, cutting, threaded=True, request_handler=_Quiet)
    server.daemon_threads = True  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    return server


def end(server: BaseWSGIServer) -> None:
    """Stop serving and give the port back."""
    server.shutdown()
    server.server_close()


def free_port() -> int:
    """A loopback port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
