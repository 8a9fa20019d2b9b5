"""The filters of the pipeline, from the address and back into it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlencode

from app.leads.models import KINDS, STATES
from app.leads.reading import SORTS, Filters
from integrations.kernel.errors import InputError

LONGEST: Final = 100
TEXTS: Final = ("rule", "owner", "account", "text")


class BadAddress(InputError):
    code, public = "admin.address", "This address is not one of the console's. Go back and follow a link of the page."


def read(asked: Mapping[str, str]) -> tuple[Filters, dict[str, str]]:
    """The filters, and messages by field for what cannot be one; those fields then filter nothing."""
    values = {name: asked.get(name, "").strip() for name in ("state", "kind", *TEXTS)}
    problems = {}
    for name, words in (("state", STATES), ("kind", KINDS)):
        if values[name] and values[name] not in words:
            problems[name] = f"There is no {name} of this name."
    for name in TEXTS:
        if len(values[name]) > LONGEST or "\x00" in values[name]:
            problems[name] = f"At most {LONGEST} characters, on one line."
    return Filters(**{name: "" if name in problems else value for name, value in values.items()}), problems


def sort(asked: Mapping[str, str]) -> str:
    """By what it is sorted."""
    found = asked.get("sort", "")
    return found if found in SORTS else "newest"


def after(asked: Mapping[str, str], order: str) -> tuple[Any, str] | None:
    """Where a page goes on. Raises BadAddress."""
    text = asked.get("after", "")
    if not text:
        return None
    key, _, one = text.partition("~")
    try:
        if order == "score":
            return int(key[:10]), one
        moment = datetime.fromisoformat(key)
    except ValueError as error:
        raise BadAddress from error
    if moment.tzinfo is None or "\x00" in one:
        raise BadAddress
    return moment, one


def onward(key: tuple[Any, str]) -> str:
    """What `after` reads."""
    value, one = key
    return f"{value.isoformat() if isinstance(value, datetime) else value}~{one}"


def address(path: str, filters: Filters, **more: str) -> str:
    """A link that keeps the filters, but for those that are given anew."""
    mine = {name: getattr(filters, name) for name in ("state", "kind", *TEXTS)} | more
    query = urlencode({name: value for name, value in mine.items() if value})
    return f"{path}?{query}" if query else path
