"""Signed deliveries as bytes on the wire, made before they are sent, so that making them costs the measured time nothing."""

from __future__ import annotations

import hashlib
import hmac
import itertools
import time
from collections.abc import Iterator

SECRET, CONNECTION = "whsec_bench", "bench"
DOOR, NOOP = f"/webhooks/stripe/{CONNECTION}", "/noop"
_BODY = (
    '{"id":"%s","object":"event","type":"charge.updated","created":1700000000,"data":{"object":{"id":"ch_1","amount":5000,'
    '"currency":"usd","customer":"cus_1","description":"' + "x" * 600 + '"}}}'
)


class Deliveries:
    """Ever new events of one kind; `prefix` keeps the keys of two rounds apart."""

    def __init__(self, path: str, prefix: str) -> None:
        self.path = path
        self.prefix = prefix
        self._numbers = itertools.count()

    def key(self, number: int) -> str:
        """The event key of a delivery: what its row in `delivery_key` is called."""
        return f"evt_{self.prefix}x{number}"

    def one(self, *, signed: bool = True) -> tuple[str, bytes]:
        """(event key, the whole request)."""
        key = self.key(next(self._numbers))
        body = (_BODY % key).encode()
        stamp = str(int(time.time()))
        digest = hmac.new(SECRET.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
        signature = f"Stripe-Signature: t={stamp},v1={digest}\r\n" if signed else ""
        head = (
            f"POST {self.path} HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\n{signature}"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        return key, head.encode() + body

    def many(self, count: int) -> Iterator[tuple[str, bytes]]:
        """That many, all made now."""
        return iter([self.one() for _ in range(count)])
