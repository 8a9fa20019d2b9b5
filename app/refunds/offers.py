"""The signed offer: what this agent may ask for on this ticket within five minutes. Pure."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from integrations.kernel.errors import StateError
from integrations.kernel.money import Money

LIFE = timedelta(minutes=5)
_PURPOSE = b"deskbridge refund offer 1"


class OfferGone(StateError):
    code = "refund.offer"
    public = "What you saw is more than five minutes old. Look at the charge again."


@dataclass(frozen=True, slots=True)
class Offer:
    """request_id: a second use of it answers the same intent. billing, charge: where the money is. most: minor units.

    helpdesk, ticket: where it was asked for. person: whom it was made for. until: Unix seconds.
    """

    request_id: str
    billing: str
    charge: str
    most: int
    currency: str
    helpdesk: str
    ticket: str
    person: str
    until: int

    @property
    def limit(self) -> Money:
        return Money(self.most, self.currency)


def expiry(now: datetime) -> int:
    return int((now + LIFE).timestamp())


def sign(offer: Offer, keys: Sequence[bytes]) -> str:
    """The offer as URL-safe text. `keys`: master keys, newest first; what signs is derived from them."""
    body = json.dumps(asdict(offer), sort_keys=True, separators=(",", ":")).encode()
    return f"{_text(body)}.{_text(_mac(body, keys[0]))}"


def read(token: str, keys: Sequence[bytes], now: datetime) -> Offer:
    """The offer in a text. Raises OfferGone for every text we did not sign and every one that is too old."""
    head, _, tail = token.partition(".")
    try:
        body, mac = _bytes(head), _bytes(tail)
    except (ValueError, binascii.Error) as error:
        raise OfferGone from error
    good = [hmac.compare_digest(_mac(body, key), mac) for key in keys]
    if not any(good):
        raise OfferGone
    offer = Offer(**json.loads(body))
    if now.timestamp() >= offer.until:
        raise OfferGone
    return offer


def _mac(body: bytes, master: bytes) -> bytes:
    key = hmac.new(master, _PURPOSE, hashlib.sha256).digest()
    return hmac.new(key, body, hashlib.sha256).digest()


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
