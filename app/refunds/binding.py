"""What an approval is for, as one hash: any change makes it another one. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence

from integrations.kernel.money import Money


def bound(
    billing: str, charge: str, payer: str, amount: Money, reason: str, lines: Sequence[tuple[str, int]] = ()
) -> str:
    """SHA-256 over charge, amount, currency, reason, invoice lines, and the payer by hash."""
    whose = hashlib.sha256(f"{billing}\0{payer}".encode()).hexdigest()
    told = [billing, charge, whose, amount.minor, amount.currency, reason, sorted(list(line) for line in lines)]
    return hashlib.sha256(json.dumps(told, separators=(",", ":")).encode()).hexdigest()
