"""Personal data out of ticket lines, before anything is kept or shown to sales. Pure; linear in the text.

It blacks out too much rather than too little: every address, everything that reads like a phone, card or account number,
links, and the requester's own names. What it cannot know: names of others, and what somebody spells out in words.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence

import re2

LONGEST = 4000  # characters of a text that are looked at
LINE = 240  # characters of a quoted line
LINES = 3

# Looked for in this order, after digits and letters were made plain.
_PATTERNS = tuple(
    (re2.compile(pattern), word)
    for pattern, word in (
        (r"(?i)\b(?:https?|ftp|mailto|tel|sips?)(?:://|:)\S+|\bwww\.\S+", "[link]"),
        (r"[^\s@<>(),;:\"\[\]]+\s?@\s?[^\s@<>(),;:\"\[\]]+", "[e-mail]"),
        (r"(?i)\S+\s*[\[({]\s*at\s*[\])}]\s*\S+", "[e-mail]"),
        (r"(?i)\b[a-z]{2}\d{2}(?:[ -]?[a-z0-9]{4}){2,7}(?:[ -]?[a-z0-9]{1,3})?\b", "[account]"),  # IBAN
        (r"(?i)\b(?:cus|sub|ch|pi|in|pm|rk|sk|pk|tok|card)_[a-z0-9_]{4,}", "[id]"),
        (r"[+(]?\d(?:[ .\-()/\\_*xX]{0,3}\d){6,}", "[number]"),  # seven digits or more, whatever is in between
    )
)
_WORD = re.compile(r"[^\W\d_]+(?:['\N{RIGHT SINGLE QUOTATION MARK}\-][^\W\d_]+)*")
_LINE_ENDS = re.compile(r"[\r\n\v\f\x1c-\x1e\x85\u2028\u2029]+")
_SENTENCE_ENDS = re.compile(r"(?<=[.!?])\s+")
_ORIGINAL = re.compile(r"-{2,} *original message *-{2,}", re.IGNORECASE)


def redact(text: str, names: Iterable[str] = ()) -> str:
    """One line without personal data. names: whole names of people, every part of which is blacked out."""
    line = _plain(text[:LONGEST])
    for pattern, word in _PATTERNS:
        line = pattern.sub(word, line)
    parts = {part for name in names for part in _parts(name)}
    if parts:
        line = _WORD.sub(lambda m: "[name]" if _known(m[0], parts) else m[0], line)
    return " ".join(line.split())


def quotes(texts: Sequence[str], wanted: Sequence[re2._Regexp], names: Iterable[str] = ()) -> tuple[str, ...]:
    """The first sentences of the writer's own that hold a wanted word, redacted and cut; of texts without wanted words, the
    first one."""
    found: dict[str, None] = {}
    people = tuple(names)
    for line in _lines(texts):
        if not wanted or any(holds(pattern, line) for pattern in wanted):
            found.setdefault(_cut(redact(line, people)))
            if len(found) == (LINES if wanted else 1):
                break
    return tuple(one for one in found if one)


def own(text: str) -> str:
    """What the writer wrote: without the lines that quote an earlier mail (`>`), every sentence of which is somebody
    else's, and without what stands below "-----Original Message-----"."""
    mine: list[str] = []
    for line in _LINE_ENDS.split(text):
        told = line.strip()
        if _ORIGINAL.fullmatch(told):
            break
        if told and not told.startswith(">"):
            mine.append(line)
    return "\n".join(mine)


def holds(pattern: re2._Regexp, text: str) -> bool:
    """Is a word of the list in the text?"""
    return pattern.search(text.encode("utf-8", "replace")) is not None


def _lines(texts: Sequence[str]) -> Iterable[str]:
    for text in texts:
        for line in own(text)[:LONGEST].split("\n"):
            yield from (sentence for sentence in _SENTENCE_ENDS.split(line) if sentence.strip())


def _cut(line: str) -> str:
    return line if len(line) <= LINE else f"{line[: LINE - 1].rstrip()}\N{HORIZONTAL ELLIPSIS}"


def _plain(text: str) -> str:
    """Compatible forms, unseen characters gone, every digit of every script as ASCII: so that none hides from a pattern."""
    whole = unicodedata.normalize("NFKC", text.encode("utf-8", "replace").decode())
    return "".join(_character(c) for c in whole)


def _character(c: str) -> str:
    if c.isascii():
        return c if c.isprintable() else " "
    category = unicodedata.category(c)
    if category == "Nd":
        return str(unicodedata.decimal(c))
    if category == "Pd":
        return "-"
    if category in ("Zs", "Zl", "Zp"):
        return " "
    return "" if category in ("Cf", "Cc", "Co", "Cn") else c


def _parts(name: str) -> Iterable[str]:
    """Of `Ann-Marie O'Neil`: ann, marie, ann-marie, o'neil ..., of two letters at least."""
    for word in _WORD.findall(_plain(name)):
        folded = word.casefold()
        yield from (one for one in (folded, *re.split(r"['\N{RIGHT SINGLE QUOTATION MARK}\-]", folded)) if len(one) > 1)


def _known(word: str, parts: set[str]) -> bool:
    folded = word.casefold()
    pieces = re.split(r"['\N{RIGHT SINGLE QUOTATION MARK}\-]", folded)
    return folded in parts or any(piece in parts for piece in pieces)
