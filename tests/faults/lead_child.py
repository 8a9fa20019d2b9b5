"""The workers that die: a nursery that has everything imported forks several at once, and reports how each ended.

Speaks JSON lines on its pipes: in a list of {"deed", "failpoints"}; out the list of exit codes. Each has a client of its
own to the simulated Salesforce, which lives in the process that judges and so outlives them all.
"""

from __future__ import annotations

import json
import os
import sys
import traceback

from app.db import Database
from app.leads import gather, verdicts
from app.leads.push import Pusher
from app.telemetry import failpoints
from app.telemetry.logs import configure
from tests.crm_world import CRM, client_of
from tests.lead_scene import Scene

ROUNDS = 2


def worker(scene):
    """What a worker's periodic tasks do, a few times."""
    for _ in range(ROUNDS):
        gather.gather(scene.database, CRM, scene.now)
        Pusher(scene.ctx, CRM).drain()


def poll(scene):
    verdicts.poll(scene.ctx, CRM)


DEEDS = {one.__name__: one for one in (worker, poll)}


def live(command, database, url):
    """One deed in a process of its own; the statements the nursery compiled are known to it, its connections are not."""
    database.engine.dispose(close=False)
    failpoints.arm(command.get("failpoints", ""))
    scene = Scene(database, client_of(url), bulk_over=command.get("bulk_over", 2000))
    DEEDS[command["deed"]](scene)
    os._exit(0)


def born(command, database, url):
    pid = os.fork()
    if pid == 0:
        try:
            live(command, database, url)
        except BaseException:  # noqa: BLE001 - whatever it was, it ends this child and nothing else
            traceback.print_exc()
        os._exit(1)
    return pid


def main():
    configure("error")
    database, url = Database(sys.argv[1]), sys.argv[2]
    worker(Scene(database, client_of(url)))
    database.engine.dispose()
    for line in sys.stdin:
        pids = [born(command, database, url) for command in json.loads(line)]
        codes = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in pids]
        sys.stdout.write(json.dumps(codes) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
