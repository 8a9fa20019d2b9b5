"""Every call of the Intercom client, and every other operation of the simulator, through the strict proxy of the document."""

from __future__ import annotations

import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
import requests

from integrations.intercom.client import connect
from integrations.kernel.ports import WriteState
from integrations.kernel.records import Note, TicketChange
from integrations.kernel.vendor import Account
from integrations.transport.http import OpenGate
from sandbox.intercom.local import Local
from sandbox.intercom.simulator import ACCESS_TOKEN
from sandbox.stripe.local import Local as Ports

SHARED = Path(__file__).resolve().parents[3] / "shared"
SPEC = SHARED / "data" / "contracts" / "specs" / "intercom_2.15.trimmed.json"


@pytest.fixture
def intercom():
    """The simulator, served."""
    local = Local()
    yield local
    local.stop()


@pytest.fixture
def proxied(intercom, tmp_path):
    """An address whose calls and answers are judged; ends with the count of violations."""
    if not SPEC.exists():
        pytest.skip("LOUD: ../shared is not beside this repository: the contract of Intercom IS NOT CHECKED")
    port, log = Ports.free_port(), tmp_path / "violations.jsonl"
    command = [
        sys.executable, str(SHARED / "tools" / "contract_proxy.py"), "serve", "--spec", str(SPEC), "--upstream",
        intercom.url, "--listen", f"127.0.0.1:{port}", "--log", str(log), "--strict",
    ]  # fmt: skip
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    url, judge = f"http://127.0.0.1:{port}", requests.Session()
    judge.trust_env = False
    until = time.monotonic() + 30
    while True:
        try:
            judge.get(f"{url}/__contract__/report", timeout=1)
            break
        except requests.RequestException:
            assert time.monotonic() < until
            time.sleep(0.05)
    yield url
    found = judge.get(f"{url}/__contract__/report", timeout=10).json()
    judge.close()
    process.kill()
    process.wait()
    lines = [line for line in log.read_text().splitlines() if '"violation"' in line] if log.exists() else []
    assert found["with_violations"] == 0, "\n".join(lines[:8])[:4000]
    assert found["exchanges"] > 0


@pytest.fixture
def client(proxied):
    return connect(Account("con_1", "intercom", proxied, {}, {"access_token": (ACCESS_TOKEN,)}), OpenGate())


def test_every_call_of_the_client_is_in_the_document(client, intercom):
    state = intercom.state
    person = next(c for c in state.contacts.values() if c["companies"]["data"])["id"]
    ids = [state.create_conversation(person, f"Question {n}", "Bill" if n else "")["id"] for n in range(3)]
    ids.append(state.start_conversation("501", person, "Your card")["id"])
    happen(state, ids[0])
    read = client.show_tickets([*ids, "1"])
    assert (len(read.tickets), read.gone, len(read.people)) == (4, ("1",), 1)
    everything = TicketChange(
        ids[0], ("db_a", "db_b"), (), {
            "subject": "Refund", "custom_fields": {"plan": "gold", "seats": 3}, "assignee_id": "502", "group_id": "800",
            "status": "hold",
        }, Note("n1", "A note"),
    )  # fmt: skip
    assert client.update_ticket(everything, "k").state is WriteState.DONE
    for status in ("solved", "open"):
        assert client.update_ticket(TicketChange(ids[0], fields={"status": status}), "k").state is WriteState.DONE
    more = [TicketChange(i, ("db_a",), ("db_b",), {"assignee_id": None}) for i in ids]
    assert {r.state for r in client.update_tickets(more, "k").results} == {WriteState.DONE}
    assert client.update_ticket(TicketChange("1", ("db_a",)), "k").state is WriteState.GONE
    assert client.has_note(ids[0], "n1")
    assert client.agents().agents
    assert client.own_user_id() == "999"
    assert client.check() == []


def happen(state, conversation):
    """Every act once."""
    state.reply(conversation, "And?")
    state.admin_reply(conversation, "501", "Soon")
    state.note(conversation, "501", "Ask finance")
    state.assign(conversation, "501", "502")
    state.tag(conversation, "501", "vip")
    state.priority(conversation, "501")
    state.snooze(conversation, "501")
    state.open(conversation, "501")
    state.rate(conversation, 4, "fine")


def test_catching_up_is_in_the_document(client, intercom):
    state, person = intercom.state, next(iter(intercom.state.contacts))
    since = datetime.fromtimestamp(int(time.time()) - 60, UTC)
    for n in range(160):
        state.create_conversation(person, f"Question {n}")
    until = time.monotonic() + 10
    found, cursor, pages = set(), "", 0
    while len(found) < 160:
        assert time.monotonic() < until
        page = client.changed(cursor, since)
        found |= {ticket.id for ticket in page.tickets}
        cursor, pages = page.cursor, pages + 1
    assert pages > 1


def test_what_the_client_does_not_call_is_in_the_document_too(proxied, intercom):
    session = requests.Session()
    session.trust_env = False
    session.headers.update({"Authorization": f"Bearer {ACCESS_TOKEN}", "Intercom-Version": "2.15"})
    company = next(iter(intercom.state.companies))
    for path in ("/teams", f"/companies/{company}", "/data_attributes", "/tags"):
        assert session.get(f"{proxied}{path}", timeout=10).status_code == 200, path
    query = {"query": {"field": "role", "operator": "=", "value": "user"}, "pagination": {"per_page": 5}}
    assert session.post(f"{proxied}/contacts/search", json=query, timeout=10).status_code == 200
    assert session.get(f"{proxied}/companies/nobody", timeout=10).status_code == 404
    session.headers["Authorization"] = "Bearer nonsense"
    assert session.get(f"{proxied}/tags", timeout=10).status_code == 401
    session.close()
