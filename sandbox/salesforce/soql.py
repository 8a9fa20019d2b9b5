"""The part of SOQL that the product uses, parsed: SELECT, WHERE, ORDER BY, LIMIT. Raises Refusal for anything else."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sandbox.base import Refusal
from sandbox.salesforce.errors import refusal
from sandbox.salesforce.kinds import Field

Row = Mapping[str, Any]
Test = Callable[[Row], bool]
_TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:[^'\\]|\\.)*')|(?P<time>\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:?\d\d))|(?P<date>\d{4}-\d\d-\d\d)"
    r"|(?P<number>-?\d+(?:\.\d+)?)|(?P<word>[A-Za-z_][\w.]*)|(?P<sign><=|>=|!=|<>|[=<>(),]))"
)
_ESCAPED = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}
_SIGNS = {"<>": "!="}


@dataclass(frozen=True, slots=True)
class Query:
    """A parsed query. order: (field, descending)."""

    fields: tuple[str, ...]
    kind: str
    test: Test
    order: tuple[tuple[str, bool], ...]
    limit: int | None


def malformed(message: str) -> Refusal:
    return refusal(400, "MALFORMED_QUERY", message)


def moment(text: str) -> datetime:
    """A time of SOQL or of a record."""
    return datetime.fromisoformat(text).astimezone(UTC)


class Parser:
    """Reads one query. describe: object -> its fields; raises Refusal for an object that is none."""

    def __init__(self, text: str, describe: Callable[[str], Mapping[str, Field]]) -> None:
        self._tokens = list(_tokens(text))
        self._at = 0
        self._describe = describe
        self._fields: Mapping[str, Field] = {}

    def query(self) -> Query:
        """The whole of it."""
        self._need("SELECT")
        names = self._names()
        self._need("FROM")
        kind = self._word()
        self._fields = self._describe(kind)
        test: Test = self._either() if self._take("WHERE") else lambda row: True
        fields = ("count()",) if names == ["count()"] else tuple(self._field(name).name for name in names)
        order, limit = self._order(), self._limit()
        if self._at < len(self._tokens):
            raise malformed(f"unexpected token: {self._tokens[self._at][1]}")
        return Query(fields, kind, test, order, limit)

    def _names(self) -> list[str]:
        found = [self._word()]
        if found[0].lower() == "count" and self._take("("):
            self._need(")")
            return ["count()"]
        while self._take(","):
            found.append(self._word())
        return found

    def _order(self) -> tuple[tuple[str, bool], ...]:
        found: list[tuple[str, bool]] = []
        if self._take("ORDER"):
            self._need("BY")
            while not found or self._take(","):
                name = self._field(self._word()).name
                descending = not self._take("ASC") and self._take("DESC")
                found.append((name, descending))
        return tuple(found)

    def _limit(self) -> int | None:
        return int(self._next("number")) if self._take("LIMIT") else None

    def _either(self) -> Test:
        parts = [self._both()]
        while self._take("OR"):
            parts.append(self._both())
        return lambda row: any(one(row) for one in parts)

    def _both(self) -> Test:
        parts = [self._one()]
        while self._take("AND"):
            parts.append(self._one())
        return lambda row: all(one(row) for one in parts)

    def _one(self) -> Test:
        if self._take("NOT"):
            inner = self._one()
            return lambda row: not inner(row)
        if self._take("("):
            inner = self._either()
            self._need(")")
            return inner
        return self._comparison(self._field(self._word()))

    def _comparison(self, field: Field) -> Test:
        if field.kind == "textarea":
            raise refusal(400, "INVALID_FIELD", f"field '{field.name}' can not be filtered in a query call")
        name = field.name
        if self._take("IN"):
            return _among(name, self._values(field))
        if self._take("NOT"):
            self._need("IN")
            inside = _among(name, self._values(field))
            return lambda row: not inside(row)
        if self._take("LIKE"):
            pattern = _like(str(self._value(field)))
            return lambda row: bool(pattern.fullmatch(str(row.get(name) or "")))
        sign = self._next("sign")
        return _compared(name, _SIGNS.get(sign, sign), self._value(field))

    def _values(self, field: Field) -> list[Any]:
        self._need("(")
        found = [self._value(field)]
        while self._take(","):
            found.append(self._value(field))
        self._need(")")
        return found

    def _value(self, field: Field) -> Any:  # noqa: ANN401 - of the field's type
        kind, text = self._tokens[self._at] if self._at < len(self._tokens) else ("", "the end")
        self._at += 1
        word = text.lower() if kind == "word" else ""
        if word == "null":
            return None
        fits = {"boolean": word in ("true", "false"), "datetime": kind == "time", "date": kind == "date"}
        number = field.kind in ("int", "double", "currency", "percent")
        if not fits.get(field.kind, kind == ("number" if number else "text")):
            message = f"value of filter criterion for field '{field.name}' must be of type {field.kind}"
            raise refusal(400, "INVALID_FIELD", message)
        return _read(kind, text)

    def _field(self, name: str) -> Field:
        found = next((f for known, f in self._fields.items() if known.lower() == name.lower()), None)
        if found is None:
            raise refusal(400, "INVALID_FIELD", f"No such column '{name}' on entity")
        return found

    def _take(self, word: str) -> bool:
        if (
            self._at < len(self._tokens)
            and self._tokens[self._at][1].upper() == word
            and self._tokens[self._at][0] != "text"
        ):
            self._at += 1
            return True
        return False

    def _need(self, word: str) -> None:
        if not self._take(word):
            raise malformed(f"expecting {word}")

    def _word(self) -> str:
        return self._next("word")

    def _next(self, kind: str) -> str:
        if self._at >= len(self._tokens) or self._tokens[self._at][0] != kind:
            raise malformed(f"expecting a {kind}")
        self._at += 1
        return self._tokens[self._at - 1][1]


def _tokens(text: str) -> list[tuple[str, str]]:
    found, at = [], 0
    text = text.rstrip()
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None or match.lastgroup is None:
            raise malformed(f"unexpected token at {at}")
        found.append((match.lastgroup, match.group(match.lastgroup)))
        at = match.end()
    return found


def _read(kind: str, text: str) -> Any:  # noqa: ANN401 - a literal
    if kind == "text":
        return re.sub(r"\\(.)", lambda m: m[0] if m[1] in "%_" else _ESCAPED.get(m[1], m[1]), text[1:-1])
    if kind == "word":
        return text.lower() == "true"
    if kind == "number":
        return float(text)
    return moment(text) if kind == "time" else text


def _folded(value: Any) -> Any:  # noqa: ANN401 - texts are compared without their capitals
    return value.casefold() if isinstance(value, str) else value


def _among(name: str, values: list[Any]) -> Test:
    known = {_folded(value) for value in values}
    return lambda row: _folded(row.get(name)) in known


def _like(text: str) -> re.Pattern[str]:
    parts = re.findall(r"\\.|[%_]|[^%_\\]+", text)
    wild = {"%": ".*", "_": "."}
    told = (wild.get(p) or re.escape(p[1:] if p.startswith("\\") else p) for p in parts)
    return re.compile("".join(told), re.IGNORECASE | re.DOTALL)


def _compared(name: str, sign: str, wanted: Any) -> Test:  # noqa: ANN401 - a literal
    def value(row: Row) -> Any:  # noqa: ANN401 - a JSON value
        have = row.get(name)
        return moment(have) if isinstance(wanted, datetime) and have else _folded(have)

    want = _folded(wanted)
    does: dict[str, Callable[[Any], bool]] = {
        "=": lambda have: have == want, "!=": lambda have: have != want,
        "<": lambda have: have is not None and have < want, ">": lambda have: have is not None and have > want,
        "<=": lambda have: have is not None and have <= want, ">=": lambda have: have is not None and have >= want,
    }  # fmt: skip
    if sign not in does or (want is None and sign not in ("=", "!=")):
        raise malformed(f"unexpected token: {sign}")
    return lambda row: does[sign](value(row))
