"""Components of Intercom's Canvas Kit, and the answer they make. Pure.

Source: vendor sheet 2.2 (types of Intercom's own inbox app SDK), read 2026-11: content and stored_data at most 64 kB each,
two to ten options, no confirm dialog.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from app.ui.words import plain

MOST_BYTES: Final = 64_000
MOST_OPTIONS: Final = 10
SHORT, LONG = 120, 600  # characters of one text: names of strangers have no end
Component = dict[str, Any]
SUBMIT: Final = {"type": "submit"}


def text(words: object, style: str = "paragraph") -> Component:
    """style: header, paragraph, muted or error."""
    return {"type": "text", "text": told(words, LONG), "style": style}


def button(component_id: str, label: str, style: str = "secondary") -> Component:
    """Sends the canvas back with its id. style: primary, secondary or link."""
    return {"type": "button", "id": component_id, "label": told(label), "style": style, "action": dict(SUBMIT)}


def entry(component_id: str, label: str, value: str = "", *, failed: bool = False) -> Component:
    """One line to type in. failed: what was typed was not taken."""
    state = {"save_state": "failed"} if failed else {}
    return {"type": "input", "id": component_id, "label": told(label), "value": value[:SHORT], **state}


def area(component_id: str, label: str, value: str = "") -> Component:
    """Some lines to type in."""
    return {"type": "textarea", "id": component_id, "label": told(label), "value": value}


def dropdown(component_id: str, label: str, options: Sequence[tuple[str, str]], value: str) -> Component:
    """options: (id, words), two to ten. Raises ValueError for any other number: Intercom shows none of it."""
    if not 2 <= len(options) <= MOST_OPTIONS:
        raise ValueError(f"{len(options)} options; Intercom takes 2 to {MOST_OPTIONS}")
    shown = [{"type": "option", "id": key, "text": told(words)} for key, words in options]
    return {"type": "dropdown", "id": component_id, "label": told(label), "options": shown, "value": value}


def table(rows: Iterable[tuple[str, str]]) -> Component:
    """Names and values side by side."""
    items = [{"type": "field-value", "field": told(name), "value": told(value)} for name, value in rows]
    return {"type": "data-table", "items": items}


def item(key: str, title: str, subtitle: str, tertiary: str, *, opens: bool = True) -> Component:
    """One row of a list. opens: a click sends the canvas back with its id."""
    shown = {
        "type": "item",
        "id": key,
        "title": told(title),
        "subtitle": told(subtitle),
        "tertiary_text": told(tertiary),
    }
    return {**shown, "action": dict(SUBMIT)} if opens else shown


def rows(items: Sequence[Component]) -> Component:
    return {"type": "list", "items": list(items)}


def divider() -> Component:
    return {"type": "divider"}


def told(words: object, most: int = SHORT) -> str:
    """A stranger's text as text: no control characters, no Markdown link, not without end."""
    found = plain(words).replace("](", "] (")
    return found if len(found) <= most else f"{found[: most - 1]}…"


def canvas(components: Sequence[Component], stored: Mapping[str, Any]) -> dict[str, Any]:
    """The answer. Where it would be larger than Intercom takes, what is least needed is left out: the middle."""
    shown = list(components)
    while size(shown) > MOST_BYTES:
        del shown[len(shown) // 2]
    return {"canvas": {"content": {"components": shown}, "stored_data": dict(stored)}}


def size(value: object) -> int:
    """Bytes of it as JSON, as they are sent."""
    return len(json.dumps(value).encode())
