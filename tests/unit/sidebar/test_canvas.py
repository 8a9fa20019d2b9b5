"""The inbox app on a real database, asked as Intercom asks; the look-up of an admin goes to the simulated Intercom."""

from __future__ import annotations

import html
import json
import re
from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from app.access import Role
from app.cli import register
from app.customers import store as customers
from app.identity.models import identity_link
from app.inbox.models import delivery_key
from app.refunds.models import refund_intent
from integrations.kernel.clock import utc_now
from sandbox.desk import intercom_inbox
from sandbox.intercom.hooks import CLIENT_SECRET
from sandbox.stripe.local import serve
from tests import canvas_world as inbox
from tests import sidebar_world as world
from tests.canvas_world import CONVERSATION, STRANGER, Inbox

ROUTES = {
    ("POST", "/intercom/canvas/<connection>/initialize"),
    ("POST", "/intercom/canvas/<connection>/submit"),
}
CLICKS = (
    "home",
    "refresh",
    "choose",
    "others",
    "prove",
    "state",
    "review",
    "confirm",
    "page/10",
    "charge/ch_cus_1_0",
    "void/rfd_x",
    "voided/rfd_x",
)


@pytest.fixture
def app(inbox_app):
    return inbox_app


def intents(database):
    with database.begin() as cx:
        return cx.execute(sa.select(refund_intent).order_by(refund_intent.c.created_at)).all()


def test_the_published_vector_is_verified_over_raw_bytes(client, app, database):
    """Vendor sheet I2; its workspace is not ours, which is judged after the signature."""
    body = b'{"workspace_id":"abc12345","admin":{"id":"991"},"conversation":{"id":"1122334455"}}'
    good = "74eadcda997bf37bbfac70d676127e603289f2402bb1762cc1af4c573ec94b03"
    connections = app.extensions["deskbridge"].connections
    connections.rotate(world.registry.by_slug("intercom"), inbox.INBOX, "webhook_secret", "intercom_client_secret")
    answer = client.post(
        "/intercom/canvas/inbox/initialize", data=body, headers={"X-Body-Signature": good}
    )  # fmt: skip
    assert (answer.status_code, answer.json["code"]) == (401, "canvas.workspace")
    connections.remember(inbox.INBOX, workspace_id="abc12345")
    answer = client.post("/intercom/canvas/inbox/initialize", data=body, headers={"X-Body-Signature": good})
    assert (answer.status_code, "does not list you" in inbox.said(answer.json)) == (200, True)
    again = client.post("/intercom/canvas/inbox/initialize", data=body + b" ", headers={"X-Body-Signature": good})
    assert (again.status_code, again.json["code"]) == (401, "auth.signature")


def test_one_payer_is_shown_with_everything(admin):
    text = admin.open()
    for shown in (
        "Dana Okafor · Northwind Labs", "Verified e-mail", "test mode", "Dispute open: €620.00", "Product not received",
        "€1,239.84", "40 / 42", "€25.00 credit", "Past due", "NW-0120", "Visa •••• 4242", "Payments (25)",
    ):  # fmt: skip
        assert shown in text, shown
    assert text.index("Dispute open") < text.index("MRR")


def test_payments_are_listed_ten_at_a_time(admin):
    admin.open()
    seen = [i for i in admin.ids() if i.startswith("charge/")]
    assert len(seen) == 10
    while more := [i for i in admin.ids() if i.startswith("page/") and i != "page/0"]:
        admin.click(more[0])
        seen += [i for i in admin.ids() if i.startswith("charge/")]
    assert len(seen) == len(set(seen)) == 25
    assert "page/0" in admin.ids()
    admin.click("page/40")  # of a list that has grown shorter since
    assert len([i for i in admin.ids() if i.startswith("charge/")]) == 10


def test_an_unknown_conversation_is_asked_for_once_a_minute(admin, database):
    admin.conversation = "215470099"
    assert "has not reached us" in admin.open()
    admin.click("refresh")
    with database.begin() as cx:
        keys = cx.execute(sa.select(delivery_key).where(delivery_key.c.connection_id == inbox.INBOX)).all()
    assert 1 <= len(keys) <= 2


