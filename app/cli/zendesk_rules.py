"""What Zendesk's own validator refuses or warns of, checked here, so that no account is needed. Each finding has a name.

Source: Zendesk's open-source validator (zendesk_apps_support, August 2026) as told in the guides (frontend 7, vendors
1.12), in our words. Warnings are failures here too. Beyond it, what our pages need: addresses that are opened signed, a
place where the app is shown, and an icon where the place shows nothing else.
"""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import SplitResult, urlsplit

Files = Mapping[str, bytes]  # path inside the app -> content; a symlink is b"" with its path in `links`
REQUIRED: Final = ("author", "defaultLocale", "location", "frameworkVersion")
PRODUCTS: Final = frozenset({"support", "chat", "standalone_chat", "sell"})
LOCATIONS: Final = frozenset({
    "top_bar", "nav_bar", "ticket_sidebar", "new_ticket_sidebar", "user_sidebar", "organization_sidebar", "background",
    "modal", "ticket_editor", "system_top_bar",
})  # fmt: skip
# The icons' names are those the validator's package.rb looks for; that a place is blank without one is from memory.
PLACES_WITH_ICONS: Final = frozenset({"top_bar", "nav_bar", "system_top_bar", "ticket_editor"})
ICONS: Final = ("icon_{place}.svg", "icon_{place}_inactive.png")
SETTING: Final = re.compile(r"\{\{setting\.\w+\}\}")
TYPES: Final = frozenset({"text", "checkbox", "url", "number", "multiline", "hidden", "oauth"})
SCOPES: Final = frozenset({
    "header", "body", "url", "jwt_secret_key", "jwt_claim", "basic_auth_username", "basic_auth_password",
})  # fmt: skip
BANNED_ENDS: Final = tuple(".zip .rar .7z .gz .pdf .doc .docx .xls .xlsx .ppt .pptx .mp3 .mp4 .exe".split())
BANNED_STARTS: Final = (b"PK\x03\x04", b"Rar!", b"%PDF", b"\xd0\xcf\x11\xe0", b"ID3", b"7z\xbc\xaf", b"\x1f\x8b")
TEXTS: Final = (".json", ".js", ".html", ".css", ".svg", ".txt", ".md")
SECRETS: Final = re.compile(r"\b(password|secret|api_key|apikey)\b|\b[A-Za-z0-9_-]{40,}\b", re.I)
LOCALE: Final = re.compile(r"[a-z]{2,3}(-[A-Z0-9]{2,3})?")
LONGEST_NAME: Final = 40
MARKETPLACE: Final = ("short_description", "long_description", "installation_instructions")
PICTURES: Final = {"assets/logo.png": {(320, 320)}, "assets/logo-small.png": {(128, 128)}}
BANNERS: Final = {(830, 200), (1660, 400)}


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """rule: its name. text: where, and what to do."""

    rule: str
    text: str


class DuplicateKey(ValueError):
    """A JSON object names a key twice."""


def validate(files: Files, links: frozenset[str] = frozenset()) -> list[Finding]:
    """Everything that is wrong with an app; none when it may be uploaded."""
    found = [
        *_files(files, _addresses_of(files)),
        *(Finding("symlink", f"{path}: put the file itself here") for path in sorted(links)),
    ]
    manifest = _json(files, "manifest.json", found)
    if manifest is not None:
        for check in _CHECKS:
            found += check(manifest, files)
        found += _translations(manifest, files)
    return sorted(set(found))


def _json(files: Files, path: str, found: list[Finding]) -> dict[str, Any] | None:
    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        keys = [key for key, _ in items]
        if len(set(keys)) != len(keys):
            raise DuplicateKey(next(key for key in keys if keys.count(key) > 1))
        return dict(items)

    if path not in files:
        found.append(Finding("missing-file", f"{path} is not there"))
        return None
    try:
        read = json.loads(files[path], object_pairs_hook=pairs)
    except DuplicateKey as error:
        found.append(Finding("duplicate-key", f"{path}: {error} is there twice"))
        return None
    except (ValueError, RecursionError):
        found.append(Finding("not-json", f"{path} is no JSON"))
        return None
    if not isinstance(read, dict):
        found.append(Finding("not-json", f"{path} must be an object"))
        return None
    return read


