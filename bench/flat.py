"""Does an event cost more when much is stored? CPU with 1,000,000 deliveries and 200,000 tickets / with 10,000 of each."""

from __future__ import annotations

from app.servers import temporary
from bench.process import ROUNDS, cpu_per_event, prepared
from bench.report import line


def run(large=1_000_000, large_tickets=200_000):
    """Print the ratio of our CPU."""
    found = {}
    for name, deliveries, tickets in (("small", 10_000, 10_000), ("large", large, large_tickets)):
        with temporary() as urls:
            database = prepared(urls, deliveries, tickets)
            found[name] = cpu_per_event(database, ROUNDS, tickets)
            database.close()
    values, base = ([v * 1000 for v in found[name]] for name in ("large", "small"))
    line("flat: CPU an event, large / small", "ms", values, base, load=f"{large} deliveries, {large_tickets} tickets")
