"""Metrics of the product. Counters live in each process; depths and ages are read from the database when scraped.

With several processes, set PROMETHEUS_MULTIPROC_DIR (the launcher does, to a folder inside of DATA_FOLDER) and one scrape
answers for all of them, web and workers.
Every name is in docs/metrics.md.
"""

from __future__ import annotations

import os

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest, multiprocess

DELIVERIES = Counter("deskbridge_deliveries", "Webhook requests at the door", ["vendor", "verdict"])
DELIVERY_SECONDS = Histogram(
    "deskbridge_delivery_seconds",
    "Time from the first byte read to the answer",
    ["vendor"],
    buckets=(0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 2),
)
EVENTS = Counter("deskbridge_events", "Deliveries worked off", ["verdict"])
SLICE_SECONDS = Histogram(
    "deskbridge_slice_seconds", "Time of one batch", ["job"], buckets=(0.01, 0.05, 0.1, 0.5, 1, 2, 5, 10, 30)
)
RECOVERED = Counter("deskbridge_recovered", "Changes fetched that no delivery told of", ["connection"])
EFFECTS = Counter("deskbridge_effects", "Ticket changes by their end", ["state"])


def exposition() -> bytes:
    """The text a scrape gets: this process, or all processes that share the multi-process folder."""
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:  # noqa: TID251 - prometheus-client reads the same name itself
        registry = CollectorRegistry()
        multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return generate_latest(registry)
    return generate_latest()
