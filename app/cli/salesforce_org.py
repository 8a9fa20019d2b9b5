"""`flask salesforce ...`: our fields in a Salesforce org: what is there, make it, take it away again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import click
from flask.cli import AppGroup

from app.cli import crm_calls
from app.cli.context import runtime, sentences
from app.leads import counting
from integrations.kernel.crm import SetupState, SetupStep
from integrations.kernel.errors import VendorError
from integrations.kernel.ports import CrmWithSetup

group = AppGroup("salesforce", help="Our fields in a Salesforce org: check, set up, uninstall.")
COMMANDS = (group,)
_STATES = {
    SetupState.THERE: "there", SetupState.MADE: "made", SetupState.REMOVED: "removed", SetupState.BY_HAND: "BY HAND",
}  # fmt: skip
_REMAINS = (
    "the External Client App, the integration user and its permission set: delete them in Setup, they are yours",
    "fields that were deleted: Salesforce keeps them for a while under Setup > Object Manager > ... > Deleted Fields",
    "extra fields of your own that the setting `fields` names, with what was written into them",
    "our own leads with their record's id, and the mirror of companies: both stay in this database",
)


@group.command("check")
@click.argument("connection_id")
@sentences
def check(connection_id: str) -> None:
    """Say what of CONNECTION_ID works: access, fields, permissions, words, calls. Changes nothing."""
    client = _client(connection_id)
    problems = client.check()
    try:
        _list("Our fields in the org", client.setup().present())
        _list("What new records say, in the org's own words", client.setup().words())
    except VendorError as error:
        problems = problems or [f"{error.public} ({error})"]
    click.echo(crm_calls.sentence(client.usage()) or "The org did not say how many API calls there are.")
    for note in _notes(connection_id):
        click.echo(f"Note: {note}")
    _end(problems, connection_id)


@group.command("setup")
@click.argument("connection_id")
@click.option(
    "--no-verdicts", is_flag=True, help="Without the two fields in which reps answer: their own status is read."
)
@sentences
def set_up(connection_id: str, no_verdicts: bool) -> None:
    """Make the fields CONNECTION_ID needs in its org; prints the clicks for what may not be made. Safe to run again."""
    client = _client(connection_id)
    steps = client.setup().make(verdicts=not no_verdicts)
    _steps(steps)
    by_hand = [one.name for one in steps if one.state is SetupState.BY_HAND]
    problems = [f"{len(by_hand)} steps are to be done by hand, as printed above."] if by_hand else client.check()
    if not by_hand:
        _list("What new records say, in the org's own words", client.setup().words())
    _end(problems, connection_id)


@group.command("uninstall")
@click.argument("connection_id")
@click.option("--yes", is_flag=True, help="Do not ask.")
@sentences
def uninstall(connection_id: str, yes: bool) -> None:
    """Disable CONNECTION_ID, delete our fields from its org with what is in them, and list what remains and why."""
    client = _client(connection_id)
    present, records = client.setup().present(), client.setup().records()
    _list("To be deleted from the org, with their values", present)
    if not yes:
        click.confirm("Verdicts that were not read yet are lost, and nothing is sent any more. Go on?", abort=True)
    runtime().connections.set_state(connection_id, "disabled")
    click.echo(f"{connection_id} is disabled: nothing is read or sent any more.")
    try:
        steps = client.setup().remove()
    except VendorError as error:
        again = f"Enable it again (`flask connections enable {connection_id}`) and repeat this command."
        raise click.ClickException(f"{error.public} ({error}) Fields may be left. {again}") from error
    _steps(steps)
    counts = [
        f"{number} records of {name} that we made: they are the reps'" for name, number in records.items() if number
    ]
    _list("What remains", [*counts, *_REMAINS])
    if any(one.state is SetupState.BY_HAND for one in steps):
        raise click.ClickException("Not all fields could be deleted; the lines marked BY HAND say what to click.")


def _notes(connection_id: str) -> list[str]:
    """What is no fault of the org, and surprises whoever connects a second one."""
    with runtime().database.begin() as cx:
        others = counting.elsewhere(cx, connection_id)
    found = [
        f"{number} lead{' was' if number == 1 else 's were'} found for {other} and stay{'s' if number == 1 else ''} there: "
        f"{connection_id} is not told the same of the same company. If that was a trial, see docs/install-salesforce.md, "
        "From a sandbox org to production."
        for other, number in others.items()
    ]
    first = runtime().crm_connections()[:1]
    if first and first != [connection_id]:
        found.append(
            f"leads go to {first[0]}, the first active CRM connection by name, and not to {connection_id}. Disable the one "
            f"that is not to be used: `flask connections disable {first[0]}`."
        )
    return found


def _client(connection_id: str) -> CrmWithSetup:
    runtime().connections.account(connection_id, "salesforce")
    return cast(CrmWithSetup, runtime().clients.crm(connection_id))


def _list(title: str, lines: Sequence[str]) -> None:
    click.echo(f"{title}:")
    for line in lines or ("(none)",):
        click.echo(f"  {line}")


def _steps(steps: Sequence[SetupStep]) -> None:
    for step in steps:
        click.echo(f"{_STATES[step.state]:<8} {step.name}")
        if step.text:
            click.echo(f"         {step.text}")
    if not steps:
        click.echo("There was no field of ours.")


def _end(problems: Sequence[str], connection_id: str) -> None:
    for problem in problems:
        click.echo(f"- {problem}")
    if problems:
        raise click.ClickException(
            f"{connection_id} is not ready yet. Do what is said above (a setting: `flask connections set {connection_id} "
            f"NAME=VALUE`), then run `flask salesforce check {connection_id}`."
        )
    click.echo(f"{connection_id} is ready: leads can be sent.")