def test_several_payers_are_chosen_from_and_the_choice_is_remembered(admin, database):
    with database.begin() as cx:
        for n in range(2, 14):
            world.bill(cx, world.payer(f"cus_{n}", name=f"Payer {n}"), world.charge(0, f"cus_{n}"))
    assert "13 payers fit" in admin.open()
    options = [o["id"] for c in admin.current["content"]["components"] if c["type"] == "dropdown" for o in c["options"]]
    admin.click("page/10")
    options += [
        o["id"] for c in admin.current["content"]["components"] if c["type"] == "dropdown" for o in c["options"]
    ]
    assert set(options) == {f"bank/cus_{n}" for n in range(1, 14)}
    assert "Payer 7" in admin.click("choose", payer="bank/cus_7")
    assert "charge/ch_cus_7_0" in admin.ids()
    assert "13 payers fit" not in admin.click("home")
    with database.begin() as cx:
        made = cx.execute(sa.select(identity_link.c.made_by, identity_link.c.payer_id)).all()
    assert [tuple(row) for row in made] == [(f"inbox/{admin.admin}", "cus_7")]
    assert "Verified e-mail" in admin.open(), "a choice lifts no match"


def test_an_unverified_match_is_proven_by_an_invoice_number(admin, database):
    with database.begin() as cx:
        world.person(cx, "10008", desk=inbox.INBOX, verified=False)
        world.ticket(cx, "215470003", desk=inbox.INBOX, requester_id="10008")
    admin.conversation = "215470003"
    assert "Not verified" in admin.open()
    assert "No payment fits" in admin.click("prove", invoice="NW-9999")
    assert "Two facts given" in admin.click("prove", invoice="NW-0120")


def test_a_refund_is_asked_for_by_the_second_click_only(admin, database):
    text = admin.review(note="Sorry")
    assert "Refund €12.00?" in text
    assert "Sorry" in text
    assert intents(database) == []
    text = admin.click("confirm")
    assert "€12.00 · Requested" in text
    (made,) = intents(database)
    assert (made.amount, made.currency, made.charge_id, made.ticket_id, made.helpdesk_id, made.agent_id) == (
        1200, "EUR", "ch_cus_1_0", CONVERSATION, "inbox", admin.admin,
    )  # fmt: skip
    with database.begin() as cx:
        cx.execute(sa.update(refund_intent).values(state="succeeded"))
    assert "€12.00 · Refunded" in admin.click("state")
    assert "€12.00 · Refunded" in admin.open()


def test_a_confirmation_is_used_once(admin, database):
    admin.review()
    shown = admin.current
    admin.click("confirm")
    admin.current = shown
    text = admin.click("confirm")
    assert "was used before" in text
    assert "Requested" in text
    assert len(intents(database)) == 1


def test_above_the_limit_the_button_says_so_and_it_waits_for_somebody_else(admin, database):
    text = admin.review(amount="600.00")
    assert "Send €600.00 for approval" in text
    assert "Waits for approval" in admin.click("confirm")
    assert intents(database)[0].state == "awaiting_approval"


def test_what_waits_is_taken_back_after_a_second_click(admin, database):
    admin.review(amount="1240.00")
    admin.click("confirm")
    (one,) = intents(database)
    assert "Take back €1,240.00?" in admin.click(f"void/{one.id}")
    assert intents(database)[0].state == "awaiting_approval"
    text = admin.click(f"voided/{one.id}")
    assert "€1,240.00 · Void" in text
    assert "Taken back." in text
    assert intents(database)[0].state == "voided"
    assert f"void/{one.id}" not in admin.ids()
    assert "It was taken back" in admin.click(f"voided/{one.id}")


def test_what_somebody_else_asked_for_is_not_taken_back(admin, client, admins, database):
    admin.review(amount="1240.00")
    admin.click("confirm")
    (one,) = intents(database)
    other, elsewhere = Inbox(client, admins[1]), Inbox(client, admins[0], STRANGER)
    inbox.person(database, admins[1])
    assert "Waits for approval" in other.open()
    assert f"void/{one.id}" not in other.ids()
    assert "Only who asked for it" in other.click(f"voided/{one.id}")
    elsewhere.open()
    for click in ("void", "voided"):
        assert "not asked for in this conversation" in elsewhere.click(f"{click}/{one.id}")
    assert intents(database)[0].state == "awaiting_approval"


