"""How many leads came how far: each counts once, however often it was held."""

from __future__ import annotations

import json

import pytest

from app.cli import register
from app.config import load
from app.factory import create_app
from app.leads import counting
from tests.lead_scene import Scene


@pytest.fixture
def run(scene, redis_url):
    app = create_app(load({"DATABASE_URL": scene.database.url, "REDIS_URL": redis_url}))
    if not app.cli.commands.get("leads"):
        register(app)
    yield lambda *words: app.test_cli_runner().invoke(args=["leads", *words]).output
    app.extensions["deskbridge"].redis.close()
    app.extensions["deskbridge"].database.close()


@pytest.fixture
def scene(database, org):
    made = Scene(database, org=org)
    for n in range(3):
        made.account(f"001{n}", f"Company {n}", external_id=f"cus_{n}")
        made.payer(f"cus_{n}")
    return made


def came(scene):
    with scene.database.begin() as cx:
        return counting.count(cx)["leads"]


def test_held_before_and_after_it_was_sent_released_and_answered(scene):
    assert came(scene) == {"pushed": 0, "held": 0, "released": 0, "verdicts": 0}
    scene.hold("cus_0")
    for n in range(3):
        scene.signal(payer=f"cus_{n}")
    scene.run()
    assert came(scene) == {"pushed": 2, "held": 1, "released": 0, "verdicts": 0}
    scene.release()
    scene.run()
    assert came(scene) == {"pushed": 3, "held": 1, "released": 1, "verdicts": 0}
    scene.hold("cus_0", "dp_2")
    scene.hold("cus_1", "dp_3")
    scene.run()
    assert came(scene) == {"pushed": 3, "held": 2, "released": 1, "verdicts": 0}
    scene.release("dp_2")
    scene.release("dp_3")
    scene.run()
    scene.crm.state.win(scene.one(account_id="0011").object_id, 10.0)
    scene.poll()
    assert came(scene) == {"pushed": 3, "held": 2, "released": 2, "verdicts": 1}


def test_the_ledger_and_the_report_card_at_a_terminal(scene, run):
    scene.asked("7", payer="cus_0", rule="asks_quote")
    scene.run()
    scene.crm.state.reject("Task", scene.one().object_id, "No budget")
    scene.poll()
    told = json.loads(run("ledger", "--json"))
    assert told["signals"] == {"quote_words": 1}
    assert (told["states"], told["leads"]["verdicts"]) == ({"closed": 1}, 1)
    assert "states: closed 1" in run("ledger")
    card = run("report")
    rest = ["1", "0", "1", "0", "too", "few", "to", "say"]
    assert [line.split() for line in card.splitlines()[1:]] == [
        ["asks_quote", *rest], ["1", "x", "No", "budget"], ["quote_words", *rest], ["1", "x", "No", "budget"]]  # fmt: skip
