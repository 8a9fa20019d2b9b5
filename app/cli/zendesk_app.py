"""`flask zendesk ...`: the app for Zendesk's side: packed for this installation, checked, and connected with it."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import TextIO

import click
from flask.cli import AppGroup

from app.cli.context import runtime, sentences
from app.cli.zendesk_icons import NAV_BAR, SIZES, icon
from app.cli.zendesk_rules import validate
from app.sessions import store as sessions
from integrations.kernel.errors import InputError

FOLDER = Path(__file__).resolve().parents[2] / "sidebar_app" / "zendesk_app"
EPOCH = (1980, 1, 1, 0, 0, 0)  # the same app gives the same bytes

group = AppGroup("zendesk", help="The app in Zendesk's sidebar: pack, check, connect.")
COMMANDS = (group,)


def app_files(folder: Path, base_url: str, connection: str) -> dict[str, bytes]:
    """The files of the app for one installation and connection, the icons drawn."""
    found = {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}
    manifest = found["manifest.json"].decode().replace("{{base_url}}", base_url).replace("{{connection}}", connection)
    found["manifest.json"] = manifest.encode()
    for name, (edge, rounded) in SIZES.items():
        found[f"assets/{name}"] = icon(edge, rounded=rounded)
    found["assets/icon_nav_bar.svg"] = NAV_BAR.encode()
    return found


def packed(files: dict[str, bytes]) -> bytes:
    """The zip Zendesk takes, manifest.json at its root."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, body in sorted(files.items()):
            archive.writestr(zipfile.ZipInfo(path, EPOCH), body, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


@group.command("package")
@click.argument("connection_id")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), default=Path("deskbridge-zendesk.zip"))
@sentences
def package(connection_id: str, out: Path) -> None:
    """Write the app of CONNECTION_ID as a zip for Zendesk's Admin Center; nothing is written when a check fails."""
    runtime().connections.account(connection_id, "zendesk")
    files = app_files(FOLDER, runtime().settings.public_url, connection_id)
    _report(files)
    out.write_bytes(packed(files))
    click.echo(f"{out} written. Upload it in Zendesk: Admin Center > Apps and integrations > Zendesk Support apps.")


@group.command("validate")
@click.argument("archive", type=click.Path(exists=True, path_type=Path))
@sentences
def check(archive: Path) -> None:
    """Check an app (a zip or a folder) by Zendesk's own rules and ours; warnings are failures."""
    if archive.is_dir():
        paths = [p for p in sorted(archive.rglob("*")) if p.is_file() or p.is_symlink()]
        links = frozenset(p.relative_to(archive).as_posix() for p in paths if p.is_symlink())
        files = {p.relative_to(archive).as_posix(): p.read_bytes() for p in paths if not p.is_symlink()}
    else:
        files, links = _unpacked(archive)
    _report(files, links)
    click.echo(f"{archive} may be uploaded.")


def _unpacked(archive: Path) -> tuple[dict[str, bytes], frozenset[str]]:
    """The files of a zip, and which of them are links. Raises InputError."""
    try:
        with zipfile.ZipFile(archive) as opened:
            entries = [one for one in opened.infolist() if not one.is_dir()]
            links = frozenset(one.filename for one in entries if one.external_attr >> 28 == 0o12)
            return {one.filename: opened.read(one) for one in entries if one.filename not in links}, links
    except zipfile.BadZipFile as error:
        raise InputError(
            f"{archive} is no zip. Give the file that `flask zendesk package` wrote, or a folder."
        ) from error


def _report(files: dict[str, bytes], links: frozenset[str] = frozenset()) -> None:
    found = validate(files, links)
    for one in found:
        click.echo(f"- {one.rule}: {one.text}")
    if found:
        raise click.ClickException(f"{len(found)} findings; nothing was written.")


@group.command("connect")
@click.argument("connection_id")
@click.option("--installation", required=True, help="The installation's number, from its address in Admin Center.")
@click.option("--key", type=click.File(), required=True, help="The app's public key (PEM); both while it is rotated.")
@sentences
def connect(connection_id: str, installation: str, key: TextIO) -> None:
    """Tell CONNECTION_ID which installation of the app opens it, and the key Zendesk signs with."""
    pem = key.read()
    runtime().connections.account(connection_id, "zendesk")
    if not (installation.isascii() and installation.isdigit()):
        raise InputError("The installation is a number, such as 360001234567.")
    if "BEGIN PUBLIC KEY" not in pem or "PRIVATE" in pem:
        raise InputError("The key must be the app's public key, as PEM, and no private one.")
    runtime().connections.remember(connection_id, installation_id=installation, app_key=pem)
    click.echo(
        f"{connection_id} takes pages signed for installation {installation}. Open a ticket in Zendesk and look."
    )


@group.command("claims")
@click.argument("connection_id")
@sentences
def claims(connection_id: str) -> None:
    """Show which claims the newest token of CONNECTION_ID carried: names only."""
    with runtime().database.begin() as cx:
        found = sessions.last_claims(cx, connection_id)
    if found is None:
        click.echo("No page was opened in the last day.")
    else:
        click.echo(f"{found[0]:%Y-%m-%d %H:%M} UTC: {', '.join(found[1])}")
