"""When two names of companies may be the same one: case, punctuation, legal forms and look-alikes folded. Pure.

Good for suggestions to a person only: a name never matches by itself.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from app.customers.look_alike import skeleton

LEGAL_FORMS: Final = frozenset(
    "ab ag as bv co company corp corporation gmbh inc incorporated kg kk limited llc llp ltd nv oy plc pty sa sarl sas se"
    " spa srl the und and".split()
)
_WORD = re.compile(r"\w+")


def fold_name(name: str) -> str:
    """The comparable form; empty where nothing but punctuation is left."""
    plain = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    words = _WORD.findall(plain.replace(".", "").replace("'", ""))
    kept = [word for word in words if word not in LEGAL_FORMS] or words
    return skeleton("".join(kept))
