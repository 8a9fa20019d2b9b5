"""At scale a good neighbour: shared budgets kept by several processes, and accounts whose batches leave tags out."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from app.outbox import Plan, enqueue
from app.outbox.wanted import Wanted
from sandbox.base import Context
from sandbox.zendesk.local import Local
from tests.flows.test_event_to_tag import load, somebody

ROOT = Path(__file__).resolve().parents[2]
CALLER = """
import json, sys
from concurrent.futures import ThreadPoolExecutor
import redis
from integrations import registry
from integrations.kernel.errors import RateLimited
from integrations.kernel.records import TicketChange
from integrations.kernel.vendor import Account
from integrations.transport.gate import SharedGate
url, redis_url, first, plan, connection = sys.argv[1:]
config = {"subdomain": "acme", "client_id": "deskbridge", "scope": "read write", "calls_per_minute": plan}
account = Account(connection, "zendesk", url, config, {"client_secret": ("sandbox-client-secret-not-safe",)})
client = registry.client(account, SharedGate(redis.Redis.from_url(redis_url), workers=2))

def write(number):
    try:
        client.update_ticket(TicketChange(first, add_tags=(f"t{number}_{sys.argv[0]}{number}",)), "")
        return "done"
    except RateLimited as error:
        return "kept back" if "its budget is used up" in str(error) else "429"

def read(number):
    try:
        client.show_tickets([first])
        return "done"
    except RateLimited as error:
        return "kept back" if "its budget is used up" in str(error) else "429"

with ThreadPoolExecutor(8) as pool:
    print(json.dumps([*pool.map(read, range(60)), *pool.map(write, range(20))]))
"""


def test_two_processes_share_the_accounts_and_a_tickets_budget_and_people_find_room(redis_url):
    desk = Local(Context(limits=True))
    try:
        person = next(i for i, user in desk.state.users.items() if user["role"] == "end-user")
        ticket = str(desk.state.create_ticket(person, "Hello", "A question.")["id"])
        desk.state.switch(calls_per_minute=100)
        command = [sys.executable, "-c", CALLER, desk.url, redis_url, ticket, "100", "desk"]
        calling = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(2)]
        answers = [answer for one in calling for answer in json.loads(one.communicate(timeout=120)[0])]
        statuses = desk.context.simulators["zendesk"].ledger.statuses
    finally:
        desk.stop()
    assert answers.count("429") == 0, "Zendesk never had to say no"
    assert not [name for name in statuses if name.endswith(" 429")]
    assert 0 < answers.count("done") <= 80, "machines take 80 % of 100 in all, however many they are"
    assert answers.count("kept back") == len(answers) - answers.count("done")


def test_where_batches_leave_tags_out_equal_changes_go_out_in_bulk_and_all_arrive(product, vendors):
    load(product, "rules: []")
    vendors.act("zendesk", "switch", batch_ignores_tags=True)
    product.runtime.connections.remember("desk", batch_tags="ignored")
    person, _ = somebody(vendors, status="active", pause_collection=None)
    made = [vendors.act("zendesk", "create_ticket", person, f"Hi {n}", "A question.")["id"] for n in range(9)]
    product.settle()
    vendors.post("control/zendesk/reset")
    wanted = {ticket: f"db_kind_{n % 3}" for n, ticket in enumerate(made)}
    with product.runtime.database.begin() as cx:
        plans = [Plan(str(ticket), Wanted(tags={tag: True}), {"tags": []}, ("r",)) for ticket, tag in wanted.items()]
        enqueue(cx, "desk", plans, gather_s=0)
    product.settle()
    assert {ticket: vendors.ticket(ticket)["tags"] for ticket in made} == {t: [tag] for t, tag in wanted.items()}
    operations = vendors.get("ledger/zendesk")["operations"]
    assert operations["PUT /api/v2/tickets/update_many.json"] == 3, "one call for each different change"
