"""`{{placeholders}}` in an admin's text: a replacer without logic. Names are facts; nothing is called or looked up.

`{{billing.plan}}` is the fact, `{{billing.plan|no plan}}` has words for when there is none; without them it is nothing.
Money reads as amount and currency, lists as words. It never raises at run time and never looks into what it put in; a
name that is no fact is refused when the rule is saved. The result is plain text: the vendor's folder escapes it for its
own format, once.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from app.actions.base import Known
from integrations.kernel.money import exponent

LONGEST = 4000
LONGEST_VALUE = 500
_PLACEHOLDER = re.compile(r"\{\{\s*([a-z][a-z0-9_]*(?:\.[a-z0-9_]+){1,2})\s*(?:\|([^{}|]*))?\}\}")
_UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]")
_BIGGEST = 10**18


def names(text: str) -> list[str]:
    """Every name a text asks for, in order."""
    return [match[1] for match in _PLACEHOLDER.finditer(text)]


def lone_name(text: str) -> str:
    """The name, when the text is one placeholder without default and nothing else; else empty."""
    match = _PLACEHOLDER.fullmatch(text.strip())
    return match[1] if match and match[2] is None else ""


def rest(text: str) -> str:
    """The text without its placeholders."""
    return _PLACEHOLDER.sub("", text)


def problems(text: str, known: Known) -> list[str]:
    """What is wrong with a text, as sentences; empty when nothing is."""
    found = [
        f"{{{{{name}}}}} is no fact; docs/rules.md lists them" for name in sorted(set(names(text))) if not known(name)
    ]
    if len(text) > LONGEST:
        found.append(f"the text is longer than {LONGEST} characters; shorten it")
    if "{{" in rest(text) or "}}" in rest(text):
        found.append(
            "there is a `{{` or `}}` around what is no fact's name; write {{billing.plan}} or {{billing.plan|none}}"
        )
    return found


def fill(text: str, facts: Mapping[str, Any], form: Callable[[str], str] = str) -> str:
    """The text with facts in place. form: applied to every value before it is put in (`slug` for tags)."""

    def value(match: re.Match[str]) -> str:
        return form(words(facts.get(match[1])) or (match[2] or "").strip())

    return _PLACEHOLDER.sub(value, text)


def words(value: Any) -> str:  # noqa: ANN401 - any fact
    """A fact as a person reads it, on one line, without unseen and direction-changing characters."""
    if isinstance(value, list | tuple):
        return _clean(", ".join(filter(None, map(_one, value[:100]))))
    return _clean(_one(value))


def _one(value: Any) -> str:  # noqa: ANN401 - any fact
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return str(value) if abs(value) < _BIGGEST else ""
    if isinstance(value, Mapping):
        return _money(value.get("minor"), value.get("currency"))
    return ""


def _money(minor: Any, currency: Any) -> str:  # noqa: ANN401 - any fact
    if type(minor) is not int or abs(minor) >= _BIGGEST or not isinstance(currency, str):
        return ""
    digits = exponent(currency)
    return f"{Decimal(minor).scaleb(-digits):,.{digits}f} {currency}"


def _clean(text: str) -> str:
    return " ".join(_UNSEEN.sub(" ", text[:LONGEST_VALUE]).split())


def slug(text: str) -> str:
    """A text as part of a tag: lower-case letters, digits and `_`; empty when nothing of it can be kept."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "_", plain.lower()).strip("_")[:60].strip("_")