def _required(m: Mapping[str, Any], _: Files) -> Iterator[Finding]:
    for name in REQUIRED:
        if not m.get(name):
            yield Finding("required", f"manifest.json: {name} is missing")
    if m.get("frameworkVersion") not in (None, "2.0"):
        yield Finding("framework-version", 'manifest.json: frameworkVersion must be "2.0"')
    if len(str(m.get("name", ""))) > LONGEST_NAME or "zendesk" in str(m.get("name", "")).lower():
        yield Finding("name", f"manifest.json: a name has at most {LONGEST_NAME} characters and no mark of Zendesk")
    for name in ("signedUrls", "private", "singleInstall"):
        if name in m and not isinstance(m[name], bool):
            yield Finding("boolean", f"manifest.json: {name} must be true or false")
    if m.get("signedUrls") is not True:
        yield Finding(
            "signed-urls", "manifest.json: signedUrls must be true, or our pages are opened without saying by whom"
        )
    domains = m.get("domainWhitelist", [])
    if not isinstance(domains, list) or not all(isinstance(d, str) for d in domains):
        yield Finding("domain-whitelist", "manifest.json: domainWhitelist must be a list of texts")


def _addresses(m: Mapping[str, Any], _: Files) -> Iterator[Finding]:
    author = m.get("author")
    if author and not isinstance(author, dict):
        yield Finding("author", "manifest.json: author must be an object")
        return
    for name, url in (("author.url", (author or {}).get("url")), ("termsConditionsURL", m.get("termsConditionsURL"))):
        if url and _split(str(url)).scheme not in ("http", "https"):
            yield Finding("author-url", f"manifest.json: {name} must begin with http:// or https://")


def _split(url: str) -> SplitResult:
    """The parts of an address; none of one that cannot be read."""
    try:
        return urlsplit(url)
    except ValueError:
        return urlsplit("")


def _locations(m: Mapping[str, Any], files: Files) -> Iterator[Finding]:
    location = m.get("location")
    if not isinstance(location, dict):
        if location:
            yield Finding("location", "manifest.json: location must be an object of products")
        return
    if not any(location.values()):
        yield Finding("location", "manifest.json: location names no place where the app is shown")
    for product, places in location.items():
        if product not in PRODUCTS or not isinstance(places, dict):
            yield Finding("product", f"manifest.json: {product} is no product")
            continue
        for place, how in places.items():
            if product == "support" and place not in LOCATIONS:
                yield Finding("location", f"manifest.json: {place} is no place in support")
            yield from _place(place, how if isinstance(how, dict) else {"url": how}, files)
            folder = f"assets/{product}/" if len(location) > 1 else "assets/"
            if product == "support" and place in PLACES_WITH_ICONS:
                names = [folder + one.format(place=place) for one in ICONS]
                if not any(name in files for name in names):
                    yield Finding("icon", f"{names[0]} is not there: {place} shows an icon")


def _place(place: str, how: Mapping[str, Any], files: Files) -> Iterator[Finding]:
    url: str = how["url"] if isinstance(how.get("url"), str) else ""
    bare = SETTING.sub("x", url)
    if "{{" in bare or "}}" in bare:
        yield Finding("location-url", f"manifest.json: {place} names {url}; Zendesk fills in {{{{setting.NAME}}}} only")
    elif bare.startswith("assets/"):
        if bare.split("?")[0].split("#")[0] not in files:
            yield Finding("location-url", f"manifest.json: {place} names {url}, which is not in the app")
    elif not (SETTING.match(url) or _is_safe(_split(bare))):
        yield Finding("location-url", f"manifest.json: the address of {place} must begin with https://")
    for name in ("flexible", "autoLoad", "autoHide", "signed"):
        if name in how and not isinstance(how[name], bool):
            yield Finding("boolean", f"manifest.json: {name} of {place} must be true or false")
    if how.get("signed") is False:
        yield Finding("signed-urls", f"manifest.json: signed of {place} must not be false")


def _is_safe(parts: SplitResult) -> bool:
    """https with a host, or http on this machine; nobody's name and password in it."""
    local = parts.scheme == "http" and parts.hostname == "localhost"
    return bool(local or (parts.scheme == "https" and parts.hostname)) and "@" not in parts.netloc


def _parameters(m: Mapping[str, Any], _: Files) -> Iterator[Finding]:
    parameters = _objects(m)
    if parameters != m.get("parameters", []):
        yield Finding("parameters", "manifest.json: parameters must be a list of objects")
    names = [str(p.get("name", "")) for p in parameters]
    for name in sorted({n for n in names if names.count(n) > 1}):
        yield Finding("parameter-twice", f"manifest.json: the parameter {name} is there twice")
    for p in parameters:
        yield from (Finding(rule, f"manifest.json: parameter {p.get('name')}: {text}") for rule, text in _parameter(p))


