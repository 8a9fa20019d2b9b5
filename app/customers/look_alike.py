"""What a domain looks like to a person. For warnings; never for matching."""

from __future__ import annotations

import unicodedata
from functools import cache

import idna
from confusable_homoglyphs import confusables

_ASCII_LIKE = {"0": "o", "1": "l", "i": "l", "5": "s"}
_PAIRS = (("rn", "m"), ("vv", "w"))


def skeleton(domain: str) -> str:
    """Domains of one skeleton are easily taken for each other. `domain`: folded, in its ASCII form."""
    shown = ".".join(_shown(label) for label in domain.split("."))
    text = "".join(_plain(c) for c in shown)
    for pair, one in _PAIRS:
        text = text.replace(pair, one)
    return text


def _shown(label: str) -> str:
    """A label as a browser shows it."""
    if not label.startswith("xn--"):
        return label
    try:
        return idna.decode(label)
    except (idna.IDNAError, UnicodeError):
        return label


@cache
def _plain(character: str) -> str:
    if character.isascii():
        return _ASCII_LIKE.get(character, character)
    bare = unicodedata.normalize("NFKD", character)[0]  # without its accents
    if bare.isascii():
        return _plain(bare.lower())
    found = confusables.is_confusable(character)
    for like in found[0]["homoglyphs"] if found else ():
        if like["c"].isascii():
            return "".join(_plain(c) for c in like["c"].lower())
    return character
