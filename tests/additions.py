"""What this machine takes for something everybody knows: bounds in its multiples hold on a slow machine too."""

from __future__ import annotations

import time


def additions_s(count: int) -> float:
    """CPU seconds of so many additions in a loop; ten million take about half a second on an ordinary machine."""
    began, total = time.process_time(), 0
    for n in range(count):
        total += n
    return time.process_time() - began
