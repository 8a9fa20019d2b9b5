"""Four workers at once, of which those that reach a boundary die there, a Salesforce that fails; then the product by
itself, and both sides compared."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from app.leads.states import OPEN
from app.leads.store import key_of
from tests.crm_world import Org
from tests.lead_scene import Scene

ROOT = Path(__file__).resolve().parents[2]
KILLED, WORKERS = -9, 4
SENDING = (
    "lead.gather.before_commit", "lead.claim.before_commit", "lead.claim.after_commit", "lead.send.before_call",
    "lead.send.after_call", "lead.settle.before_commit", "lead.settle.after_commit",
)  # fmt: skip
LOOKING = ("lead.find.after_call",)
BULK = ("lead.bulk.before_call", "lead.bulk.after_call", "lead.bulk.read")
BACK = ("lead.verdict.before_commit",)
BOUNDARIES = (*SENDING, *LOOKING, *BULK, *BACK)
ANSWERS = ("ok", "after", "lost", "before", "limit")


class Harness:
    """One database, one org, one nursery; many points, each with companies of its own."""

    def __init__(self, database):
        self.org = Org()
        self.org.state.duplicates_alert = False  # its rule would put two kinds of one company's leads into one record
        self.scene = Scene(database, org=self.org)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.lead_child", database.url, self.org.url],
            cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        self.points = self.kills = self.expected = 0

    def stop(self):
        self.process.stdin.close()
        self.process.wait(timeout=10)
        self.process.stdout.close()
        self.org.stop()

    def workers(self, failpoints="", deed="worker", number=WORKERS, bulk_over=2000):
        """Some at once; whoever gets to the point dies there, but for the last."""
        armed = [
            {"deed": deed, "failpoints": failpoints if n < max(1, number - 1) else "", "bulk_over": bulk_over}
            for n in range(number)
        ]
        self.process.stdin.write(json.dumps(armed) + "\n")
        self.process.stdin.flush()
        codes = json.loads(self.process.stdout.readline())
        assert set(codes) <= {0, KILLED}, f"workers ended with {codes}"
        self.kills += codes.count(KILLED)

    def strike(self, boundary, answer):
        """One point."""
        n, scene, over = self.points, self.scene, 1 if boundary in BULK else 2000
        self.points += 1
        scene.account(f"001n{n}", f"Known {n}", external_id=f"known{n}")
        scene.payer(f"known{n}", None, name=f"Known {n}")
        scene.payer(f"second{n}", f"known{n}.example", name=f"Known {n} Europe")
        scene.payer(f"new{n}", None, name=f"Newcomer {n}")
        self.seen(n, 60)
        scene.signal("cancellation", "risk", payer=f"known{n}")
        scene.asked(str(n), payer=f"new{n}")
        self.expected += 5
        op = "bulk" if boundary in BULK else "push"
        scene.gather() if boundary in BULK else None
        if answer != "ok":
            scene.crm.fail(op, answer)
        if boundary in LOOKING:
            scene.crm.fail(op, "after")
            self.workers()
        self._dies(boundary, over)
        self.seen(n, 30)  # scanned again while it is in doubt
        scene.account(f"001n{n}", f"Known {n}", external_id=f"known{n}", territory="told again")
        self._dies("", over)
        self.recover()
        self.check(n)

    def seen(self, n, step):
        """What a scan writes: three renewals, told again at each step."""
        for payer in (f"known{n}", f"second{n}", f"new{n}"):
            self.scene.signal(payer=payer, step=step)

    def _dies(self, boundary, over):
        self.scene.soon()
        number = 1 if boundary in BACK else WORKERS
        self.workers(f"{boundary}=kill" if boundary else "", "poll" if boundary in BACK else "worker", number, over)

    def recover(self):
        """What the product does by itself, without the waiting."""
        self.scene.crm.heal()
        for _ in range(12):
            self.scene.lapse()
            self.scene.soon()
            self.workers()
            if not self.scene.sql("SELECT 1 FROM lead WHERE state <> 'pushed' OR due_at IS NOT NULL LIMIT 1"):
                return

    def check(self, n):
        """One record a company, kind and period, on both sides, and it says what it should."""
        leads, records = self.scene.leads(), self.scene.crm.records()
        assert {one.state for one in leads} == {"pushed"}, [
            (one.id, one.state, one.why) for one in leads if one.state != "pushed"
        ]
        assert len({(one.company, one.kind, one.period) for one in leads}) == len(leads) == self.expected
        assert len({(one.company, one.kind) for one in leads if one.state in OPEN}) == len(leads)
        assert sorted(key_of(one.id) for one in leads) == sorted(r.key for r in records)
        assert {one.object_id for one in leads} == {r.object_id for r in records}
        told = {r.object_id: r.row["Description"] for r in records}
        for one in leads:
            if one.kind == "renewal" and f"{n}" in one.company:
                assert f"{one.score} points" in told[one.object_id], one.id

    def figures(self):
        records = self.scene.crm.records()
        return {
            "points": self.points, "kills": self.kills, "leads": len(self.scene.leads()), "records": len(records),
            "duplicates": len(records) - len({(r.shape, r.key) for r in records}) + len(records) - self.expected,
            "calls": self.scene.crm.calls(), "looked_first": self.scene.crm.calls("find"),
        }  # fmt: skip
