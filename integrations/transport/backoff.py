"""Full-jitter exponential back-off: any moment up to the ceiling, so that many waiters do not come back together."""

from __future__ import annotations

import random

BASE_S = 2.0
CAP_S = 900.0


def delay_s(tries: int) -> float:
    """Seconds to wait after the `tries`-th failed try (1, 2, ...): anywhere in 0.1 .. min(cap, base * 2^(tries-1))."""
    return random.uniform(0.1, min(CAP_S, BASE_S * 2.0 ** min(max(tries, 1) - 1, 20)))
