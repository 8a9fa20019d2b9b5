"""`make demo`: the whole product against simulated vendors, as one would install it, from an empty folder.

It knows the product only as an operator does: its commands, its addresses, its ledger. With --once it streams one day,
refunds four charges, brings leads to sales and back, shows what happened, and ends with one JSON line; its exit is 0 only
when nothing was lost, nothing applied twice, no lead is at the CRM twice and both sides' refunds are the same.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import time
from typing import Any

from sandbox import refunding, selling
from sandbox.desk import demo as sidebar
from sandbox.intercom.shapes import WORKSPACE
from sandbox.recovering import LOSES, missing
from sandbox.running import INTERCOM, PORTS, SALESFORCE, SANDBOX, STRIPE, WEB, ZENDESK, Demo, running, say
from sandbox.showing import show_some, summary

__all__ = [
    "EVENTS", "INTERCOM", "SALESFORCE", "SANDBOX", "STRIPE", "ZENDESK", "Demo", "arguments", "is_quiet", "rest",
    "run_day", "running", "say", "set_up", "summary",
]  # fmt: skip

EVENTS = (
    "ticket.created ticket.comment_added ticket.status_changed ticket.priority_changed ticket.type_changed "
    "ticket.subject_changed ticket.tags_changed ticket.custom_field_changed ticket.requester_changed "
    "ticket.organization_changed ticket.agent_assignment_changed ticket.group_assignment_changed ticket.merged "
    "ticket.soft_deleted ticket.permanently_deleted user.merged user.deleted user.identity_created user.identity_changed "
    "user.identity_deleted"
).split()
# What an admin would put into a trigger: the README's template, and no run for changes that came over the API (ours).
TRIGGER = {
    "title": "Tell Deskbridge of new and solved tickets",
    "conditions": {
        "all": [{"field": "current_via_id", "operator": "is_not", "value": "5"}],
        "any": [
            {"field": "update_type", "value": "Create"},
            {"field": "status", "operator": "value", "value": "solved"},
        ],
    },
}
TEMPLATE = json.dumps({
    "schema": 1, "event": "ticket.billing_hint", "ticket_id": "{{ticket.id}}", "status": "{{ticket.status}}",
    "priority": "{{ticket.priority}}", "requester_email": "{{ticket.requester.email}}", "tags": "{{ticket.tags}}",
    "via": "{{ticket.via}}", "actor_email": "{{current_user.email}}",
})  # fmt: skip
QUIET_S = 180.0
VENDORS = ("zendesk", "stripe", "intercom")  # those that send; Salesforce is asked


def set_up(demo: Demo) -> None:
    """Sandbox, servers, tables, connections, rules, the mirror, web and workers."""
    say("1/6  Starting the simulated Zendesk, Stripe, Intercom and Salesforce ...")
    demo.start("sandbox", "sandbox", "--ports-from", str(PORTS), "--deskbridge-url", f"http://127.0.0.1:{WEB}")
    demo.wait_for("The sandbox", f"{SANDBOX}/")
    say("2/6  Starting PostgreSQL and Redis, making the tables ...")
    demo.flask("db", "upgrade")
    say(
        "3/6  Connecting them: webhooks of Zendesk (events, a trigger's), of Stripe and Intercom; Salesforce is asked ..."
    )
    _connect(demo)
    sidebar.connect(demo, SANDBOX)
    refunding.allow(demo)
    selling.connect(demo, demo.options.salesforce_url)
    say("4/6  Importing the starter rules ...")
    say("     " + demo.flask("triggers", "import", "examples/rules.yaml").strip())
    say("5/6  Copying what Stripe knows (flask billing backfill) ...")
    say("     " + demo.flask("billing", "backfill", "stripe_demo", show=True).strip())
    demo.flask("leads", "scan")
    say("6/6  Starting two web processes and two workers ...")
    demo.start("web", "flask", "--app", "wsgi", "web")
    demo.start("worker", "flask", "--app", "wsgi", "worker")
    demo.wait_for("Deskbridge", f"http://127.0.0.1:{WEB}/readyz")


def _connect(demo: Demo) -> None:
    """Webhooks first, as an admin would: their secrets go into the connections."""
    base_zendesk, base_stripe = demo.options.zendesk_url or ZENDESK, demo.options.stripe_url or STRIPE
    events, hints = _zendesk_webhooks(demo, base_zendesk)
    endpoint = demo.http.post(
        f"{STRIPE}/v1/webhook_endpoints", headers={"Authorization": "Bearer rk_test_sandbox_not_safe"},
        data={"url": f"http://127.0.0.1:{WEB}/webhooks/stripe/stripe_demo", "enabled_events[0]": "*"},
    ).json()  # fmt: skip
    demo.flask(
        "connections", "add", "zendesk", "--id", "zendesk_demo", "--name", "Simulated Zendesk",
        "--base-url", base_zendesk, "--set", "subdomain=acme", "--set", "client_id=deskbridge",
        "--set", "calls_per_minute=700", "--secret", "client_secret=sandbox-client-secret-not-safe",
        "--secret", f"webhook_secret={events}",
    )  # fmt: skip
    demo.flask("connections", "rotate", "zendesk_demo", f"webhook_secret={hints}")  # both stay live
    demo.flask(
        "connections", "add", "stripe", "--id", "stripe_demo", "--name", "Simulated Stripe", "--base-url", base_stripe,
        "--secret", "api_key=rk_test_sandbox_not_safe", "--secret", f"webhook_secret={endpoint['secret']}",
    )  # fmt: skip
    _connect_intercom(demo)
    for vendor in VENDORS:
        demo.post(f"{SANDBOX}/control/{vendor}/reset", {})  # calls are counted from here: these were the admin's


def _connect_intercom(demo: Demo) -> None:
    """The address goes into the Developer Hub by hand; the app's client secret signs what comes."""
    act = {"do": "subscribe", "args": [f"http://127.0.0.1:{WEB}/webhooks/intercom/intercom_demo"]}
    secret = demo.post(f"{SANDBOX}/control/intercom/act", act)["answer"]
    demo.post(f"{SANDBOX}/control/intercom/act", {"do": "search_lag", "args": [2.0]})  # of a day of half a minute
    demo.flask(
        "connections", "add", "intercom", "--id", "intercom_demo", "--name", "Simulated Intercom",
        "--base-url", demo.options.intercom_url or INTERCOM, "--set", "region=us",
        "--secret", "access_token=sandbox-intercom-token-not-safe", "--secret", f"webhook_secret={secret}",
    )  # fmt: skip
    demo.flask("intercom", "connect", "intercom_demo", "--workspace", WORKSPACE)


