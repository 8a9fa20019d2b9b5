"""When two e-mail addresses are the same one: case and Unicode folded, domains in their ASCII form."""

from __future__ import annotations

import unicodedata
from functools import cache
from pathlib import Path

from confusable_homoglyphs import confusables

_LIST = Path(__file__).with_name("free_mail.txt")
LONGEST = 320


def fold(address: str, *, plus_addresses: bool = False) -> str:
    """The comparable form; empty when the text is no address. `plus_addresses`: drop what follows a `+`."""
    text = unicodedata.normalize("NFKC", address).strip()
    local, sign, domain = text.rpartition("@")
    if not sign or not local or len(text) > LONGEST or any(_is_odd(c) for c in text):
        return ""
    folded_domain = fold_domain(domain)
    if not folded_domain:
        return ""
    local = unicodedata.normalize("NFKC", local.casefold())
    if plus_addresses:
        local = local.split("+", 1)[0] or local
    return f"{local}@{folded_domain}"


def fold_domain(domain: str) -> str:
    """A domain in lower-case ASCII (IDNA); empty when it is none."""
    try:
        text = domain.strip().rstrip(".").casefold().encode("idna").decode("ascii").lower()
    except UnicodeError:
        return ""
    return text if "." in text and all(text.split(".")) and not any(_is_odd(c) for c in text) else ""


def domain_of(folded: str) -> str:
    """The domain of a folded address."""
    return folded.rpartition("@")[2]


def is_free_mail(domain: str) -> bool:
    """Does anybody get an address there? Then the domain says nothing about a company."""
    return domain in _free_mail()


@cache
def _free_mail() -> frozenset[str]:
    lines = _LIST.read_text(encoding="utf-8").splitlines()
    return frozenset(line.strip() for line in lines if line.strip() and not line.startswith("#"))


def skeleton(domain: str) -> str:
    """What a domain looks like to a person: look-alike letters and digits made one. For warnings, never for matching."""
    try:
        text = domain.encode("ascii").decode("idna")
    except UnicodeError:
        text = domain
    return "".join(_plain(c) for c in text).replace("rn", "m").replace("vv", "w")


@cache
def _plain(character: str) -> str:
    if character in _DIGITS:
        return _DIGITS[character]
    if character.isascii():
        return character
    found = confusables.is_confusable(character, preferred_aliases=["latin"])
    for like in found[0]["homoglyphs"] if found else ():
        if like["c"].isascii():
            return str(like["c"]).lower()
    return character


_DIGITS = {"0": "o", "1": "l", "i": "l", "5": "s"}


def _is_odd(character: str) -> bool:
    return character.isspace() or unicodedata.category(character) in ("Cc", "Cf", "Cs", "Co", "Cn")
