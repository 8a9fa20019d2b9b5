"""One JSON object a line, with ids and never bodies, tokens or addresses.

Every line inside a request or a job carries what `bind` was given: request_id, delivery_id, job, connection_id.
"""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import Iterator, MutableMapping
from typing import Any

import structlog

from integrations.kernel.errors import AppError

# Names that must never reach a log line, whatever a caller passes by mistake.
FORBIDDEN = frozenset(
    {"authorization", "body", "cookie", "email", "headers", "password", "secret", "signature", "token", "url_secret"}
)
LONGEST_CHAIN, LAST_CALLS = 5, 12  # of an exception and its causes: exceptions, calls of each
LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


def _guard(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:  # noqa: ANN401 - structlog's
    for name in FORBIDDEN & event.keys():
        event[name] = "[not logged]"
    return event


def _trace(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:  # noqa: ANN401 - structlog's
    """An exception as its type and where it was raised. Its message only when it is ours: others quote what they read."""
    given = event.pop("exc_info", None)
    if given:
        problem = (
            given if isinstance(given, BaseException) else (given if isinstance(given, tuple) else sys.exc_info())[1]
        )
        if problem is not None:
            event["exception"] = list(_chain(problem))
    return event


def _chain(problem: BaseException) -> Iterator[str]:
    """The exception, then what it came from; of each the last calls."""
    seen: BaseException | None = problem
    for _ in range(LONGEST_CHAIN):
        if seen is None:
            return
        text = f": {seen}" if isinstance(seen, AppError) else ""
        frames = traceback.extract_tb(seen.__traceback__)[-LAST_CALLS:]
        yield f"{type(seen).__name__}{text} at " + " > ".join(f"{f.filename}:{f.lineno} {f.name}" for f in frames)
        seen = seen.__cause__ or seen.__context__


def configure(level: str = "info") -> None:
    """Set up logging for this process; libraries' own lines come out in the same form."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _trace,
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
