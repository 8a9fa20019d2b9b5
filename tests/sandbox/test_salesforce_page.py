"""The reps' page of the simulated Salesforce: forms by HTTP, and what a real browser makes of it."""

import re

import pytest
import requests

from sandbox.salesforce.reps import REASON, VERDICT

DEAL = {"Name": "Renewal: Acorn <b>", "StageName": "Prospecting", "CloseDate": "2027-01-31", "Amount": 900.0}
LONG = "ON HOLD: a dispute is open.\nWhy now: 80 points\nhttps://deskbridge.example/" + "x" * 90


@pytest.fixture
def records(salesforce):
    """object -> id of one of each."""
    state = salesforce.state
    account = next(iter(state.rows["Account"]))
    lead = state.create("Lead", {"LastName": "Novak", "Company": "Unknown Ltd", "Description": LONG})
    deal = state.create("Opportunity", {**DEAL, "AccountId": account, "Description": LONG})
    task = state.create("Task", {"Subject": "Call them", "WhatId": account, "Description": "Seats: 9 of 10"})
    return {"Lead": lead["Id"], "Opportunity": deal["Id"], "Task": task["Id"]}


@pytest.fixture
def visit(salesforce):
    """visit(path, form) -> the answer; a form is posted."""
    session = requests.Session()
    session.trust_env = False

    def ask(path="", form=None, **headers):
        url = f"{salesforce.url}/reps/{path}"
        how = {"headers": headers, "timeout": 10}
        return session.get(url, **how) if form is None else session.post(url, form, **how)

    return ask


@pytest.fixture
def act(visit, records):
    """act(object, what, **form) -> the answer, for the one record of it."""
    return lambda kind, do, **form: visit(f"{kind}/{records[kind]}/{do}", form)


def test_all_of_a_record_is_shown_to_reps_as_text(salesforce, visit, records):
    page = visit().text
    for told in (
        "Unknown Ltd",
        "Renewal: Acorn &lt;b&gt;",
        "Call them",
        "Seats: 9 of 10",
        "900.00",
        "ON HOLD:",
        "Deskbridge",
    ):
        assert told in page
    assert "<b>" not in page
    assert "default-src 'none'" in visit().headers["Content-Security-Policy"]
    found = visit("?with=seats").text
    assert ("Call them" in found, "Unknown Ltd" in found) == (True, False)
    salesforce.state.delete("Task", records["Task"])
    assert "Call them" not in visit().text


def test_an_org_without_leads_says_so(visit):
    assert visit().text.count("None.") == 3
    assert visit("?with=x").text.count("None with such a text.") == 3


def test_verdicts_go_into_our_fields_or_into_the_status(salesforce, act, records):
    rows = salesforce.state.rows
    assert "Novak was rejected." in act("Lead", "reject", reason="No need").text
    assert rows["Lead"][records["Lead"]]["Status"] == "Closed - Not Converted"
    for kind in records:
        salesforce.state.add_field(kind, VERDICT)
        salesforce.state.add_field(kind, REASON)
    for kind, object_id in records.items():
        assert act(kind, "reject", reason=" No need ").ok
        assert (rows[kind][object_id][VERDICT], rows[kind][object_id][REASON]) == ("Rejected", "No need")
        assert act(kind, "accept").ok
        assert rows[kind][object_id][VERDICT] == "Accepted"


def test_reasons_of_a_picklist_are_chosen_from(salesforce, visit, act, records):
    order = {"type": "Picklist", "label": "Reason",
             "valueSet": {"restricted": True, "valueSetDefinition": {"value": [{"fullName": "No budget"}]}}}  # fmt: skip
    body = {"FullName": f"Lead.{REASON}", "Metadata": order}
    assert salesforce.caller()("POST", "tooling/sobjects/CustomField", json=body).status_code == 201
    assert visit().text.count("<option>No budget</option>") == 1
    refused = act("Lead", "reject", reason="Else")
    assert refused.status_code == 409
    assert "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST" in refused.text
    assert act("Lead", "reject", reason="No budget").ok