def _zendesk_webhooks(demo: Demo, base: str) -> tuple[str, str]:
    """Both kinds, to the same address; answers their signing secrets."""
    token = demo.post(f"{base}/oauth/tokens", {
        "grant_type": "client_credentials", "client_id": "deskbridge",
        "client_secret": "sandbox-client-secret-not-safe", "scope": "read write", "expires_in": 7200,
    })["access_token"]  # fmt: skip
    bearer = {"Authorization": f"Bearer {token}"}

    def ask(method: str, path: str, body: Any = None) -> Any:  # noqa: ANN401 - JSON
        answer = demo.http.request(method, f"{base}/api/v2{path}", headers=bearer, json=body, timeout=30)
        if not answer.ok:
            raise SystemExit(f"The simulated Zendesk answered {answer.status_code} to {path}: {answer.text[:500]}")
        return answer.json()

    found, last = [], ""
    for name, kinds in (
        ("events", [f"zen:event-type:{kind}" for kind in EVENTS]),
        ("trigger", ["conditional_ticket_events"]),
    ):
        hook = ask("POST", "/webhooks", {"webhook": {
            "name": f"Deskbridge, {name}", "status": "active", "http_method": "POST", "request_format": "json",
            "endpoint": f"http://127.0.0.1:{WEB}/webhooks/zendesk/zendesk_demo", "subscriptions": kinds,
        }})["webhook"]  # fmt: skip
        last = hook["id"]
        found.append(ask("GET", f"/webhooks/{last}/signing_secret")["signing_secret"]["secret"])
    action = {"field": "notification_webhook", "value": [last, TEMPLATE]}
    ask("POST", "/triggers", {"trigger": {**TRIGGER, "actions": [action]}})
    return found[0], found[1]


