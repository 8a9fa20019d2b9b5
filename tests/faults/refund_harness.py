"""kill -9 at a point, let the product recover by itself, look at both sides."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from app.access import Role
from app.refunds import State
from tests.faults.refund_proxy import Proxy
from tests.refund_world import World

ROOT = Path(__file__).resolve().parents[2]
DEADLINE_S = 0.8
KILLED = -9
# What must come of each answer, whoever died when. Everything else ends in succeeded.
ENDS = {"pending": State.PENDING_VENDOR, "too_large": State.REJECTED, "declined": State.REJECTED}


class Nursery:
    """Starts a process for each deed and waits for its end."""

    def __init__(self, url, stripe_url, mutant):
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.refund_child", url, stripe_url, str(DEADLINE_S), mutant],
            cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def do(self, deed, *args, failpoints="", born=lambda pid: None):
        """Answers (exit code, what it told); -9 for one that was killed."""
        command = {"deed": deed, "args": args, "failpoints": failpoints}
        self.process.stdin.write(json.dumps(command) + "\n")
        self.process.stdin.flush()
        born(json.loads(self.process.stdout.readline())["pid"])
        end = json.loads(self.process.stdout.readline())
        return end["exit"], end["out"]

    def stop(self):
        self.process.stdin.close()
        self.process.wait(timeout=10)
        self.process.stdout.close()


class Harness:
    """One database, one simulated Stripe behind a proxy, one nursery; many points."""

    def __init__(self, database, stripe, mutant=""):
        self.proxy = Proxy(stripe, DEADLINE_S)
        self.world = World(database, stripe, self.proxy.url, DEADLINE_S)
        self.world.set_up()
        self.nursery = Nursery(database.url, self.proxy.url, mutant)
        self.world.actor("Bea")
        self.world.actor("Eve", Role.APPROVER)
        self.kills = self.points = 0

    def stop(self):
        self.nursery.stop()
        self.proxy.stop()
        self.world.close()

    def wanted(self, answer, minor=1000):
        """A charge whose refund will be answered so, and an offer on it."""
        charge = self.world.charge()
        self.proxy.scripts[charge] = [answer]
        return charge, self.world.prepare(charge).offer, minor

    def die(self, deed, *args, failpoints="", wire=""):
        """A deed that ends in a kill -9 (or not, where its point is not on the way of this answer)."""

        def born(pid):
            self.proxy.victim = pid

        code, told = self.nursery.do(deed, *args, failpoints=failpoints, born=born)
        assert code in (0, KILLED), f"{deed} ended with {code}"
        self.kills += code == KILLED
        return told if code == 0 else None

    def click(self, offer, minor, failpoints="", lines=()):
        """The agent clicks; when the page never answers, the agent clicks again."""
        person = self.world.people["Bea"]
        told = self.die("web", offer, minor, person, lines, failpoints=f"{failpoints}=kill" if failpoints else "")
        return told or self.die("web", offer, minor, person, lines)

    def recover(self, answer, intent_id, **more):
        """What the product does by itself once the fault is over.

        A key is forgotten a day after the vendor acted on it; who died before that has not met this answer yet.
        """
        if answer == "key_forgotten" and self.world.at_vendor(intent_id):
            self.forget_keys()
            self.world.older(intent_id, 24)
        self.world.settle_all(**more)

    def forget_keys(self):
        """24 hours later the vendor knows no key any more."""
        self.proxy.stripe.context.simulators["stripe"].keys.forget()

    def end(self, intent_id, answer, minor=1000):
        """This intent ended as it must, and once."""
        self.points += 1
        made = self.world.at_vendor(intent_id)
        state, must = self.world.state(intent_id), ENDS.get(answer, State.SUCCEEDED)
        assert state is must, f"{intent_id} is {state}, not {must}: {self.world.intent(intent_id).why}"
        expected = [] if must is State.REJECTED else [minor]
        amounts = [r["amount"] for r in made]
        assert amounts == expected, f"{intent_id} is {state}, {amounts} at the vendor"

    def figures(self):
        """The crash table, with every invariant held."""
        return {"points": self.points, "kills": self.kills, **self.world.check()}
