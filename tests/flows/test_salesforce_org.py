"""`flask connections add salesforce` and `flask salesforce ...`, run as they are run, over the simulated Salesforce."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from app.cli import register
from app.config import load
from app.factory import create_app
from app.leads.models import lead
from integrations.salesforce.settings import KEY_FIELD
from sandbox.salesforce import oauth
from sandbox.salesforce.local import Local

HOMES = ("Lead", "Opportunity", "Activity")
FIELDS = ("Deskbridge_Key__c", "Deskbridge_Verdict__c", "Deskbridge_Reason__c")


@pytest.fixture
def org():
    made = Local()
    yield made
    made.stop()


@pytest.fixture
def run(database, redis_url):
    app = create_app(load({"DATABASE_URL": database.url, "REDIS_URL": redis_url, "MODE": "sandbox"}))
    if not app.cli.commands.get("salesforce"):
        register(app)
    runner = app.test_cli_runner()
    yield lambda *words, **more: runner.invoke(args=[*words], **more)
    app.extensions["deskbridge"].redis.close()
    app.extensions["deskbridge"].database.close()


@pytest.fixture
def add(run, org, tmp_path):
    """add(*options) -> the output of `connections add salesforce` with client credentials, as the docs say it."""
    (tmp_path / "consumer_secret").write_text(oauth.CONSUMER_SECRET + "\n")

    def added(*options, how=("--secret", f"consumer_secret=@{tmp_path / 'consumer_secret'}")):
        return run("connections", "add", "salesforce", "--name", "CRM", "--id", "con_crm", "--base-url", org.url,
                   "--set", "my_domain=acme", "--set", f"consumer_key={oauth.CONSUMER_KEY}", *how, *options)  # fmt: skip

    return added


@pytest.fixture
def ready(add, org):
    """A connection whose org has all fields."""
    add("--set", "currency=USD")
    for name in ("Lead", "Opportunity", "Task"):
        org.state.add_field(name, KEY_FIELD, 64, external=True)


def test_a_connection_is_added_with_its_secret_from_a_file_and_tested(run, add, ready):
    done = add("--id", "con_two")
    assert "Salesforce sends no webhooks: it is asked." in done.output
    assert oauth.CONSUMER_SECRET not in done.output
    tested = run("connections", "test", "con_crm")
    assert (tested.exit_code, tested.output) == (0, "con_crm works.\n")


def test_a_private_key_is_taken_from_its_file_with_all_its_lines(run, add, org, tmp_path):
    from cryptography.hazmat.primitives import serialization as s
    from cryptography.hazmat.primitives.asymmetric import rsa

    made = rsa.generate_private_key(65537, 2048)
    pem = made.private_bytes(s.Encoding.PEM, s.PrivateFormat.TraditionalOpenSSL, s.NoEncryption())
    public = made.public_key().public_bytes(s.Encoding.PEM, s.PublicFormat.SubjectPublicKeyInfo).decode()
    (tmp_path / "key.pem").write_bytes(pem.replace(b"\n", b"\r\n"))  # as an editor on Windows leaves it
    org.state.trust_key(public)
    done = add("--set", f"username={oauth.USERNAME}", how=("--secret", f"private_key=@{tmp_path / 'key.pem'}"))
    assert done.exit_code == 0, done.output
    assert "Deskbridge_Key__c" in run("connections", "test", "con_crm").output  # it is in, and misses the field


def test_a_key_with_a_passphrase_and_a_half_given_sign_in_are_refused_with_what_to_do(run, add, tmp_path):
    (tmp_path / "key.pem").write_text("-----BEGIN ENCRYPTED PRIVATE KEY-----\nx\n-----END ENCRYPTED PRIVATE KEY-----")
    done = add("--set", "username=u", how=("--secret", f"private_key=@{tmp_path / 'key.pem'}"))
    assert done.exit_code == 1
    assert "private_key: this value is not taken" in done.output
    assert "without a passphrase" in done.output
    assert add(how=()).exit_code == 0
    told = run("salesforce", "check", "con_crm")
    assert told.exit_code == 1
    assert "username with private_key (JWT bearer), or consumer_secret (client credentials)" in told.output


def test_check_of_an_org_that_is_not_set_up_says_what_is_missing_and_exits_with_1(run, add):
    add()
    told = run("salesforce", "check", "con_crm")
    assert told.exit_code == 1
    for name in ("Lead", "Opportunity", "Task"):
        assert f"- {name} has no field Deskbridge_Key__c that is External ID and Unique" in told.output
    assert "- currency: this org keeps one currency" in told.output
    assert "then run `flask salesforce check con_crm`." in told.output
    assert "`flask connections set con_crm NAME=VALUE`" in told.output


def test_check_of_an_org_that_is_ready_shows_fields_words_and_calls(run, ready):
    told = run("salesforce", "check", "con_crm")
    assert told.exit_code == 0, told.output
    assert "  Lead.Deskbridge_Key__c\n" in told.output
    assert "  Opportunity.StageName: Prospecting\n" in told.output
    assert "  Lead.Rating: Hot for a high score, else Warm\n" in told.output
    assert "Existing Customer - Upgrade for expansion, request" in told.output
    assert "(left empty, no value of the list fits) for renewal, risk, payment" in told.output
    assert "calls of everybody in 24 hours" in told.output
    assert told.output.endswith("con_crm is ready: leads can be sent.\n")


def test_check_says_what_was_found_for_another_org_and_that_another_org_gets_the_leads(run, ready, add, database):
    with database.begin() as cx:
        cx.execute(sa.insert(lead).values(
            id="led_1", company="account:con_trial:001A", subject="payer:bank:cus_1", kind="renewal", period="2027-01-15",
            state="pushed", crm_id="con_trial"))  # fmt: skip
    told = run("salesforce", "check", "con_crm")
    assert told.exit_code == 0, told.output
    assert "Note: 1 lead was found for con_trial and stays there" in told.output
    assert "docs/install-salesforce.md, From a sandbox org to production." in told.output
    assert "Note: leads go to" not in told.output
    add("--id", "con_zzz", "--name", "The new one")
    told = run("salesforce", "check", "con_zzz")
    assert "Note: leads go to con_crm, the first active CRM connection by name, and not to con_zzz." in told.output


def test_settings_are_changed_and_the_check_judges_them(run, ready):
    assert run("connections", "set", "con_crm", "stage=Nowhere", "fields=score=Score__c").exit_code == 0
    told = run("salesforce", "check", "con_crm")
    assert "stage: the org has no stage 'Nowhere'; it has Prospecting, Qualification" in told.output
    assert "fields: none of Lead, Opportunity and Task has Score__c" in told.output
    run("connections", "set", "con_crm", "stage=Qualification", "fields=")
    told = run("salesforce", "check", "con_crm")
    assert told.exit_code == 0, told.output
    assert "Opportunity.StageName: Qualification" in told.output
    assert (
        "consumer_secret: Salesforce has no such setting"
        in run("connections", "set", "con_crm", "consumer_secret=x").output
    )


def test_only_salesforce_connections_are_taken(run, ready):
    for command in (("check",), ("setup",), ("uninstall", "--yes")):
        told = run("salesforce", command[0], "con_other", *command[1:])
        assert told.exit_code == 1
        assert "There is no active connection of that name" in told.output


def test_an_org_that_cannot_be_reached_is_a_sentence_and_exits_with_1(run, ready, org):
    for command in (("check",), ("setup",), ("uninstall", "--yes")):
        org.simulator.faults.set([{"kind": "cut_before", "times": 99}])
        told = run("salesforce", command[0], "con_crm", *command[1:])
        assert told.exit_code == 1, command
        assert "Traceback" not in told.output
        assert told.output.strip()
    assert "con_crm works" not in told.output
    org.simulator.faults.set([])
    assert run("connections", "test", "con_crm").output == "con_crm works.\n"  # it was not disabled


# Setup and uninstall -------------------------------------------------------------


def states(output):
    """Field -> what the command says of it."""
    words = ("there", "made", "removed", "BY HAND")
    told = {}
    for line in output.splitlines():
        state = next((one for one in words if line.startswith(one)), None)
        if state:
            told[line.removeprefix(state).strip()] = state
    return told


def every(state, fields=FIELDS):
    return {f"{home}.{name}": state for home in HOMES for name in fields}


def test_setup_makes_the_fields_once_and_then_leads_can_be_sent(run, add, org):
    add("--set", "currency=USD")
    first = run("salesforce", "setup", "con_crm")
    assert states(first.output) == every("made"), first.output
    again = run("salesforce", "setup", "con_crm")
    assert (again.exit_code, states(again.output)) == (0, every("there")), again.output
    assert again.output.endswith("con_crm is ready: leads can be sent.\n")
    assert run("salesforce", "check", "con_crm").exit_code == 0
    for name in ("Lead", "Opportunity", "Task"):
        key = org.state.fields[name][KEY_FIELD]
        assert (key.external, key.unique, key.length) == (True, True, 64)
        verdict = org.state.fields[name]["Deskbridge_Verdict__c"]
        assert (verdict.values, verdict.restricted) == (("Accepted", "Rejected"), True)


def test_setup_without_verdicts_makes_the_key_only(run, add, org):
    add("--set", "currency=USD")
    told = run("salesforce", "setup", "con_crm", "--no-verdicts")
    assert states(told.output) == every("made", FIELDS[:1]), told.output
    assert "Deskbridge_Verdict__c" not in org.state.fields["Lead"]


def test_where_fields_may_not_be_made_the_clicks_are_printed_and_it_exits_with_1(run, add, org):
    add("--set", "currency=USD")
    org.state.permit(False)
    told = run("salesforce", "setup", "con_crm")
    assert told.exit_code == 1
    assert states(told.output) == every("BY HAND")
    assert (
        "Object Manager > Activity > Fields & Relationships > New > Text, label 'Deskbridge key', length 64"
        in told.output
    )
    assert "9 steps are to be done by hand" in told.output
    for name in ("Lead", "Opportunity", "Task"):
        org.state.add_field(name, KEY_FIELD, 64, external=True)  # the admin clicks
    assert states(run("salesforce", "setup", "con_crm", "--no-verdicts").output) == every("there", FIELDS[:1])


def test_a_new_field_that_no_permission_set_shows_is_told_and_the_second_run_finds_it(run, add, org):
    add("--set", "currency=USD")
    org.state.show_fields(False)
    for _ in range(2):  # the second time it is there already, and still hidden
        told = run("salesforce", "setup", "con_crm", "--no-verdicts")
        assert told.exit_code == 1
        assert states(told.output) == every("BY HAND", FIELDS[:1])
        assert "is in the org, hidden from the integration user" in told.output
    org.state.show_fields()
    told = run("salesforce", "setup", "con_crm", "--no-verdicts")
    assert (told.exit_code, states(told.output)) == (0, every("there", FIELDS[:1])), told.output


def test_a_field_that_is_there_and_wrong_is_not_touched(run, add, org):
    add("--set", "currency=USD")
    org.state.add_field("Lead", KEY_FIELD, 64)
    told = run("salesforce", "setup", "con_crm", "--no-verdicts")
    assert told.exit_code == 1
    assert states(told.output)[f"Lead.{KEY_FIELD}"] == "BY HAND"
    assert "not both External ID and Unique" in told.output
    assert not org.state.fields["Lead"][KEY_FIELD].unique


def test_an_object_that_is_hidden_is_one_thing_to_do_and_the_others_are_made(run, add, org):
    add("--set", "currency=USD")
    refused = '[{"errorCode": "INSUFFICIENT_ACCESS", "message": "m"}]'
    org.simulator.faults.set(
        [{"kind": "status", "status": 403, "path": "sobjects/Task/describe", "times": 99, "body": refused}]
    )
    told = run("salesforce", "setup", "con_crm", "--no-verdicts")
    assert told.exit_code == 1
    assert states(told.output) == every("made", FIELDS[:1]) | {f"Activity.{KEY_FIELD}": "BY HAND"}
    assert "does not see Task" in told.output
    assert "Access Activities and Edit Tasks" in told.output


def test_uninstall_asks_disables_removes_our_fields_and_says_what_remains(run, add, org):
    add("--set", "currency=USD")
    run("salesforce", "setup", "con_crm")
    org.state.add_field("Lead", "Theirs__c")
    org.state.create("Lead", {"LastName": "L", "Company": "C", KEY_FIELD: "k1"})
    no = run("salesforce", "uninstall", "con_crm", input="n\n")
    assert no.exit_code == 1
    assert KEY_FIELD in org.state.fields["Lead"]
    assert run("connections", "test", "con_crm").exit_code == 0
    done = run("salesforce", "uninstall", "con_crm", input="y\n")
    assert done.exit_code == 0, done.output
    assert states(done.output) == every("removed")
    for name in ("Lead", "Opportunity", "Task"):
        assert not [field for field in org.state.fields[name] if field.startswith("Deskbridge_")]
    assert "Theirs__c" in org.state.fields["Lead"]
    for said in ("1 records of Lead that we made", "External Client App", "Deleted Fields", "con_crm is disabled"):
        assert said in done.output
    assert "disabled" in run("connections", "list").output
    assert "no active connection" in run("connections", "test", "con_crm").output


def test_what_cannot_be_removed_is_told_with_its_clicks_and_it_exits_with_1(run, add, org):
    add("--set", "currency=USD")
    run("salesforce", "setup", "con_crm", "--no-verdicts")
    org.state.permit(False)
    told = run("salesforce", "uninstall", "con_crm", "--yes")
    assert told.exit_code == 1
    assert states(told.output)[f"Activity.{KEY_FIELD}"] == "BY HAND"
    assert f"Object Manager > Lead > Fields & Relationships > {KEY_FIELD} > Delete" in told.output


def test_a_key_field_of_the_admins_own_is_left(run, add, org):
    add("--set", "currency=USD", "--set", "key_field=Our_Lead__c")
    run("salesforce", "setup", "con_crm")
    told = run("salesforce", "uninstall", "con_crm", "--yes")
    assert states(told.output)["Lead.Our_Lead__c"] == "BY HAND"
    assert states(told.output)["Lead.Deskbridge_Verdict__c"] == "removed"
    assert "Our_Lead__c" in org.state.fields["Lead"]


def test_a_removal_that_is_cut_off_can_be_repeated(run, add, org):
    add("--set", "currency=USD")
    run("salesforce", "setup", "con_crm", "--no-verdicts")
    org.simulator.faults.set([{"kind": "cut_after", "method": "DELETE"}])
    told = run("salesforce", "uninstall", "con_crm", "--yes")
    assert told.exit_code == 1
    assert "flask connections enable con_crm" in told.output
    run("connections", "enable", "con_crm")
    done = run("salesforce", "uninstall", "con_crm", "--yes")
    assert done.exit_code == 0, done.output
    assert len(states(done.output)) == 2  # one was gone already
