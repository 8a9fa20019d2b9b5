"""Schemas of our own, for what no document of Salesforce's beside this project describes, and which traffic they judge.

Tokens, collections, queryAll, the Tooling API and Bulk 2.0. Source: vendor sheet 4.1 to 4.4, read 2026-11.
"""

from __future__ import annotations

import re
from typing import Any, Final

_TEXT: Final = {"type": "string", "minLength": 1}
_ANY_TEXT: Final = {"type": "string"}
_ID: Final = {"type": "string", "pattern": "^[A-Za-z0-9]{15}([A-Za-z0-9]{3})?$"}
_NAME: Final = {"type": "string", "pattern": "^[A-Za-z][A-Za-z0-9_]*$"}
_COUNT: Final = {"type": "integer", "minimum": 0}
_ATTRIBUTES: Final = {"type": "object", "required": ["type"], "properties": {"type": _NAME}}


def _object(required: dict[str, Any], **others: Any) -> dict[str, Any]:  # noqa: ANN401 - schemas
    """An object with these names and no others."""
    return {
        "type": "object", "required": list(required), "properties": {**required, **others},
        "additionalProperties": False,
    }  # fmt: skip


TOKEN_ASKED: Final = {
    "x-reads": "form",
    "oneOf": [
        _object({"grant_type": {"const": "urn:ietf:params:oauth:grant-type:jwt-bearer"}, "assertion": _TEXT}),
        _object({"grant_type": {"const": "client_credentials"}}),
    ],
}
TOKEN: Final = _object(
    {"access_token": _TEXT, "instance_url": {"type": "string", "pattern": "^https?://"}, "token_type": {"const": "Bearer"}},
    scope=_TEXT, id=_TEXT, signature=_TEXT, issued_at={"type": "string", "pattern": "^[0-9]+$"},
)  # fmt: skip
TOKEN_REFUSED: Final = _object({"error": _TEXT}, error_description=_TEXT)

ERRORS: Final = {
    "type": "array", "minItems": 1,
    "items": {"type": "object", "required": ["errorCode", "message"], "properties": {
        "errorCode": _TEXT, "message": _ANY_TEXT, "fields": {"type": "array", "items": _TEXT}}},
}  # fmt: skip
_SAID: Final = {
    "type": "array", "minItems": 1,
    "items": {"type": "object", "required": ["statusCode", "message", "fields"], "properties": {"statusCode": _TEXT}},
}  # fmt: skip
RESULTS: Final = {
    "type": "array", "maxItems": 200,
    "items": {"oneOf": [
        _object({"success": {"const": True}, "errors": {"maxItems": 0}}, id=_ID, created={"type": "boolean"}),
        _object({"success": {"const": False}, "errors": _SAID}, id=_ID, created={"type": "boolean"}),
    ]},
}  # fmt: skip
MADE: Final = _object({"id": _ID, "success": {"const": True}, "errors": {"maxItems": 0}})


def _records(named: str) -> dict[str, Any]:
    """Up to 200 records, each of which tells its object and what it is known by."""
    one = {
        "type": "object",
        "required": ["attributes", *([named] if named else [])],
        "properties": {"attributes": _ATTRIBUTES},
    }
    return _object(
        {"records": {"type": "array", "minItems": 1, "maxItems": 200, "items": one}}, allOrNone={"const": False}
    )


_ROW: Final = {"type": "object", "required": ["attributes"], "properties": {"attributes": _ATTRIBUTES}}
PAGE: Final = {
    "type": "object", "required": ["totalSize", "done", "records"],
    "properties": {"totalSize": _COUNT, "done": {"type": "boolean"}, "nextRecordsUrl": _TEXT,
                   "records": {"type": "array", "items": _ROW}},
}  # fmt: skip
FIELD_ASKED: Final = _object({
    "FullName": {"type": "string", "pattern": r"^[A-Za-z]+\.[A-Za-z]\w*__c$"},
    "Metadata": {"type": "object", "required": ["type", "label"], "properties": {
        "type": {"enum": ["Text", "Picklist", "LongTextArea", "Number", "Checkbox", "Date", "DateTime", "Url"]}},
        "if": {"properties": {"type": {"const": "Text"}}}, "then": {"required": ["length"]}},
})  # fmt: skip

