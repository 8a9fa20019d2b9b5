"""OAuth access tokens of the account: who they act for, what they may do, when they end.

Source: vendor sheet 1.1: expires_in over 300 and under 172,800 s; a wrong scope name is taken here and refused later.
"""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass

from sandbox.base import Context

SHORTEST_S, LONGEST_S, USUAL_S = 300, 172_800, 7200


@dataclass(frozen=True, slots=True)
class Token:
    """scopes: as asked for, known or not. ends: monotonic."""

    user_id: int
    scopes: frozenset[str]
    ends: float


class Tokens:
    """All tokens ever given out."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._tokens: dict[str, Token] = {}

    def give(self, user_id: int, scope: str, life_s: int) -> str:
        """A new token of a user."""
        value = secrets.token_hex(32)
        ends = time.monotonic() + life_s / self._context.time_factor
        self._tokens[value] = Token(user_id, frozenset(scope.split()), ends)
        return value

    def find(self, value: str) -> Token | None:
        """A token that still lives."""
        token = self._tokens.get(value)
        return token if token is not None and token.ends > time.monotonic() else None

    def revoke_all(self) -> int:
        """End every token at once; answers how many there were."""
        count = len(self._tokens)
        self._tokens.clear()
        return count