def _objects(m: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The parameters, as far as they can be read."""
    told = m.get("parameters")
    return [one for one in told if isinstance(one, dict)] if isinstance(told, list) else []


def _parameter(p: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    name, kind, secure, scopes = str(p.get("name", "")), p.get("type", "text"), bool(p.get("secure")), p.get("scopes")
    if name == "name" or not name:
        yield "parameter-name", "`name` is taken by Zendesk"
    if not isinstance(kind, str) or kind not in TYPES:
        yield "parameter-type", f"{kind} is no type"
    if kind == "hidden" and p.get("required"):
        yield "parameter-hidden", "a hidden one cannot be required"
    if kind == "oauth" and secure:
        yield "parameter-oauth", "an oauth one cannot be secure"
    known = isinstance(scopes, list) and all(isinstance(one, str) and one in SCOPES for one in scopes)
    if scopes is not None and (not secure or not scopes or not known):
        yield "parameter-scopes", "scopes are for secure ones, not empty, and of those Zendesk knows"
    if secure and scopes is None:
        yield "parameter-no-scopes", "a secure one needs scopes"
    if not secure and kind == "text" and re.search(r"token|key|pwd|password", name, re.I):
        yield "parameter-not-secure", "it looks like a secret and is not secure"
    if p.get("default") and (secure or kind == "hidden"):
        yield "parameter-default", "a secure or hidden one has no default"


def _translations(m: Mapping[str, Any], files: Files) -> Iterator[Finding]:
    locale = str(m.get("defaultLocale", ""))
    if locale and not LOCALE.fullmatch(locale):
        yield Finding("locale", f"manifest.json: {locale} is no locale such as en or en-GB")
        return
    found: list[Finding] = []
    default = f"translations/{locale}.json"
    for path in sorted({default, *(p for p in files if p.startswith("translations/"))}):
        texts = _json(files, path, found)
        app = (texts or {}).get("app", {})
        if not isinstance(app, dict):
            found.append(Finding("translation", f"{path}: app must be an object"))
        elif path == default and texts is not None:
            found += _texts(path, app, m)
    yield from found


def _texts(path: str, app: Mapping[str, Any], m: Mapping[str, Any]) -> Iterator[Finding]:
    """The default language has all texts: of a public app also those of the Marketplace."""
    needed = ("name",) if m.get("private", True) else ("name", *MARKETPLACE)
    for name in needed:
        if not app.get(name):
            yield Finding("translation", f"{path}: app.{name} is missing")
    labelled = app.get("parameters")
    for p in _objects(m):
        told = labelled.get(str(p.get("name"))) if isinstance(labelled, dict) else None
        if not isinstance(told, dict) or not told.get("label"):
            yield Finding("translation", f"{path}: the parameter {p.get('name')} has no label")


def _pictures(_: Mapping[str, Any], files: Files) -> Iterator[Finding]:
    for path, sizes in PICTURES.items():
        if path not in files:
            yield Finding("missing-file", f"{path} is not there")
        elif _size(files[path]) not in sizes:
            yield Finding("picture", f"{path} must be a PNG of {' or '.join(f'{w}x{h}' for w, h in sorted(sizes))}")
    if "assets/banner.png" in files and _size(files["assets/banner.png"]) not in BANNERS:
        yield Finding("picture", "assets/banner.png must be a PNG of 830x200 or 1660x400")


def _size(body: bytes) -> tuple[int, int]:
    """Width and height of a PNG; (0, 0) of anything else."""
    if not body.startswith(b"\x89PNG\r\n\x1a\n") or len(body) < 24:
        return 0, 0
    width, height = struct.unpack(">II", body[16:24])
    return width, height


def _addresses_of(files: Files) -> list[str]:
    """The addresses the manifest names, without their queries, the longest first: what a host is called is no secret."""
    m = _json(files, "manifest.json", []) or {}
    author, location = m.get("author"), m.get("location")
    told = [m.get("termsConditionsURL"), author.get("url") if isinstance(author, dict) else None]
    for places in location.values() if isinstance(location, dict) else ():
        hows = places.values() if isinstance(places, dict) else ()
        told += [how.get("url") if isinstance(how, dict) else how for how in hows]
    found = {re.split("[?#]", one)[0] for one in told if isinstance(one, str) and "://" in one}
    return sorted(found, key=len, reverse=True)


def _files(files: Files, addresses: list[str]) -> Iterator[Finding]:
    for path, body in files.items():
        if path.lower().endswith(BANNED_ENDS) or body.startswith(BANNED_STARTS):
            yield Finding("file-type", f"{path}: this kind of file is refused")
        if not path.endswith(TEXTS):
            continue
        text = body.decode("utf-8", "replace")
        if path.endswith((".js", ".html")) and "http://" in text:
            yield Finding("insecure-address", f"{path}: holds http://")
        if path == "manifest.json":
            for address in addresses:
                text = text.replace(address, "")
        if found := SECRETS.search(text):
            yield Finding("secret", f"{path}: {found.group(0)[:12]}... looks like a secret or speaks of one")


_CHECKS: Final[tuple[Callable[[Mapping[str, Any], Files], Iterator[Finding]], ...]] = (
    _required, _addresses, _locations, _parameters, _pictures,
)  # fmt: skip
