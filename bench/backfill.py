"""The backfill, measured: memory, list calls a CPU second, and a kill -9 in the middle that leaves no gap.

`python -m bench.backfill [--short]`: 20,000 customers with a subscription and a card each, and 180,000 invoices and charges
(90,000 of each), from a synthetic Stripe on loopback into a PostgreSQL of its own. One JSON object a line, as bench.md.
"""

from __future__ import annotations

import argparse
import json
import platform
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

PER_CUSTOMER = 9  # 180,000 for 20,000
CON = "con_bench"
ROUNDS = 5


def resident_mib() -> float:
    """Memory of this process that is in RAM."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0


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
    marks: list[tuple[float, int]] = []

    def progress(kind: str, count: int, done: bool) -> None:
        if kind == "profile" and not marks:
            marks.append((cpu_s(), sum(gate.calls.values())))

    peak, stop = [resident_mib()], threading.Event()

    def watch() -> None:
        while not stop.wait(0.02):
            peak[0] = max(peak[0], resident_mib())

    before_mib, before_cpu, started = resident_mib(), cpu_s(), time.monotonic()
    threading.Thread(target=watch, daemon=True).start()
    count = backfill(
        database, CON, client, seats_used_key="seats_used", progress=progress,  # type: ignore[arg-type]
        index=lambda cx, con, records: identity.index_payers(cx, con, records, settings=ladder),
    )  # fmt: skip
    stop.set()
    calls = sum(gate.calls.values())
    told = {
        "objects": count, "calls": calls, "cpu_s": cpu_s() - before_cpu, "wall_s": time.monotonic() - started,
        "lists_cpu_s": marks[0][0] - before_cpu, "before_mib": before_mib, "growth_mib": peak[0] - before_mib,
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
    arguments = [sys.executable, "-m", "bench.backfill", "--worker", database_url, base_url]
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
            "TRUNCATE billing_object, billing_profile, billing_cursor, billing_reread, seat_count, payer_address"
        )


def killed(database_url: str, base_url: str, customers: int, share: float) -> float:
    """kill -9 after a share of the pages, then a second run: no gap, and only the pages in hand are read twice."""
    before, whole = calls(base_url), sum(-(-n // 100) for kind, n in expected(customers).items() if kind != "profile")
    process = start(database_url, base_url)
    while calls(base_url) - before < whole * share and process.poll() is None:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    rest = start(database_url, base_url)
    assert rest.wait() == 0, "the second run failed"
    assert state(database_url) == expected(customers), (state(database_url), expected(customers))
    empties = 4  # lists without a single object are one call each: refunds, disputes, credit notes, invoice payments
    return calls(base_url) - before - whole - empties


def show(name: str, unit: str, values: list[float], load: str, **more: object) -> None:
    """One line, as bench.md wants it."""
    print(json.dumps({
        "name": name, "value": round(statistics.median(values), 2), "unit": unit, "base": None, "ratio": None,
        "rounds": len(values), "min": round(min(values), 2), "max": round(max(values), 2), "load": load,
        "versions": {"python": platform.python_version(), "sqlalchemy": sa.__version__, "psycopg": psycopg.__version__},
        **more,
    }), flush=True)  # fmt: skip


def main(customers: int, rounds: int) -> int:
    """All figures; the exit code says whether the goals were met."""
    load = f"{customers} customers, {customers * PER_CUSTOMER} invoices and charges, synthetic Stripe on loopback"
    with server(customers) as base_url, database() as database_url:
        found = []
        for _ in range(rounds):
            empty(database_url)
            process = start(database_url, base_url)
            text, _ = process.communicate()
            assert process.returncode == 0, "the backfill failed"
            assert state(database_url) == expected(customers), (state(database_url), expected(customers))
            found.append(json.loads(text))
        growth = [one["growth_mib"] for one in found]
        rate = [one["calls"] / one["cpu_s"] for one in found]
        show("backfill.rss_growth", "MiB", growth, load, goal="<= 60")
        show("backfill.list_calls_per_cpu_s", "1/s", rate, load, goal=">= 100", calls=found[0]["calls"])
        show(
            "backfill.list_calls_per_cpu_s_without_profiles",
            "1/s",
            [o["calls"] / o["lists_cpu_s"] for o in found],
            load,
        )
        show("backfill.wall", "s", [one["wall_s"] for one in found], load)
        twice = []
        for share in (0.1, 0.5, 0.9):
            empty(database_url)
            twice.append(killed(database_url, base_url, customers, share))
        show("backfill.pages_read_twice_after_kill_9", "calls", twice, load, goal="<= 4", gap=0)
    return 0 if max(growth) <= 60 and statistics.median(rate) >= 100 and max(twice) <= 4 else 1


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--worker", nargs=2, metavar=("DATABASE_URL", "BASE_URL"))
    parser.add_argument("--short", action="store_true", help="1,000 customers, one round")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    given = parser.parse_args()
    if given.worker:
        worker(*given.worker)
    else:
        sys.exit(main(1_000 if given.short else 20_000, 1 if given.short else given.rounds))
