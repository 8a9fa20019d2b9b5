"""The inbox and the relay write the same tickets at the same time: neither waits for the other in a circle."""

from __future__ import annotations

import threading

from app.outbox import Plan, enqueue
from app.outbox.wanted import Wanted
from app.tickets import store as tickets
from integrations.kernel.clock import parse_iso
from integrations.kernel.records import TicketRecord


def test_settling_waits_for_a_judgement_of_the_same_tickets_instead_of_blocking_it(bench):
    bench.know("1", "2")
    bench.want("1", "2", db_x=True)
    bench.client("desk").by_job = True
    bench.relay._send_due()
    bench.lapse()
    moment = parse_iso("2026-11-24T09:00:05Z")
    with bench.database.begin() as cx:  # the inbox: mirror first, then the outbox
        tickets.apply(cx, "desk", [TicketRecord(t, moment, {"status": "pending"}) for t in ("1", "2")])
        settling = threading.Thread(target=bench.relay._look_at_jobs)
        settling.start()
        settling.join(0.5)
        plans = [Plan(t, Wanted(tags={"db_y": True}), {"tags": []}) for t in ("1", "2")]
        enqueue(cx, "desk", plans, gather_s=0)  # a deadlock would be broken here, after a second, with an error
    settling.join(5)
    bench.drain()
    assert bench.client("desk").tags == {"1": {"db_x", "db_y"}, "2": {"db_x", "db_y"}}
