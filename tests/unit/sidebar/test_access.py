"""Who may call what: every route x role x own or other connection x own or other ticket, in one table."""

import re

import pytest

from app.identity.models import identity_link
from app.refunds.models import refund_intent
from tests import sidebar_world as world

ALLOWED = {"500", "501", "502", "504", "506"}  # who reads ticket 35436: group 800, organisation 7001, assigned to 506
LOOK_ONLY = {"507"}
REFUSED = {"503", "505", "508", "509", "510", "599"}
# Route -> who may call it on their own ticket. A route that is missing here fails `test_no_route_is_missing`.
READ, WRITE = ALLOWED | LOOK_ONLY, ALLOWED
ROUTES = {
    ("POST", "/sidebar/<connection>/<any(tickets, people):kind>/<subject>/open"): READ,
    ("GET", "/sidebar/<connection>/<any(tickets, people):kind>/<subject>/panel"): READ,
    ("POST", "/sidebar/<connection>/tickets/<subject>/choose"): READ,  # a light agent's choice is shown, not stored
    ("POST", "/sidebar/<connection>/tickets/<subject>/facts"): WRITE,
    ("POST", "/sidebar/<connection>/tickets/<subject>/refresh"): READ,
    ("GET", "/sidebar/<connection>/tickets/<subject>/why"): READ,
    ("POST", "/sidebar/<connection>/tickets/<subject>/refund"): WRITE,
    ("POST", "/sidebar/<connection>/tickets/<subject>/refund_check"): WRITE,
    ("POST", "/sidebar/<connection>/tickets/<subject>/refund_request"): WRITE,
    ("POST", "/sidebar/<connection>/tickets/<subject>/refund_void"): {"500"},  # who asked for it
}
NAVIGATION = {("POST", "/sidebar/<connection>/code")}  # of the page in the navigation bar: test_sessions.py
OPEN = {  # not behind a session: the signed form itself, the sentence for who opens it directly, scripts and styles
    ("POST", "/sidebar/<connection>"), ("GET", "/sidebar/<connection>"), ("GET", "/sidebar/assets/<version>/<name>"),
}  # fmt: skip
PAYER = {"payer": "bank/cus_1"}
CHARGE = PAYER | {"charge": "ch_cus_1_0", "how": "part", "amount": "1", "again": "1"}
FORMS = {
    "choose": PAYER, "facts": {"invoice": "NW-0120"}, "refresh": PAYER, "refund": CHARGE, "refund_check": CHARGE,
    "refund_request": CHARGE, "refund_void": PAYER,
}  # fmt: skip


def call(agent, method, rule, *, desk=world.DESK, ticket="35436", **more):
    path = rule.replace("<connection>", desk).replace("<any(tickets, people):kind>", "tickets")
    path = path.replace("<subject>", ticket).removeprefix("/sidebar/")
    agent.desk, path = path.split("/", 1)
    if method == "GET":
        return agent.get(path)
    name = path.rsplit("/", 1)[1]
    form = dict(FORMS.get(name, {}))
    if name in ("refund_check", "refund_request"):
        form["offer"] = getattr(agent, "offer", "")
    if name == "refund_void":
        form["intent"] = getattr(agent, "intent", "")
    return agent.post(path, **more, **form)


def offered(answer):
    """The signed offer in a refund form; what nobody signed where there is none."""
    found = re.search(r'name="offer" value="([^"]+)"', answer.text)
    return found.group(1) if found else "x.y"


def waiting(as_agent, database):
    """A refund of ticket 35436 that waits for an approval, asked for by agent 500."""
    agent = as_agent("500")
    agent.open()
    agent.offer = offered(agent.post("tickets/35436/refund", **CHARGE))
    agent.post("tickets/35436/refund_request", **PAYER, charge="ch_cus_1_0", how="full", offer=agent.offer)
    with database.begin() as cx:
        return cx.execute(world.sa.select(refund_intent.c.id)).scalar_one()


def test_no_route_is_missing(app):
    found = {
        (method, rule.rule) for rule in app.url_map.iter_rules() if rule.endpoint.startswith("sidebar.")
        for method in rule.methods - {"HEAD", "OPTIONS"}
    }  # fmt: skip
    assert found == set(ROUTES) | OPEN | NAVIGATION


@pytest.mark.parametrize("who", sorted(ALLOWED | LOOK_ONLY | REFUSED))
def test_the_table_of_roles_and_routes(as_agent, database, who):
    with database.begin() as cx:
        world.ticket(cx, "35437", requester_id="10002")
    proposed = waiting(as_agent, database)
    opener = as_agent(who)
    for (method, rule), allowed in ROUTES.items():
        agent = opener if rule.endswith("/open") else as_agent(who)
        agent.open()  # fails for who may not; then the route must fail by itself
        agent.desk = world.DESK
        agent.offer, agent.intent = offered(agent.post("tickets/35436/refund", **CHARGE)), proposed
        for own_desk in (True, False):
            for own_ticket in (True, False):
                desk = world.DESK if own_desk else world.OTHER_DESK
                ticket = "35436" if own_ticket else "35437"
                answer = call(agent, method, rule, desk=desk, ticket=ticket)
                fine = own_desk and own_ticket and who in allowed
                assert (answer.status_code in (200, 202)) is fine, (
                    method,
                    rule,
                    own_desk,
                    own_ticket,
                    answer.status_code,
                )
                if not fine:
                    assert answer.status_code in (401, 403)
                    assert "Dana" not in answer.text
                    assert "Northwind" not in answer.text