def test_fraudulent_asks_twice_and_says_what_it_does(admin, database):
    admin.review(reason="fraudulent")
    text = admin.click("confirm")
    assert "block list" in text
    assert intents(database) == []
    admin.click("confirm")
    assert [one.reason for one in intents(database)] == ["fraudulent"]


def test_a_second_refund_of_the_charge_asks_again(admin, database):
    admin.review()
    admin.click("confirm")
    admin.review(amount="13.00")
    assert "Again?" in admin.click("confirm")
    assert len(intents(database)) == 1
    admin.click("confirm")
    assert [one.amount for one in intents(database)] == [1200, 1300]


def test_a_disputed_charge_has_no_form(admin):
    admin.open()
    admin.click("page/10")
    text = admin.click("charge/ch_cus_1_24")
    assert "is disputed" in text
    assert "review" not in admin.ids()


@pytest.mark.parametrize("amount", ["", "1,234.00", "99999.00", "0", "-5", "12.001", "twelve"])
def test_an_amount_that_cannot_be_is_said_beside_the_form(admin, database, amount):
    admin.review(amount=amount)
    assert "confirm" not in admin.ids()
    assert "review" in admin.ids()
    assert any(c.get("save_state") == "failed" for c in admin.current["content"]["components"])
    assert intents(database) == []


def test_every_other_signature_is_refused(admin, client):
    body = json.dumps(admin.document()).encode()
    good = inbox.signature(body)
    assert admin.send("initialize", admin.document()).status_code == 200
    old = {"X-Body-Signature": inbox.signature(body, inbox.OLD_SECRET)}
    assert client.post("/intercom/canvas/inbox/initialize", data=body, headers=old).status_code == 200
    flipped = good[:-1] + ("0" if good[-1] != "0" else "1")
    for bad in (
        "",
        good.upper(),
        f"sha256={good}",
        good[:-1],
        f"{good}00",
        flipped,
        inbox.signature(body, ""),
        "é" * 64,
    ):
        for path in ("initialize", "submit"):
            answer = client.post(f"/intercom/canvas/inbox/{path}", data=body, headers={"X-Body-Signature": bad})
            assert (answer.status_code, "Northwind" in answer.text) == (401, False)
    assert client.post("/intercom/canvas/inbox/submit", data=body).status_code == 401


@pytest.mark.parametrize("path", ["initialize", "submit"])
def test_another_connection_and_another_workspace_are_refused(client, admins, path):
    for one in (
        Inbox(client, admins[0], desk=inbox.OTHER_INBOX), Inbox(client, admins[0], secret=inbox.OTHER_SECRET),
        Inbox(client, admins[0], workspace="abc12345"), Inbox(client, admins[0], workspace=None),
    ):  # fmt: skip
        answer = one.send(path, one.document(component_id="home"))
        assert (answer.status_code, "Northwind" in answer.text) == (401, False)
    for desk in ("desk", "bank", "nothing"):
        one = Inbox(client, admins[0], desk=desk)
        assert one.send(path, one.document()).status_code == 404


@pytest.mark.parametrize(
    "change",
    [{"admin": {}}, {"admin": {"id": "0x1"}}, {"conversation": {"id": "1' or 1"}, "context": {}},
     {"conversation": {}, "context": {}}, {"conversation": {"id": STRANGER}}, {"component_id": "a b"}, {"admin": []}],
)  # fmt: skip
def test_a_request_that_names_no_admin_or_two_conversations_is_refused(admin, change):
    answer = admin.send("submit", admin.document(**change))
    assert (answer.status_code, answer.json["code"]) == (400, "input.malformed")


@pytest.mark.parametrize("who", ["nobody", "no_seat", "not_read"])
@pytest.mark.parametrize("component", CLICKS)
def test_who_is_no_staff_sees_a_sentence_and_nothing_else(client, admins, database, who, component):
    with database.begin() as cx:
        if who == "no_seat":
            inbox.staff(cx, admins, seats=False)
        if who == "not_read":
            cx.execute(sa.text("UPDATE agent_read SET read_at = now() - interval '1 hour'"))
    one = Inbox(client, "99999999" if who == "nobody" else admins[0])
    text = one.click(component, payer="bank/cus_1", invoice="NW-0120", amount="1.00", reason="duplicate")
    assert "Northwind" not in text
    assert "NW-0" not in text
    assert intents(database) == []


