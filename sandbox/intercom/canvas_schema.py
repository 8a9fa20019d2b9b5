"""The Canvas Kit as an inbox takes it, for what Intercom's document does not describe.

Source: vendor sheet 2.2: component types and fields of Intercom's own inbox app SDK, read 2026-11. The type strings of
options and items are from readers' reports.
"""

from __future__ import annotations

from typing import Any

TEXT = {"type": "string", "minLength": 1}
ID = {"type": "string", "pattern": "^[A-Za-z0-9_./-]{1,120}$"}
ACTION = {
    "oneOf": [
        {"type": "object", "required": ["type"], "additionalProperties": False, "properties": {"type": {"const": "submit"}}},
        {
            "type": "object", "required": ["type", "url"], "additionalProperties": False,
            "properties": {"type": {"const": "url"}, "url": {"type": "string", "pattern": "^https://"}},
        },
    ]
}  # fmt: skip
OPTION = {
    "type": "object", "required": ["type", "id", "text"], "additionalProperties": False,
    "properties": {"type": {"const": "option"}, "id": ID, "text": TEXT},
}  # fmt: skip
STATE = {"enum": ["unsaved", "saved", "failed"]}
FIELDS: dict[str, tuple[tuple[str, ...], dict[str, Any]]] = {
    "text": (("text", "style"), {"text": TEXT, "style": {"enum": ["header", "paragraph", "muted", "error"]}}),
    "button": (
        ("id", "label", "style", "action"),
        {"id": ID, "label": TEXT, "style": {"enum": ["primary", "secondary", "link"]}, "action": ACTION},
    ),
    "input": (("id", "label"), {"id": ID, "label": TEXT, "value": {"type": "string"}, "save_state": STATE}),
    "textarea": (("id", "label"), {"id": ID, "label": TEXT, "value": {"type": "string"}, "error": {"type": "boolean"}}),
    "dropdown": (
        ("id", "label", "options"),
        {"id": ID, "label": TEXT, "value": ID, "options": {"type": "array", "minItems": 2, "maxItems": 10, "items": OPTION}},
    ),
    "list": (
        ("items",),
        {"items": {"type": "array", "minItems": 1, "maxItems": 10, "items": {
            "type": "object", "required": ["type", "id", "title"], "additionalProperties": False,
            "properties": {"type": {"const": "item"}, "id": ID, "title": TEXT, "subtitle": {"type": "string"},
                           "tertiary_text": {"type": "string"}, "action": ACTION},
        }}},
    ),
    "data-table": (
        ("items",),
        {"items": {"type": "array", "minItems": 1, "items": {
            "type": "object", "required": ["type", "field", "value"], "additionalProperties": False,
            "properties": {"type": {"const": "field-value"}, "field": TEXT, "value": TEXT},
        }}},
    ),
    "divider": ((), {}),
}  # fmt: skip
CANVAS: dict[str, Any] = {
    "type": "object", "required": ["canvas"], "additionalProperties": False,
    "properties": {"canvas": {
        "type": "object", "required": ["content", "stored_data"], "additionalProperties": False,
        "properties": {
            "stored_data": {"type": "object"},
            "content": {
                "type": "object", "required": ["components"], "additionalProperties": False,
                "properties": {"components": {"type": "array", "minItems": 1, "items": {"oneOf": [
                    {"type": "object", "required": ["type", *needed], "additionalProperties": False,
                     "properties": {"type": {"const": kind}, **fields}}
                    for kind, (needed, fields) in FIELDS.items()
                ]}}},
            },
        },
    }},
}  # fmt: skip
MOST_BYTES = 64_000
