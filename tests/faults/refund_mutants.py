"""Wrong versions of the saga, each with one safeguard taken out: every one must make a test fail (trust.md 3.2)."""

from __future__ import annotations

import itertools
from dataclasses import replace

from app.refunds import follow, store, store_work, worker

_numbers = itertools.count(1)


def fresh_key(put):
    order = worker.order
    put(worker, "order", lambda intent: replace(order(intent), key=f"{intent.id}-{next(_numbers)}"))


def no_read_before_resend(put):
    put(worker.RefundWorker, "_again", lambda self, client, intent: None)


def no_fencing(put):
    take = store.take
    put(store, "take", lambda cx, intent_id, token=None: take(cx, intent_id, None))


def acknowledge_before_commit(put):
    look = follow.look

    def look_after(ctx, clients, intent_id, due_at):
        with ctx.database.begin() as cx:
            store_work.looked(cx, intent_id, due_at)
        look(ctx, clients, intent_id, due_at)

    put(follow, "look", look_after)


def no_sweeper(put):
    put(follow, "sweep", lambda ctx: 0)


def no_check(put):
    """Taken out of the database, by the test."""


MUTANTS = {
    one.__name__: one
    for one in (fresh_key, no_read_before_resend, no_fencing, acknowledge_before_commit, no_sweeper, no_check)
}


def apply(name, put=setattr):
    """Make this process a mutant; an empty name leaves it as it is."""
    if name:
        MUTANTS[name](put)
