"""What a confirm canvas was about, signed: it goes through Intercom and a browser before it comes back. Pure.

The nonce in it is used up by the click (app.sessions), so that one canvas makes at most one request.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from integrations.kernel.errors import StateError
from integrations.kernel.money import Money

LIFE: Final = timedelta(minutes=5)  # as long as the offer in it
_PURPOSE: Final = b"deskbridge canvas confirmation 1"


class ConfirmationGone(StateError):
    code = "canvas.confirmation"
    public = "This confirmation is not good any more, or belongs to somebody else. Nothing was refunded by it."


class ConfirmedBefore(StateError):
    code = "canvas.confirmed_before"
    public = "This confirmation was used before. Nothing was refunded again; below is what was asked for."


@dataclass(frozen=True, slots=True)
class Pass:
    """One confirmation that was shown. page: connection, conversation and admin it was shown to. until: Unix seconds.

    offer: of app.refunds. waits: why it takes an approval, or "".
    agreed: what the admin was asked once more and says yes to: again, fraud_confirmed.
    """

    page: tuple[str, str, str]
    nonce: str
    until: int
    charge: str
    offer: str
    minor: int
    currency: str
    reason: str
    note: str
    waits: str
    agreed: tuple[str, ...] = ()

    @property
    def amount(self) -> Money:
        return Money(self.minor, self.currency)

    @property
    def digest(self) -> bytes:
        """What is kept of the nonce."""
        return hashlib.sha256(self.nonce.encode()).digest()

    @property
    def ends_at(self) -> datetime:
        return datetime.fromtimestamp(self.until, UTC)


def expiry(now: datetime) -> int:
    return int((now + LIFE).timestamp())


def sign(shown: Pass, keys: Sequence[bytes]) -> str:
    """As URL-safe text. keys: master keys, newest first; what signs is derived from them."""
    body = json.dumps(asdict(shown), sort_keys=True, separators=(",", ":")).encode()
    return f"{base64.urlsafe_b64encode(body).decode()}.{_mac(body, keys[0])}"


def read(token: object, page: tuple[str, str, str], keys: Sequence[bytes], now: datetime) -> Pass:
    """The confirmation in a text. Raises ConfirmationGone: not signed here, shown to somebody else, or too old."""
    head, _, mac = token.partition(".") if isinstance(token, str) else ("", "", "")
    try:
        body = base64.b64decode(head, altchars=b"-_", validate=True)
    except (ValueError, binascii.Error) as error:
        raise ConfirmationGone from error
    good = [hmac.compare_digest(_mac(body, key).encode(), mac.encode("utf-8", "replace")) for key in keys]
    if not any(good):
        raise ConfirmationGone
    data: Mapping[str, object] = json.loads(body)
    shown = Pass(**{name: tuple(v) if isinstance(v, list) else v for name, v in data.items()})  # type: ignore[arg-type]
    if shown.page != page or now.timestamp() >= shown.until:
        raise ConfirmationGone
    return shown


def _mac(body: bytes, master: bytes) -> str:
    key = hmac.new(master, _PURPOSE, hashlib.sha256).digest()
    return hmac.new(key, body, hashlib.sha256).hexdigest()
