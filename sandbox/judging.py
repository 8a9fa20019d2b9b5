"""Judges recorded calls that no vendor's document describes, by schemas of our own."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from sandbox.zendesk import schemas


@dataclass(slots=True)
class Judged:
    """calls: how many were looked at. violations: a sentence for each that broke our schema."""

    calls: int = 0
    violations: list[str] = field(default_factory=list)


def judge(lines: Iterable[str]) -> Judged:
    """Lines of the contract proxy's record, one exchange each; those with a document of their own are passed over."""
    judged = Judged()
    for line in lines:
        exchange = json.loads(line)
        if exchange["url"].startswith(schemas.PREFIXES):
            judged.calls += 1
            if why := problem(exchange):
                judged.violations.append(f"{exchange['method']} {exchange['url']} {exchange['status']}: {why}")
    return judged


def problem(exchange: dict[str, Any]) -> str:
    """Why an exchange is not what our schema says; "" when it is."""
    found = schemas.find(exchange["method"], exchange["url"])
    if found is None:
        return "an operation that sandbox/zendesk/schemas.py does not know"
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
    try:
        body = json.loads(text)
    except ValueError:
        return "no JSON"
    errors = sorted(Draft202012Validator(schema).iter_errors(body), key=lambda e: list(e.path))
    return f"{'/'.join(map(str, errors[0].path)) or '(whole)'}: {errors[0].message[:200]}" if errors else ""