def run_day(demo: Demo) -> None:
    """Stream the day in, then wait until everything has come to rest."""
    seconds, tickets = demo.options.seconds, demo.options.tickets
    for vendor in VENDORS:
        demo.post(f"{SANDBOX}/control/{vendor}/mishaps", {"lose": demo.options.lose})
    day = {"seed": 1, "tickets": tickets, "acts": tickets * 5, "seconds": seconds, "conversations": tickets // 4}
    demo.post(f"{SANDBOX}/control/day", day)
    while (progress := demo.json(f"{SANDBOX}/control/day"))["running"]:
        stored = sum(_ledger(demo)["deliveries"].values())
        say(f"  {progress['done']:>5} of {progress['total']} things happened, {stored:>5} deliveries stored")
        time.sleep(3)
    if progress["error"]:
        raise SystemExit(f"The day broke off: {progress['error']}")
    for vendor in VENDORS:
        demo.post(f"{SANDBOX}/control/{vendor}/mishaps", {})
    say("The day is over; waiting until everything is worked off, written back, and what was lost is fetched ...")
    rest(demo)


def rest(demo: Demo) -> None:
    """Wait until everything has come to rest: quiet for three looks in a row."""
    until = time.monotonic() + QUIET_S
    calm, looks = 0, 0
    while calm < 3:
        calm, looks = calm + 1 if is_quiet(demo) else 0, looks + 1
        if time.monotonic() > until:
            raise SystemExit(
                f"It did not come to rest in {QUIET_S:.0f} s. Not known of: {missing(demo)[1]}. "
                f"{demo.flask('inbox', 'ledger')}{demo.logs()}"
            )
        if not calm and looks % 3 == 0:
            say(f"  {_open(_ledger(demo))} deliveries and changes are still open")
        time.sleep(1.0)


def _ledger(demo: Demo) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = json.loads(demo.flask("inbox", "ledger", "--json"))
    return found


def _open(counts: dict[str, dict[str, int]]) -> int:
    """Stored and not worked off, or decided and not written."""
    waiting = sum(n for name, n in counts["deliveries"].items() if name.endswith(" received"))
    unwritten = ("pending", "sending", "accepted")
    return waiting + sum(n for name, n in counts["changes"].items() if name.split()[-1] in unwritten)


def is_quiet(demo: Demo) -> bool:
    """Nothing on the way at the vendors, nothing waiting in ours."""
    if any(demo.json(f"{SANDBOX}/ledger/{vendor}")["pending"] for vendor in VENDORS):
        return False
    return not _open(_ledger(demo)) and not missing(demo)[1]


def arguments(words: list[str] | None = None) -> argparse.Namespace:
    """The options of a run."""
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument("--once", action="store_true", help="one day, a summary, the end")
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--tickets", type=int, default=320)
    parser.add_argument("--lose", type=float, default=LOSES, help="the part of all deliveries that vendors lose")
    parser.add_argument("--zendesk-url", default="", help="another address for our calls, such as a proxy's")
    parser.add_argument("--stripe-url", default="")
    parser.add_argument("--intercom-url", default="")
    parser.add_argument("--salesforce-url", default="")
    return parser.parse_args(words)


def main() -> int:
    """Run it; 0 when nothing was lost, nothing is there twice, and both sides' refunds are the same."""
    options = arguments()
    began = time.monotonic()
    say("Deskbridge against a simulated Zendesk, Intercom, Stripe and Salesforce. Nothing leaves this machine.\n")
    with running(options) as demo:
        set_up(demo)
        say("\nEverything runs. Where to look:")
        say(f"  The simulated desk      {SANDBOX}/   (tickets, tags, notes, and why)")
        say(f"  The simulated inbox     {SANDBOX}/inbox/   (the same panel in Intercom)")
        say(f"  What sales sees         {SALESFORCE}/reps/   (accept, reject, convert, win)")
        say(
            f"  Leads at our side       http://127.0.0.1:{WEB}/admin/   (sign in by `flask admin link PERSON`, as below)"
        )
        say(f"  Deskbridge              http://127.0.0.1:{WEB}/readyz and /metrics")
        say("  From a terminal         the same explanation, with the same servers:")
        say(f"                          DATA_FOLDER={demo.folder}/servers \\")
        say("                          .venv/bin/flask triggers explain ID --connection zendesk_demo")
        story = selling.begin(demo)
        say(f"\nA support day streams in: {options.tickets} tickets in {options.seconds:.0f} s ...")
        run_day(demo)
        show_some(demo)
        refunds = refunding.perform(demo, rest) if options.once else {}
        selling.show(demo, story)
        leads = selling.figures(demo)
        figures = summary(demo, time.monotonic() - began) | {"leads": leads} | ({"refunds": refunds} if refunds else {})
        calls, changed = figures["zendesk_reads"] + figures["zendesk_writes"], figures["tickets_changed"]
        say(
            f"\nZendesk was called {calls} times for {changed} changed tickets: {calls / max(1, changed):.2f} calls each."
        )
        say(
            f"The vendors never delivered {figures['lost_by_vendors']} of their messages; "
            f"{figures['recovered']} of these were fetched. "
            f"Lost: {figures['lost']}. Applied twice: {figures['duplicates_applied']}."
        )
        say("\n" + json.dumps(figures))
        if not options.once:
            say(f"A refund to try, with the same servers: {refunding.ready(demo)}")
            say("Everything stays up; stop it with Ctrl-C.")
            try:
                signal.pause()
            except KeyboardInterrupt:
                say("Stopping ...")
        wrong = bool(refunds) and not refunding.agree(refunds)
        return int(bool(figures["lost"] or figures["duplicates_applied"] or leads["duplicates"] or wrong))


if __name__ == "__main__":
    sys.exit(main())
