"""One JSON object a line, with ids and never bodies, tokens or addresses.

Every line inside a request or a job carries what `bind` was given: request_id, delivery_id, job, connection_id.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

# Names that must never reach a log line, whatever a caller passes by mistake.
FORBIDDEN = frozenset(
    {"authorization", "body", "cookie", "email", "headers", "password", "secret", "signature", "token", "url_secret"}
)
LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


def _guard(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:  # noqa: ANN401 - structlog's
    for name in FORBIDDEN & event.keys():
        event[name] = "[not logged]"
    return event


def configure(level: str = "info") -> None:
    """Set up logging for this process; libraries' own lines come out in the same form."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        _guard,
    ]
    structlog.configure(
        processors=[*shared, structlog.processors.JSONRenderer(sort_keys=True)],
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS[level]),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(sort_keys=True),
            ],
            foreign_pre_chain=shared,
        )
    )
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)  # a queue of a few requests is no event


def get_logger(name: str) -> structlog.stdlib.BoundLogger:
    """A logger whose lines carry `source`: use constant event names and fields."""
    logger: structlog.stdlib.BoundLogger = structlog.get_logger(source=name)
    return logger


bind = structlog.contextvars.bound_contextvars