def test_who_has_no_role_gets_no_confirmation(client, admins, database):
    viewer = Inbox(client, admins[1])
    text = viewer.review()
    assert "takes the role refunder; yours is viewer" in text
    assert "confirm" not in viewer.ids()


def test_a_role_taken_away_after_the_confirm_canvas_counts(admin, database):
    admin.review()
    with database.begin() as cx:
        cx.execute(sa.text("UPDATE access_person SET role = 'viewer'"))
    assert "yours is viewer" in admin.click("confirm")
    assert intents(database) == []


def test_a_seat_taken_away_after_the_confirm_canvas_counts(admin, database, intercom):
    admin.review()
    intercom.state.admins[admin.admin]["has_inbox_seat"] = False
    assert "does not list you" in admin.click("confirm")
    assert intents(database) == []


def test_no_refund_while_intercom_does_not_say_who_it_is(admin, database, app):
    admin.review()
    with database.begin() as cx:
        cx.execute(sa.text("UPDATE connection SET base_url = 'http://127.0.0.1:1' WHERE id = 'inbox'"))
    app.extensions["deskbridge"].connections._opened.clear()
    assert "did not say in time who you are" in admin.click("confirm")
    assert intents(database) == []


def test_a_confirmation_is_good_for_who_and_where_it_was_shown_only(admin, client, admins, database):
    inbox.person(database, admins[1], Role.APPROVER)
    admin.review()
    shown = admin.current
    other = Inbox(client, admins[1])
    elsewhere = Inbox(client, admin.admin, STRANGER)
    desk = Inbox(client, admin.admin, desk=inbox.OTHER_INBOX, secret=inbox.OTHER_SECRET)
    for one in (other, elsewhere, desk):
        one.current = shown
        assert "not good any more" in one.click("confirm")
    for token in (None, 5, "", "x.y", shown["stored_data"]["confirm"][:-1] + "x", "é." + "0" * 64):
        admin.current = {**shown, "stored_data": {**shown["stored_data"], "confirm": token}}
        assert "not good any more" in admin.click("confirm")
    assert intents(database) == []


def test_a_confirmation_ends_after_five_minutes(admin, database, monkeypatch):
    admin.review()
    monkeypatch.setattr("sidebar_app.intercom_canvas.utc_now", lambda: utc_now() + timedelta(minutes=5, seconds=1))
    assert "not good any more" in admin.click("confirm")
    assert intents(database) == []


def test_what_is_stored_in_a_canvas_is_not_believed(admin, database):
    with database.begin() as cx:
        theirs = world.payer("cus_9", email="other@else.example", name="Secret Ltd")
        world.bill(cx, theirs, world.charge(0, "cus_9"))
    admin.open()
    for stored in (
        {"payer": "bank/cus_9"},
        {"payer": ["bank/cus_9"]},
        {"first": 10**9},
        {"first": "10"},
        {"charge": 5},
    ):
        admin.current = {"stored_data": stored}
        for component in CLICKS:
            text = admin.click(component, payer="bank/cus_9", amount="1.00", reason="duplicate")
            assert "Secret" not in text
    admin.current = {"stored_data": {"charge": "ch_cus_9_0"}}
    assert "none of this conversation's payer" in admin.click("review", amount="1.00", reason="duplicate")
    assert "none of this conversation's payer" in admin.click("charge/ch_cus_9_0")
    assert intents(database) == []


def test_a_conversation_of_somebody_else_shows_nothing_of_this_payer(admin):
    admin.conversation = STRANGER
    for component in CLICKS:
        assert "Northwind" not in admin.click(component, payer="bank/cus_1", amount="1.00", reason="duplicate")


def test_the_card_of_another_contact_of_the_conversation_shows_nothing_of_this_payer(admin, database):
    """Intercom asks once for each contact of a group conversation; the requester is the first of them."""
    other, own = ({"type": "contact", "id": one} for one in ("10009", "10001"))
    sentence = "Billing is shown for Dana Okafor only, the first contact of this conversation. Open their card."
    assert inbox.said(admin.send("initialize", admin.document(contact=other)).json) == f"{sentence}\nTry again"
    typed = {"payer": "bank/cus_1", "amount": "1.00", "reason": "duplicate", "invoice": "NW-0120"}
    admin.review()
    for component in CLICKS:
        click = admin.document(contact=other, component_id=component, input_values=typed, current_canvas=admin.current)
        assert inbox.said(admin.send("submit", click).json).startswith(sentence), component
    assert intents(database) == []
    with database.begin() as cx:
        assert cx.execute(sa.select(identity_link)).all() == []
    assert "Northwind" in inbox.said(admin.send("initialize", admin.document(contact=own)).json)
    with database.begin() as cx:
        customers.merge_people(cx, inbox.INBOX, {"10008": "10001"}, world.NOW)
    merged = admin.document(contact={"type": "contact", "id": "10008"})
    assert "Northwind" in inbox.said(admin.send("initialize", merged).json), "one person by two ids"


