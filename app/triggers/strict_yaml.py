"""YAML as a reviewed text may be: no aliases, no anchors, no key twice, no own tags, bounded; plain JSON values out."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import yaml

MAX_BYTES = 1 << 20
MAX_DEPTH = 20
MAX_NODES = 100_000


class Unreadable(ValueError):
    """The text is not YAML as we take it; the message says where and what to do."""


_Base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the same, in C, where the wheel has it


class _Loader(_Base):  # type: ignore[misc]
    """Safe, and a key given twice is refused."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode) or key.tag == "tag:yaml.org,2002:merge":
                raise Unreadable(f"line {key.start_mark.line + 1}: a key must be a plain word")
            if key.value in seen:
                raise Unreadable(f"line {key.start_mark.line + 1}: {key.value!r} is given twice; keep one")
            seen.add(key.value)
        constructed: dict[Any, Any] = super().construct_mapping(node, deep=deep)
        return constructed


def load(text: str) -> Any:  # noqa: ANN401 - a document
    """The document as JSON values; dates become ISO text.

    Raises:
        Unreadable: with the line, where there is one.
    """
    if len(text) > MAX_BYTES or len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        raise Unreadable("the text is larger than 1 MiB; split the rules")
    try:
        _look_over(text)
        return _plain(yaml.load(text, Loader=_Loader))  # noqa: S506 - a safe loader, made stricter
    except yaml.MarkedYAMLError as error:
        line = f"line {error.problem_mark.line + 1}: " if error.problem_mark else ""
        raise Unreadable(f"{line}not YAML: {error.problem or error.context}") from error
    except (yaml.YAMLError, RecursionError, ValueError, OverflowError) as error:
        if isinstance(error, Unreadable):
            raise
        raise Unreadable(f"not YAML: {error}") from error


def _look_over(text: str) -> None:
    """Refuse what could grow when it is built, from the bare events and before anything is built."""
    depth = 0
    for nodes, event in enumerate(yaml.parse(text, Loader=_Loader)):
        line = event.start_mark.line + 1 if event.start_mark else 0
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise Unreadable(f"line {line}: anchors and aliases (& and *) are not taken; write the value out")
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > MAX_DEPTH or nodes > MAX_NODES:
            raise Unreadable(f"line {line}: nested too deep or too long; split the rules")


def _plain(value: Any) -> Any:  # noqa: ANN401 - a document
    """JSON values only, such as the database takes them."""
    if isinstance(value, dict):
        return {_key(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, str):
        if "\0" in value or not value.isprintable() and any("\ud800" <= c <= "\udfff" for c in value):
            raise Unreadable(f"a text holds a character that cannot be stored: {value[:40]!r}")
        return value
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int | float) and abs(value) < 2**63:
        return value
    raise Unreadable(f"{str(value)[:40]!r} cannot be stored; write a text, a smaller number, yes or no")


def _key(key: Any) -> str:  # noqa: ANN401 - a document
    if not isinstance(key, str):
        raise Unreadable(f"the key {key!r} is not a word; write it in quotes")
    plain: str = _plain(key)
    return plain