STATES: Final = {"enum": ["Open", "UploadComplete", "InProgress", "JobComplete", "Failed", "Aborted"]}
JOB_ASKED: Final = {
    **_object(
        {"object": _NAME, "operation": {"enum": ["insert", "update", "upsert"]}}, contentType={"const": "CSV"},
        externalIdFieldName=_NAME, lineEnding={"enum": ["LF", "CRLF"]}, assignmentRuleId=_ID,
        columnDelimiter={"enum": ["COMMA", "SEMICOLON", "TAB", "PIPE", "CARET", "BACKQUOTE"]},
    ),
    "if": {"properties": {"operation": {"const": "upsert"}}}, "then": {"required": ["externalIdFieldName"]},
}  # fmt: skip
JOB: Final = {
    "type": "object", "required": ["id", "object", "operation", "state", "createdDate"],
    "properties": {"id": _ID, "object": _NAME, "state": STATES, "numberRecordsProcessed": _COUNT,
                   "numberRecordsFailed": _COUNT, "apiVersion": {"type": "number"}},
}  # fmt: skip
CLOSED: Final = _object({"state": {"enum": ["UploadComplete", "Aborted"]}})
ROWS: Final = {"x-reads": "csv", "type": "array", "minItems": 1}


def _lines(*columns: str) -> dict[str, Any]:
    """A file of results: each line with these columns."""
    return {"x-reads": "csv", "type": "array", "items": {"type": "object", "required": list(columns)}}


ROOT: Final = r"/services/data/v\d\d\.\d"
# (method, path, schema of the request's body, schema by status); None: empty.
OPERATIONS: Final[tuple[tuple[str, str, Any, dict[int, Any]], ...]] = (
    ("POST", "/services/oauth2/token", TOKEN_ASKED, {200: TOKEN, 400: TOKEN_REFUSED, 401: TOKEN_REFUSED}),
    ("GET", rf"{ROOT}/queryAll/?", None, {200: PAGE}),
    ("PATCH", rf"{ROOT}/composite/sobjects/?", _records("id"), {200: RESULTS}),
    ("PATCH", rf"{ROOT}/composite/sobjects/\w+/\w+", _records(""), {200: RESULTS}),
    ("GET", rf"{ROOT}/tooling/query/?", None, {200: PAGE}),
    ("POST", rf"{ROOT}/tooling/sobjects/CustomField/?", FIELD_ASKED, {201: MADE}),
    ("DELETE", rf"{ROOT}/tooling/sobjects/CustomField/\w+", None, {204: None}),
    ("POST", rf"{ROOT}/jobs/ingest/?", JOB_ASKED, {200: JOB}),
    ("PUT", rf"{ROOT}/jobs/ingest/\w+/batches/?", ROWS, {201: None}),
    ("PATCH", rf"{ROOT}/jobs/ingest/\w+/?", CLOSED, {200: JOB}),
    ("GET", rf"{ROOT}/jobs/ingest/\w+/?", None, {200: JOB}),
    ("GET", rf"{ROOT}/jobs/ingest/\w+/successfulResults/?", None, {200: _lines("sf__Id", "sf__Created")}),
    ("GET", rf"{ROOT}/jobs/ingest/\w+/failedResults/?", None, {200: _lines("sf__Id", "sf__Error")}),
    ("GET", rf"{ROOT}/jobs/ingest/\w+/unprocessed[Rr]ecords/?", None, {200: _lines()}),
)
_VERSION: Final = "/services/data/v66.0"
PREFIXES: Final = (
    "/services/oauth2/", f"{_VERSION}/composite/", f"{_VERSION}/queryAll", f"{_VERSION}/tooling/", f"{_VERSION}/jobs/",
)  # fmt: skip  # what the document knows nothing of, or nothing of how we call it


def find(method: str, path: str) -> tuple[Any, dict[int, Any]] | None:
    """(schema of the request's body, schemas by status) of an operation of ours; None for one that we do not know."""
    path = path.partition("?")[0]
    for verb, pattern, asked, answers in OPERATIONS:
        if verb == method and re.fullmatch(pattern, path):
            return asked, dict.fromkeys((400, 401, 403, 404, 414, 503), ERRORS) | answers
    return None