def test_long_names_and_links_of_strangers_stay_small_and_dead(admin, database):
    name = "🦜" * 3_000
    with database.begin() as cx:
        world.person(cx, desk=inbox.INBOX, name="[click](https://evil.example)" + name)
        world.bill(cx, world.payer(name=name), *(world.charge(n, brand=name, failure_text=name) for n in range(12)))
    text = admin.open()
    assert "](" not in text
    assert "…" in text


def test_only_the_workspace_an_operator_named_may_open_the_app(admin, app):
    if not app.cli.commands.get("intercom"):
        register(app)
    done = app.test_cli_runner().invoke(args=["intercom", "connect", inbox.INBOX, "--workspace", "abc12345"])
    assert done.output.split() == [
        "Initialize:", "http://127.0.0.1:8300/intercom/canvas/inbox/initialize",
        "Submit:", "http://127.0.0.1:8300/intercom/canvas/inbox/submit",
    ]  # fmt: skip
    assert admin.send("initialize", admin.document()).status_code == 401
    admin.workspace = "abc12345"
    assert admin.send("initialize", admin.document()).status_code == 200
    missing = app.test_cli_runner().invoke(args=["intercom", "connect", world.DESK, "--workspace", "x"])
    assert missing.exit_code == 1


def test_the_simulated_inbox_draws_every_canvas_of_a_refund(admin, app, intercom, database):
    """Over real HTTP: the desk signs, the product answers, the desk draws it and finds nothing an inbox would refuse."""
    app.extensions["deskbridge"].connections.rotate(
        world.registry.by_slug("intercom"), inbox.INBOX, "webhook_secret", CLIENT_SECRET
    )
    server = serve(app)
    intercom.context.deskbridge_url = f"http://127.0.0.1:{server.server_port}"
    contact, second = list(intercom.state.contacts)[:2]
    conversation = intercom.state.create_conversation(contact, "Charged twice")["id"]
    intercom.state.add_contact(conversation, second)
    with database.begin() as cx:
        world.person(cx, contact, desk=inbox.INBOX)
        world.ticket(cx, conversation, desk=inbox.INBOX, requester_id=contact)
    desk = Flask("desk")
    desk.register_blueprint(intercom_inbox.pages(intercom.context))
    asked = desk.test_client()
    assert f"/sandbox/inbox/{conversation}" in asked.get("/sandbox/inbox/").text
    url = f"/sandbox/inbox/{conversation}?connection={inbox.INBOX}"
    text = asked.get(f"{url}&admin={admin.admin}").text
    try:
        for component, typed in (
            ("charge/ch_cus_1_0", {}),
            ("review", {"amount": "12.00", "reason": "duplicate", "note": "Sorry"}),
            ("confirm", {}),
            ("state", {}),
        ):
            assert f'value="{component}"' in text
            assert 'role="alert"' not in text
            canvas = html.unescape(re.search('name="canvas" value="([^"]*)"', text)[1])
            form = {"component": component, "admin": admin.admin, "canvas": canvas}
            text = asked.post(url, data=form | {f"input/{name}": value for name, value in typed.items()}).text
        other = asked.get(f"{url}&admin={admin.admin}&contact={second}").text
        assert "Billing is shown for Dana Okafor only" in other
        assert "Northwind" not in other
    finally:
        server.shutdown()
        server.server_close()
    assert "Requested" in text
    assert [one.ticket_id for one in intents(database)] == [conversation]


def test_no_route_is_missing(app):
    found = {
        (method, rule.rule) for rule in app.url_map.iter_rules() if rule.endpoint.startswith("canvas.")
        for method in rule.methods - {"HEAD", "OPTIONS"}
    }  # fmt: skip
    assert found == ROUTES
