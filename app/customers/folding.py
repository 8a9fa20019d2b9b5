"""When two e-mail addresses are the same one: case and Unicode folded, domains in their ASCII form. Pure."""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from pathlib import Path

import idna

_LIST = Path(__file__).with_name("free_mail.txt")
LONGEST = 320  # RFC 3696: 64 before the sign, 255 after
_HOST = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)(\.(?!-)[a-z0-9_-]{1,63}(?<!-))+")


def fold(address: str) -> str:
    """The comparable form; empty when the text is no address.

    Control, invisible and unassigned characters, lone surrogates and spaces are refused. Dots before the sign count: that
    Gmail passes over them is Gmail's own rule. Applying it twice changes nothing.
    """
    if len(address) > LONGEST:
        return ""
    text = _folded(address.strip())
    local, sign, domain = _nfkc(address).strip().rpartition("@")
    local, host = _folded(local), fold_domain(domain)
    if not sign or not local or not host or "@" in local or any(_is_odd(c) for c in text):
        return ""
    return f"{local}@{host}"


def base_of(folded: str) -> str:
    """A folded address without what follows a plus sign: `a+b@x` is `a@x`."""
    local, sign, domain = folded.rpartition("@")
    return f"{local.split('+', 1)[0] or local}{sign}{domain}"


def domain_of(folded: str) -> str:
    """The domain of a folded address."""
    return folded.rpartition("@")[2]


def fold_domain(domain: str) -> str:
    """A domain in lower-case ASCII; empty when it is none.

    By today's rules (IDNA 2008, UTS 46 without transition): `straße.de` and `strasse.de` are two owners' domains.
    """
    text = _nfkc(domain).strip().rstrip(".").lower()
    if not text.isascii():
        try:
            text = idna.encode(text, uts46=True, transitional=False).decode("ascii").lower()
        except (idna.IDNAError, UnicodeError):
            return ""
    return text if len(text) <= 253 and _HOST.fullmatch(text) else ""


def is_free_mail(domain: str) -> bool:
    """Does anybody get an address there, or below there? Then the domain says nothing about a company."""
    labels = domain.split(".")
    return any(".".join(labels[i:]) in _free_mail() for i in range(len(labels) - 1))


@cache
def _free_mail() -> frozenset[str]:
    lines = _LIST.read_text(encoding="utf-8").splitlines()
    return frozenset(line.strip() for line in lines if line.strip() and not line.startswith("#"))


def _folded(text: str) -> str:
    """NFKC around case folding, which can take a text out of its normal form."""
    return _nfkc(_nfkc(text).casefold())


def _nfkc(text: str) -> str:
    return unicodedata.normalize("NFKC", text)


def _is_odd(character: str) -> bool:
    return character.isspace() or unicodedata.category(character) in ("Cc", "Cf", "Cs", "Co", "Cn")
