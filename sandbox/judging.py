"""Judges recorded calls that no vendor's document describes, by schemas of our own: a vendor's `schemas.py`.

A schema with `"x-reads"` is of a form or of CSV (its lines as objects); any other is of JSON.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import parse_qsl

from sandbox.zendesk import schemas as zendesk

RECORDED = 4000  # characters of a body that the proxy keeps: what is longer was cut, and only its status is judged


class Schemas(Protocol):
    """PREFIXES: addresses that are ours to judge. find: (schema of the request, schemas by status), or None."""

    @property
    def PREFIXES(self) -> tuple[str, ...]: ...  # noqa: N802 - a module's constant

    def find(self, method: str, path: str, /) -> tuple[Any, dict[int, Any]] | None: ...


@dataclass(slots=True)
class Judged:
    """calls: how many were looked at. violations: a sentence for each that broke our schema."""

    calls: int = 0
    violations: list[str] = field(default_factory=list)


def judge(lines: Iterable[str], schemas: Schemas = zendesk) -> Judged:
    """Lines of the contract proxy's record, one exchange each; those with a document of their own are passed over."""
    judged = Judged()
    for line in lines:
        exchange = json.loads(line)
        if exchange["url"].startswith(schemas.PREFIXES):
            judged.calls += 1
            if why := problem(exchange, schemas):
                judged.violations.append(f"{exchange['method']} {exchange['url']} {exchange['status']}: {why}")
    return judged


def problem(exchange: dict[str, Any], schemas: Schemas = zendesk) -> str:
    """Why an exchange is not what our schema says; "" when it is."""
    found = schemas.find(exchange["method"], exchange["url"])
    if found is None:
        return "an operation that our schemas do not know"
    asked, answers = found
    status = int(exchange["status"])
    if status not in answers:
        return "a status that its schema does not list"
    if status < 300 and (why := _wrong(asked, exchange["body"])):
        return f"request: {why}"
    return _wrong(answers[status], exchange["response"])


def _wrong(schema: dict[str, Any] | None, text: str) -> str:
    """What is wrong with a body; an empty one is expected where there is no schema."""
    from jsonschema import Draft202012Validator  # of the development requirements: the sandbox itself runs without

    if schema is None:
        return "a body where none is expected" if text.strip() not in ("", "{}") else ""
    if len(text) >= RECORDED:
        return ""
    reads = schema.get("x-reads", "json")
    try:
        body = _READS[reads](text)
    except (ValueError, csv.Error):
        return f"no {reads.upper()}"
    errors = sorted(Draft202012Validator(schema).iter_errors(body), key=lambda e: list(e.path))
    return f"{'/'.join(map(str, errors[0].path)) or '(whole)'}: {errors[0].message[:200]}" if errors else ""


def _rows(text: str) -> list[dict[str, str]]:
    """Lines as objects. Raises ValueError for one with cells more or less than the header has."""
    lines = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    return [dict(zip(lines[0], line, strict=True)) for line in lines[1:]]


_READS: dict[str, Callable[[str], Any]] = {
    "json": json.loads, "csv": _rows, "form": lambda text: dict(parse_qsl(text, strict_parsing=True)),
}  # fmt: skip
