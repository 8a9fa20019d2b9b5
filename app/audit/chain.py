"""The chain's arithmetic, pure: canonical text, commitments, hashes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from integrations.kernel.clock import iso
from integrations.kernel.errors import AppError

GENESIS = bytes(32)
SALT_BYTES = 16


class AuditError(AppError):
    code, public = "audit.broken", "The audit record does not fit together. Look at it before anything else is done."


@dataclass(frozen=True, slots=True)
class Entry:
    """One row as it is hashed. commitments: name -> hex of SHA-256(salt + value)."""

    seq: int
    at: datetime
    actor: str
    action: str
    subject: str
    data: Mapping[str, Any]
    commitments: Mapping[str, str]

    def digest(self, prev: bytes) -> bytes:
        """SHA-256 over the hash before and the canonical row."""
        row = {
            "seq": self.seq, "at": iso(self.at), "actor": self.actor, "action": self.action, "subject": self.subject,
            "data": self.data, "commitments": self.commitments,
        }  # fmt: skip
        return hashlib.sha256(prev + canonical(row)).digest()


def canonical(value: Any) -> bytes:  # noqa: ANN401 - JSON
    """One text for one value: sorted names, no spaces, ASCII."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False).encode()


def commit(salt: bytes, value: str) -> str:
    """What the chain holds instead of a personal value."""
    return hashlib.sha256(salt + value.encode()).hexdigest()


def plain(value: Any) -> Any:  # noqa: ANN401 - JSON
    """The value, when the database gives it back as it was put in.

    Raises:
        TypeError: a float, or anything JSON has no word for.
    """
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, str):
        return value.replace("\0", "").encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, Mapping):
        return {plain(str(name)): plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    raise TypeError(f"{type(value).__name__} has no place in the audit record")
