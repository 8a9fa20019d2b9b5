"""The processes that die: a nursery that has everything imported forks one for each deed and reports how it ended.

Speaks JSON lines on its pipes: in {"deed", "args", "failpoints"}; out {"pid"} and then {"exit", "out"}.
"""

from __future__ import annotations

import json
import os
import sys
import traceback

from app import refunds
from app.access import Actor, Login, Role
from app.db import Database
from app.refunds import Wish, approvals, books, follow
from app.telemetry import failpoints
from app.telemetry.logs import configure
from integrations.kernel.billing import Refund
from integrations.kernel.clock import parse_iso, utc_now
from integrations.kernel.events import Event
from integrations.kernel.ids import VendorRef
from integrations.kernel.money import Money
from tests.faults import refund_mutants
from tests.refund_world import BILLING, DESK, World


def actor(name, person_id, role):
    return Actor(person_id, Role(role), Login(DESK, name), utc_now())


def web(world, offer, minor, person, lines=()):
    """A click on the button."""
    wish = Wish(offer, Money(minor, "USD"), lines=tuple(tuple(one) for one in lines), again=True)
    return refunds.request(world.ctx, actor("bea", person, "refunder"), wish).id


def approve(world, intent_id, shown, person):
    return approvals.approve(world.ctx, actor("eve", person, "approver"), intent_id, shown).state.value


def worker(world):
    return world.drain()


def sweeper(world):
    world.lapse()
    return follow.sweep(world.ctx)


def webhook(world, refund):
    """What the inbox does with a delivery of Stripe."""
    told = Refund(
        refund["id"], refund["charge"], refund["status"], Money(refund["amount"], "USD"), utc_now(),
        intent_id=refund["metadata"]["intent_id"],
    )  # fmt: skip
    event = Event(
        "refund.updated", "stripe", BILLING, "evt_1", VendorRef("stripe", "refund", told.id), utc_now(), record=told
    )
    with world.database.begin() as cx:
        return follow.on_events(cx, BILLING, [event])


def reconcile(world, since):
    return books.reconcile(world.ctx, world.client, BILLING, parse_iso(since)).agree


DEEDS = {one.__name__: one for one in (web, approve, worker, sweeper, webhook, reconcile)}


def live(command, url, stripe_url, deadline_s, out):
    """One deed in a process of its own."""
    failpoints.arm(command.get("failpoints", ""))
    world = World(Database(url), None, stripe_url, deadline_s)
    told = DEEDS[command["deed"]](world, *command.get("args", ()))
    os.write(out, json.dumps(told).encode())
    os._exit(0)


def say(told):
    sys.stdout.write(json.dumps(told) + "\n")
    sys.stdout.flush()


def main():
    url, stripe_url, deadline_s = sys.argv[1], sys.argv[2], float(sys.argv[3])
    configure("error")
    refund_mutants.apply(sys.argv[4])
    for line in sys.stdin:
        read, write = os.pipe()
        pid = os.fork()
        if pid == 0:
            try:
                live(json.loads(line), url, stripe_url, deadline_s, write)
            except BaseException:  # noqa: BLE001 - whatever it was, it ends this child and nothing else
                traceback.print_exc()
                os._exit(1)
        os.close(write)
        say({"pid": pid})
        _, status = os.waitpid(pid, 0)
        with os.fdopen(read) as pipe:
            told = pipe.read()
        say({"exit": os.waitstatus_to_exitcode(status), "out": json.loads(told) if told else None})


if __name__ == "__main__":
    main()
