"""Strict reading of a request: query names that are known, whole numbers, JSON objects."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from flask import request

from sandbox.zendesk.errors import bad_request

MANY = 100
PAGING = ("page", "per_page", "page[size]", "page[after]", "page[before]", "sort", "sort_by", "sort_order", "include")
_NUMBER = re.compile(r"-?[0-9]{1,20}")


def known(*names: str) -> None:
    """Raises 400 for a query name that the operation does not have."""
    if unknown := sorted(set(request.args) - set(names)):
        raise bad_request(f"{unknown[0]} is not a parameter of this endpoint")


def number(name: str, default: int | None = None, least: int = 0, most: int | None = None) -> int:
    """A whole number of the query. Raises 400 when it is none, out of bounds, or absent without a default."""
    text = request.args.get(name, "")
    if not text and default is not None:
        return default
    if not _NUMBER.fullmatch(text) or int(text) < least or (most is not None and int(text) > most):
        raise bad_request(f"{name} must be a whole number" + (f" up to {most}" if most is not None else ""))
    return int(text)


def choice(name: str, allowed: Iterable[str]) -> str:
    """A word of the query, "" when absent. Raises 400."""
    text = request.args.get(name, "")
    if text and text not in set(allowed):
        raise bad_request(f"{name} must be one of {', '.join(sorted(allowed))}")
    return text


def includes(*allowed: str) -> set[str]:
    """What to load beside. Raises 400 for what this endpoint does not load."""
    wanted = {word for word in request.args.get("include", "").split(",") if word}
    if unknown := sorted(wanted - set(allowed)):
        raise bad_request(f"include: {unknown[0]} cannot be loaded here")
    return wanted


def ids(name: str = "ids") -> list[str]:
    """1 to 100 ids of the query, as text. Raises 400."""
    found = [part.strip() for part in request.args.get(name, "").split(",") if part.strip()]
    if not found:
        raise bad_request(f"{name} is required", "MissingParameter")
    if len(found) > MANY:
        raise bad_request(f"{name}: at most {MANY}", "TooManyValues")
    return found


def numbers(name: str = "ids") -> list[int]:
    """The same for ids that are numbers."""
    found = ids(name)
    if wrong := [part for part in found if not _NUMBER.fullmatch(part)]:
        raise bad_request(f"{name}: {wrong[0]} is not an id")
    return [int(part) for part in found]


def body() -> dict[str, Any]:
    """The request's JSON object. Raises 400."""
    found = request.get_json(silent=True) if request.mimetype == "application/json" else None
    if not isinstance(found, dict):
        raise bad_request("Request body could not be parsed as a JSON object", "InvalidRequestBody")
    return found


def wrapped(name: str, *beside: str) -> dict[str, Any]:
    """`{"ticket": {...}}`: the object inside. Raises 400, also for names beside it."""
    found = body()
    if unknown := sorted(set(found) - {name, *beside}):
        raise bad_request(f"{unknown[0]} is not expected in the request body")
    if not isinstance(found.get(name), dict):
        raise bad_request(f"{name} is required", "MissingParameter")
    inner: dict[str, Any] = found[name]
    return inner