@pytest.mark.parametrize(("method", "rule"), sorted(ROUTES))
def test_no_session_no_answer(as_agent, method, rule):
    agent = as_agent()
    agent.open()
    for bearer in ("", "Bearer ", "Bearer x", f"Basic {agent.bearer}", f"Bearer {agent.bearer}x"):
        agent.headers["Authorization"] = bearer
        answer = call(agent, method, rule)
        assert answer.status_code == 401
        assert 'data-state="ended"' in answer.text


@pytest.mark.parametrize("rule", [rule for method, rule in sorted(ROUTES) if method == "POST"])
@pytest.mark.parametrize("origin", ["", "null", "https://acme.zendesk.com", "http://127.0.0.1:8300.evil.example"])
def test_a_write_from_elsewhere_is_refused(as_agent, rule, origin):
    agent = as_agent()
    assert agent.open().status_code == 200
    answer = call(agent, "POST", rule, origin=origin)
    assert (answer.status_code, "sidebar.origin" in answer.text) == (403, True)


def test_a_payer_of_somebody_else_is_refused_on_every_route_that_names_one(as_agent, database):
    with database.begin() as cx:
        world.bill(cx, *world.everything("cus_9")[1:], world.payer("cus_9", email="other@else.example", name="Secret"))
    agent = as_agent()
    agent.open()
    answers = [
        agent.get("tickets/35436/panel?payer=bank/cus_9"),
        agent.post("tickets/35436/choose", payer="bank/cus_9"),
        agent.post("tickets/35436/refresh", payer="bank/cus_9"),
        agent.post("tickets/35436/refund", payer="bank/cus_9", charge="ch_cus_9_0"),
        agent.post("tickets/35436/refund", payer="bank/cus_1", charge="ch_cus_9_0"),
        agent.post("tickets/35436/refund_check", payer="bank/cus_1", charge="ch_cus_9_0"),
        agent.post("tickets/35436/refund_request", payer="bank/cus_1", charge="ch_cus_9_0"),
        agent.post("tickets/35436/refund_void", payer="bank/cus_9", intent="rfd_x"),
    ]
    for answer in answers:
        assert (answer.status_code, "Secret" in answer.text) == (403, False)
        assert "sidebar.not_theirs" in answer.text


def test_a_page_belongs_to_the_ticket_it_was_opened_for(as_agent, database):
    with database.begin() as cx:
        world.ticket(cx, "35437")
    agent = as_agent()
    assert agent.open().status_code == 200
    other = agent.open("tickets/35437")
    assert (other.status_code, "session.other_subject" in other.text) == (403, True)
    assert as_agent().open("tickets/35437").status_code == 200


@pytest.mark.parametrize("subject", ["tickets/0x10", "tickets/35436a", "tickets/" + "1" * 20, "tickets/٣٥"])
def test_an_address_that_is_none_is_refused(as_agent, subject):
    assert as_agent().open(subject).status_code == 400


def test_a_ticket_that_is_gone_is_not_shown(as_agent, database):
    with database.begin() as cx:
        world.tickets.mark_gone(cx, world.DESK, ["35436"])
    assert as_agent("500").open().status_code == 403


def test_staff_that_was_not_read_lately_sees_nothing(as_agent, database):
    with database.begin() as cx:
        world.agents.replace_all(cx, world.DESK, [], world.NOW)  # as if read long ago: the rows stay, older
        cx.execute(world.sa.update(world.agents.agent_read).values(read_at=world.ago(1)))
        cx.execute(world.sa.update(world.agents.agent).values(active=True))
    answer = as_agent().open()
    assert (answer.status_code, "sidebar.staff_unknown" in answer.text) == (403, True)


def test_no_secret_and_no_third_party_is_in_the_page(as_agent):
    agent = as_agent()
    policy = agent.page.headers["Content-Security-Policy"]
    assert "frame-ancestors https://acme.zendesk.com" in policy
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert agent.page.headers["Referrer-Policy"] == "no-referrer"
    assert agent.page.headers["Cache-Control"] == "no-store"
    assert "X-Frame-Options" not in agent.page.headers
    assert 'data-scheme="dark"' in agent.page.text
    assert not re.search(r"\sstyle=|<style|\son[a-z]+=|javascript:", agent.page.text + agent.open().text)


def test_who_opens_the_address_directly_is_told_what_to_do(client):
    answer = client.get("/sidebar/desk?token=x")
    assert (answer.status_code, "Open this app from a ticket" in answer.text) == (400, True)


def test_no_link_was_made_by_anybody_who_may_not(as_agent, database):
    agent = as_agent("507")
    agent.open()
    assert agent.post("tickets/35436/facts", invoice="NW-0120").status_code == 403
    assert agent.post("tickets/35436/choose", payer="bank/cus_1").status_code == 200
    with database.begin() as cx:
        assert cx.execute(world.sa.select(identity_link)).all() == []