def test_a_lead_is_converted_once_and_its_deal_is_won(salesforce, visit, act, records):
    assert "Novak was converted." in act("Lead", "convert").text
    lead = salesforce.state.rows["Lead"][records["Lead"]]
    deal = lead["ConvertedOpportunityId"]
    again = act("Lead", "convert")
    assert (again.status_code, "CANNOT_UPDATE_CONVERTED_LEAD" in again.text) == (409, True)
    assert f'href="#{deal}"' in again.text
    assert f"/{records['Lead']}/accept" not in again.text, "it is read-only"
    assert visit(f"Opportunity/{deal}/win", {"amount": "1200.50"}).ok
    row = salesforce.state.rows["Opportunity"][deal]
    assert (row["IsWon"], row["Amount"]) == (True, 1200.5)


def test_a_deal_moves_and_ends(salesforce, act, records):
    row = salesforce.state.rows["Opportunity"][records["Opportunity"]]
    assert act("Opportunity", "stage", stage="Negotiation/Review").ok
    assert (row["StageName"], row["Probability"]) == ("Negotiation/Review", 90.0)
    for wrong in ("much", "nan", "inf"):
        assert act("Opportunity", "win", amount=wrong).status_code in (400, 409)
    assert not row["IsClosed"]
    assert act("Opportunity", "win", amount="").ok
    assert (row["IsWon"], row["Amount"]) == (True, 900.0)
    assert act("Opportunity", "lose", reason="x").ok
    assert (row["IsWon"], row["IsClosed"]) == (False, True)
    assert act("Task", "complete").ok
    assert salesforce.state.rows["Task"][records["Task"]]["IsClosed"]


def test_what_is_no_act_or_comes_from_elsewhere_is_refused(visit, act, records):
    assert act("Lead", "win").status_code == 404
    assert visit("User/x/accept", {}).status_code == 404
    assert visit("Lead/00QSb0000009999AAA/accept", {}).status_code == 409
    path = f"Lead/{records['Lead']}/convert"
    assert visit(path, {}, **{"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert visit(path, {}, **{"Sec-Fetch-Site": "same-origin"}).ok


def test_people_use_up_none_of_the_days_calls(salesforce, visit, act):
    act("Lead", "accept")
    assert (salesforce.simulator.daily.used, salesforce.calls()) == (0, {})


@pytest.fixture
def browse(salesforce, records, browser):
    """browse(width, scheme) -> a page of a real browser that shows it; what its console says is kept on `said`."""
    said, contexts = [], []

    def show(width=320, scheme="light", **more):
        contexts.append(browser.new_context(viewport={"width": width, "height": 900}, **more))
        page = contexts[-1].new_page()
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.goto(f"{salesforce.url}/reps/?scheme={scheme}")
        return page

    yield show
    for context in contexts:
        context.close()
    assert said == []


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1280])
def test_in_a_browser_nothing_sticks_out_and_the_colours_are_those_asked_for(browse, width, scheme):
    page = browse(width, scheme)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert (
        page.evaluate(
            "Math.max(...[...document.querySelectorAll('button,input,select')].map(e => e.getBoundingClientRect().right))"
        )
        <= width
    )
    shade = re.findall(r"\d+", page.evaluate("getComputedStyle(document.body).backgroundColor"))
    assert (sum(map(int, shade[:3])) > 380) == (scheme == "light")


@pytest.mark.browser
def test_in_a_browser_a_rep_rejects_with_a_reason_and_stays_in_the_dark(salesforce, records, browse):
    salesforce.state.add_field("Lead", REASON)
    salesforce.state.add_field("Lead", VERDICT)
    page = browse(scheme="dark")
    card = page.get_by_role("article", name="Novak")
    card.get_by_label("Reason").fill("No need")
    card.get_by_role("button", name="Reject").click()
    assert page.get_by_role("status").inner_text() == "Novak was rejected."
    assert page.locator("html").get_attribute("data-scheme") == "dark"
    assert salesforce.state.rows["Lead"][records["Lead"]][REASON] == "No need"


@pytest.mark.browser
def test_in_a_browser_everybody_can_read_it(browse):
    axe = pytest.importorskip(
        "axe_playwright_python.sync_playwright", reason="LOUD: no axe here: accessibility IS NOT CHECKED"
    )
    for scheme in ("light", "dark"):
        page = browse(scheme=scheme, bypass_csp=True)
        assert [v["id"] for v in axe.Axe().run(page).response["violations"]] == []
