"""The token with which Zendesk opens the app: who it says opened it, or why it is not believed. Pure.

Each rule about a claim is one constant; where the vendor sheet (1.12) does not mark a claim as seen, the rule is the one
to change. `flask zendesk claims` prints the names of what a real token carried.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import jwt

from integrations.kernel.errors import AuthError

ALGORITHMS: Final = ["RS256"]  # never a symmetric one beside it: the public key would sign
REQUIRED: Final = ["exp", "iat", "iss", "aud"]
ISSUERS: Final = ("{subdomain}.zendesk.com", "https://{subdomain}.zendesk.com")
AUDIENCE: Final = "https://{subdomain}.zendesk.com/api/v2/apps/installations/{installation_id}.json"
PRODUCT: Final = "support"
LOCATIONS: Final = frozenset({"ticket_sidebar", "new_ticket_sidebar", "user_sidebar", "nav_bar"})
LONGEST: Final = timedelta(minutes=10)  # between iat and exp
LEEWAY: Final = timedelta(seconds=30)
JTI_REQUIRED: Final = False  # (R) in the sheet: without one, the token's hash is what is used once
SUBJECT: Final = re.compile(r"(?:[^\s]*/)?(\d{1,19})(?:\.json)?", re.ASCII)  # (R): the last piece of an address
MOST_BYTES: Final = 8192

KeyOf = Callable[[], Sequence[str]]


class TokenRefused(AuthError):
    code, public = "sidebar.token", "Zendesk's signature on this page could not be verified. Reload the app."


class AppNotConnected(AuthError):
    code = "sidebar.not_connected"
    public = "This installation of the app is not connected yet. An admin runs `flask zendesk connect`."


@dataclass(frozen=True, slots=True)
class Opened:
    """Who opened the app, and where. person_id: "" where the token does not say.

    once: what may be used once, until `expires_at`. claims: the names of all it carried.
    """

    person_id: str
    location: str
    once: bytes
    expires_at: datetime
    claims: tuple[str, ...]


def verify(token: str, config: Mapping[str, Any], now: datetime) -> Opened:
    """Whom Zendesk says opened the app.

    Args:
        token: the form's field, as it came.
        config: of the connection: subdomain, installation_id, app_key (PEM; several while it is rotated).
        now: aware UTC.

    Raises:
        AppNotConnected: the admin has not given the installation's id and key.
        TokenRefused: anything else; `why` in the context, for the log.

    Source: vendor sheet 1.12, trust.md 2.6.
    """
    keys = pems(str(config.get("app_key", "")))
    if not keys or not config.get("installation_id"):
        raise AppNotConnected
    if not token or len(token) > MOST_BYTES:
        raise TokenRefused(why="no token, or too long")
    claims = _signed(token, keys)
    issued, expires = _lifetime(claims, now)
    _check_names(claims, config)
    once = claims.get("jti") or ""
    if JTI_REQUIRED and not once:
        raise TokenRefused(why="no jti")
    used = hashlib.sha256((f"jti/{once}" if once else token).encode("utf-8", "replace")).digest()
    return Opened(_person(claims.get("sub")), _location(claims), used, expires + LEEWAY, tuple(map(str, claims)))


def pems(text: str) -> list[str]:
    """The public keys in a text, which may have its line ends written as backslash and n."""
    found = re.findall(r"-----BEGIN [A-Z ]+-----.*?-----END [A-Z ]+-----", text.replace("\\n", "\n"), re.DOTALL)
    return [f"{pem}\n" for pem in found if "PRIVATE" not in pem]


def _signed(token: str, keys: Sequence[str]) -> Mapping[str, Any]:
    """The claims, signed with one of our keys; what the header says of keys is never looked at."""
    why = ""
    for key in keys:
        try:
            # Times and names are judged below, by rules of our own: the library takes any exp and any list of audiences.
            found: Mapping[str, Any] = jwt.decode(
                token, key, algorithms=ALGORITHMS,
                options={"require": REQUIRED, "verify_aud": False, "verify_iat": False, "verify_exp": False,
                         "verify_nbf": False, "verify_sub": False, "verify_jti": False},
            )  # fmt: skip
        except (jwt.PyJWTError, ValueError, TypeError) as error:
            why = type(error).__name__
            continue
        return found
    raise TokenRefused(why=why)


def _lifetime(claims: Mapping[str, Any], now: datetime) -> tuple[datetime, datetime]:
    issued, expires = _moment(claims["iat"]), _moment(claims["exp"])
    if "nbf" in claims and _moment(claims["nbf"]) > now + LEEWAY:
        raise TokenRefused(why="not valid yet")
    if issued > now + LEEWAY:
        raise TokenRefused(why="issued in the future")
    if expires <= now - LEEWAY:
        raise TokenRefused(why="expired")
    if not timedelta(0) < expires - issued <= LONGEST:
        raise TokenRefused(why="lives too long")
    return issued, expires


def _moment(value: object) -> datetime:
    """Seconds since 1970."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1e11:
        raise TokenRefused(why="a time that is none")
    return datetime.fromtimestamp(value, UTC)


def _check_names(claims: Mapping[str, Any], config: Mapping[str, Any]) -> None:
    names = {"subdomain": config.get("subdomain", ""), "installation_id": config["installation_id"]}
    if claims["iss"] not in [one.format(**names) for one in ISSUERS]:
        raise TokenRefused(why="issuer")
    ours = AUDIENCE.format(**names)
    if claims["aud"] not in (ours, [ours]):  # a list that holds ours among others was made for somebody else too
        raise TokenRefused(why="audience")
    context = claims.get("context")
    if isinstance(context, Mapping) and context.get("product", PRODUCT) != PRODUCT:
        raise TokenRefused(why="product")


def _location(claims: Mapping[str, Any]) -> str:
    """Where in Zendesk; a token that does not say so is a ticket's, where the most is checked."""
    context = claims.get("context")
    said = context.get("location", "ticket_sidebar") if isinstance(context, Mapping) else "ticket_sidebar"
    if said not in LOCATIONS:
        raise TokenRefused(why="location")
    return str(said)


def _person(sub: object) -> str:
    found = SUBJECT.fullmatch(str(sub)) if isinstance(sub, str | int) and not isinstance(sub, bool) else None
    return found.group(1) if found else ""
