"""Stripe's bracket notation, and strictness about what it may say."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any
from urllib.parse import parse_qsl

from sandbox.stripe.errors import Invalid, unknown_parameter

_KEY = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])*)")
RANGE = ("gt", "gte", "lt", "lte")


def tree(pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """`a[b][0][c]=x`, `a[]=x` and `a=x` as dicts and lists. Raises Invalid for a malformed key."""
    root: dict[str, Any] = {}
    for key, value in pairs:
        if not (found := _KEY.fullmatch(key)):
            raise Invalid("parameter_unknown", f"Invalid parameter name: {key}", 400, key)
        parts = [found[1], *re.findall(r"\[([^\[\]]*)\]", found[2])]
        node = root
        for name in parts[:-1]:
            node = node.setdefault(name, {})
            if not isinstance(node, dict):
                raise Invalid("parameter_invalid_string", f"Invalid use of {key}", 400, key)
        node[parts[-1] or str(len(node))] = value
    return {name: _lists(value) for name, value in root.items()}


def _lists(node: Any) -> Any:  # noqa: ANN401 - a tree of text
    if not isinstance(node, dict):
        return node
    if node and all(name.isdigit() for name in node):
        return [_lists(node[name]) for name in sorted(node, key=int)]
    return {name: _lists(value) for name, value in node.items()}


def of_form(raw: bytes) -> dict[str, Any]:
    """The body of a POST. Raises Invalid when it is no form."""
    try:
        return tree(parse_qsl(raw.decode(), keep_blank_values=True, strict_parsing=bool(raw)))
    except ValueError as error:
        if isinstance(error, Invalid):
            raise
        raise Invalid("parameter_invalid_string", "The request body is not a form") from error


def known(asked: Mapping[str, Any], names: Collection[str]) -> None:
    """Refuse names that the operation does not take."""
    for name in asked:
        if name not in names:
            raise unknown_parameter(name)


def whole(asked: Mapping[str, Any], name: str, low: int, high: int | None = None) -> int | None:
    """An integer in its bounds, or None when it is not there. Raises Invalid."""
    if name not in asked:
        return None
    text = asked[name]
    if not isinstance(text, str) or not re.fullmatch(r"-?\d{1,18}", text):
        raise Invalid("parameter_invalid_integer", f"Invalid integer: {text}", 400, name)
    number = int(text)
    if number < low or (high is not None and number > high):
        words = f"at least {low}" if high is None else f"from {low} to {high}"
        raise Invalid("parameter_invalid_integer", f"Invalid {name}: must be {words}", 400, name)
    return number


def choice(asked: Mapping[str, Any], name: str, choices: Collection[str]) -> str | None:
    """One of some words, or None. Raises Invalid."""
    value = asked.get(name)
    if value is None or value in choices:
        return value
    words = ", ".join(sorted(choices))
    raise Invalid("", f"Invalid {name}: must be one of {words}", 400, name)


def text(asked: Mapping[str, Any], name: str) -> str | None:
    """A text, or None. Raises Invalid for a container."""
    value = asked.get(name)
    if value is not None and not isinstance(value, str):
        raise Invalid("parameter_invalid_string", f"Invalid string: {name}", 400, name)
    return value


def texts(asked: Mapping[str, Any], name: str) -> list[str]:
    """A list of texts; empty when it is not there. Raises Invalid."""
    value = asked.get(name, [])
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise Invalid("parameter_invalid_array", f"Invalid array: {name}", 400, name)
    return value


def table(asked: Mapping[str, Any], name: str) -> dict[str, str]:
    """Metadata: at most 50 keys of 40 characters, values of 500. Raises Invalid."""
    value = asked.get(name) or {}
    if not isinstance(value, dict) or not all(isinstance(v, str) for v in value.values()):
        raise Invalid("parameter_invalid_hash", f"Invalid hash: {name}", 400, name)
    if len(value) > 50 or any(len(k) > 40 or len(v) > 500 for k, v in value.items()):
        raise Invalid("parameter_invalid_hash", f"{name} holds too much", 400, name)
    return value


def moments(asked: Mapping[str, Any], name: str) -> dict[str, int]:
    """A range of Unix seconds as {"gte": 5}; one number is both ends. Raises Invalid."""
    value = asked.get(name)
    if value is None:
        return {}
    if isinstance(value, str):
        exact = whole(asked, name, 0) or 0
        return {"gte": exact, "lte": exact}
    if not isinstance(value, dict):
        raise Invalid("parameter_invalid_hash", f"Invalid hash: {name}", 400, name)
    for bound in value:
        if bound not in RANGE:
            raise unknown_parameter(f"{name}[{bound}]")
    return {bound: whole(value, bound, 0) or 0 for bound in value}
