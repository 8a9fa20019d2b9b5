"""The backfill, measured: memory, list calls a CPU second, and a kill -9 in the middle that leaves no gap.

20,000 customers with a subscription and a card each, and 180,000 invoices and charges (90,000 of each), from a synthetic
Stripe on loopback into a PostgreSQL of its own. Run with two addresses, it is the worker that is measured.
"""

from __future__ import annotations

import json
import resource
import signal
import socket
import statistics
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg
import sqlalchemy as sa

from bench.report import line

PER_CUSTOMER = 9  # 180,000 for 20,000
CON = "con_bench"
CUSTOMERS, ROUNDS = 20_000, 5
SHARES = (0.1, 0.5, 0.9)  # of the pages read when the worker is killed


def resident_mib() -> float:
    """Memory of this process that is in RAM."""
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * resource.getpagesize() / 2**20


def cpu_s() -> float:
    """CPU this process has used, all its threads."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def worker(database_url: str, base_url: str) -> None:
    """One backfill in this process; prints what it took."""
    from app import identity
    from app.billing.backfill import backfill
    from app.db import Database
    from integrations import registry
    from integrations.kernel.vendor import Account
    from integrations.transport.http import OpenGate

    gate = OpenGate()
    client = registry.client(Account(CON, "stripe", base_url, {}, {"api_key": ("rk_test_bench",)}), gate)
    database = Database(database_url)
    ladder = identity.IdentitySettings()
    with database.begin() as cx:
        cx.execute(sa.text("SELECT 1"))
    peak, stop = [resident_mib()], threading.Event()

    def watch() -> None:
        while not stop.wait(0.02):
            peak[0] = max(peak[0], resident_mib())

    before_mib, before_cpu, started = resident_mib(), cpu_s(), time.monotonic()
    threading.Thread(target=watch, daemon=True).start()
    count = backfill(
        database, CON, client, seats_used_key="seats_used", progress=lambda *_: None,  # type: ignore[arg-type]
        index=lambda cx, con, records: identity.index_payers(cx, con, records, settings=ladder),
    )  # fmt: skip
    stop.set()
    calls = sum(gate.calls.values())
    told = {
        "objects": count, "calls": calls, "cpu_s": cpu_s() - before_cpu, "wall_s": time.monotonic() - started,
        "before_mib": before_mib, "growth_mib": peak[0] - before_mib,
    }  # fmt: skip
    print(json.dumps(told))


@contextmanager
def server(customers: int) -> Iterator[str]:
    """The synthetic Stripe, in a process of its own."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    arguments = [sys.executable, "-m", "bench.synthetic_stripe", str(port), str(customers), str(PER_CUSTOMER)]
    process = subprocess.Popen(arguments)
    url = f"http://127.0.0.1:{port}"
    try:
        for _ in range(100):
            with suppress(OSError):
                calls(url)
                break
            time.sleep(0.1)
        yield url
    finally:
        process.kill()
        process.wait()


def calls(url: str) -> int:
    """Lists the server has given out."""
    with urllib.request.urlopen(f"{url}/calls", timeout=5) as answer:  # noqa: S310 - loopback
        return int(answer.read())


@contextmanager
def database() -> Iterator[str]:
    """An empty database with our tables, on servers of its own."""
    from app.db import Database, load_models
    from app.servers import temporary

    with temporary() as own:
        made = Database(own.migration_url)
        load_models().create_all(made.engine)
        made.close()
        yield own.migration_url


def start(database_url: str, base_url: str) -> subprocess.Popen[str]:
    """A worker of its own, so that memory and CPU are only the backfill's."""
    arguments = [sys.executable, "-m", "bench.backfill", database_url, base_url]
    return subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True)


def state(database_url: str) -> dict[str, int]:
    """Rows by kind, and profiles."""
    with psycopg.connect(database_url) as cx:
        rows = cx.execute("SELECT kind, count(*) FROM billing_object GROUP BY kind").fetchall()
        (profiles,) = cx.execute("SELECT count(*) FROM billing_profile").fetchone() or (0,)
    return {**{str(kind): int(n) for kind, n in rows}, "profile": int(profiles)}


def expected(customers: int) -> dict[str, int]:
    """What there must be in the end."""
    each = customers * PER_CUSTOMER // 2
    every = dict.fromkeys(("payer", "subscription", "payment_method", "profile"), customers)
    return {**every, "invoice": each, "charge": each, "product": 1, "price": 1}


def empty(database_url: str) -> None:
    """Forget everything of the last round."""
    with psycopg.connect(database_url) as cx:
        cx.execute(
            "TRUNCATE billing_object, billing_profile, billing_term, billing_cursor, billing_reread, seat_count,"
            " payer_address"
        )


def killed(database_url: str, base_url: str, customers: int, share: float) -> float:
    """kill -9 after a share of the pages, then a second run: no gap, and only the pages in hand are read twice."""
    before, whole = calls(base_url), sum(-(-n // 100) for kind, n in expected(customers).items() if kind != "profile")
    with start(database_url, base_url) as process:
        while calls(base_url) - before < whole * share and process.poll() is None:
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
    with start(database_url, base_url) as rest:
        rest.communicate()
    assert rest.returncode == 0, "the second run failed"
    assert state(database_url) == expected(customers), (state(database_url), expected(customers))
    empties = 4  # lists without a single object are one call each: refunds, disputes, credit notes, invoice payments
    return calls(base_url) - before - whole - empties


def rounds_of(database_url: str, base_url: str, customers: int, rounds: int) -> list[dict[str, float]]:
    """What each whole backfill told; its rows are counted."""
    found = []
    for _ in range(rounds):
        empty(database_url)
        process = start(database_url, base_url)
        text, _ = process.communicate()
        assert process.returncode == 0, "the backfill failed"
        assert state(database_url) == expected(customers), (state(database_url), expected(customers))
        found.append(json.loads(text))
    return found


def run(customers: int = CUSTOMERS, rounds: int = ROUNDS) -> None:
    """Print memory, speed and what a kill -9 costs; a gap is an error."""
    load = {
        "customers": customers, "invoices_and_charges": customers * PER_CUSTOMER, "stripe": "synthetic, on loopback",
    }  # fmt: skip
    with server(customers) as base_url, database() as database_url:
        found = rounds_of(database_url, base_url, customers, rounds)
        load |= {"calls": found[0]["calls"], "wall_s": round(statistics.median(one["wall_s"] for one in found), 1)}
        line("backfill: memory growth", "MiB", [one["growth_mib"] for one in found], load=load, goal=("<=", 60))
        rate = [one["calls"] / one["cpu_s"] for one in found]
        line("backfill: list calls a CPU second", "1/s", rate, load=load, goal=(">=", 100))
        twice = []
        for share in SHARES:
            empty(database_url)
            twice.append(killed(database_url, base_url, customers, share))
        line("backfill: pages read twice after kill -9, no gap", "calls", twice, load={**load, "killed_at": SHARES},
             goal=("<=", 4))  # fmt: skip


if __name__ == "__main__":
    worker(*sys.argv[1:3])
