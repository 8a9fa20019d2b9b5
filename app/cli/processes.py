"""`flask web`, `flask worker`, `flask db upgrade`, `flask servers ...`: what runs."""

from __future__ import annotations

import click
from flask import current_app
from flask.cli import AppGroup

from app import wake
from app.cli import launch
from app.cli.context import runtime, sentences
from app.db import migrations
from app.jobs import worker
from app.runtime import safe_url
from app.servers import stop as stop_servers
from app.telemetry.logs import configure

db = AppGroup("db", help="The database's tables.")
embedded = AppGroup("servers", help="The embedded PostgreSQL and Redis.")


@click.command("web")
@click.option("--processes", type=int, default=None, help="WEB_PROCESSES instead.")
@sentences
def web(processes: int | None) -> None:
    """Serve webhooks and pages on WEB_HOST:WEB_PORT, in WEB_PROCESSES processes that share the port."""
    settings = runtime().settings
    count = processes or settings.web_processes
    if processes == 1:
        launch.serve(current_app._get_current_object(), settings)  # type: ignore[attr-defined]
    else:
        click.echo(f"Deskbridge answers on http://{settings.web_host}:{settings.web_port} ({count} processes).")
        launch.supervise([["web", "--processes", "1"]] * count, launch.shared_metrics(settings.data_folder))


@click.command("worker")
@click.option("--processes", type=int, default=None, help="WORKER_PROCESSES instead.")
@click.option("--first", type=click.Choice(wake.QUEUES), default=wake.INBOX, help="The queue it prefers.")
@sentences
def work(processes: int | None, first: str) -> None:
    """Work events off and send changes, in WORKER_PROCESSES processes."""
    count = processes or runtime().settings.worker_processes
    if processes == 1:
        configure(runtime().settings.log_level)
        worker.run(runtime(), (first, *(queue for queue in wake.QUEUES if queue != first)))
    else:
        prefers = [wake.QUEUES[n % len(wake.QUEUES)] if count > 1 else first for n in range(count)]
        commands = [["worker", "--processes", "1", "--first", queue] for queue in prefers]
        launch.supervise(commands, launch.shared_metrics(runtime().settings.data_folder))


@db.command("upgrade")
@sentences
def upgrade() -> None:
    """Bring the database to the newest revision; does nothing when it is there."""
    migrations.upgrade(runtime().urls.migration)
    click.echo(f"The database is at {migrations.head()}.")


@embedded.command("start")
@sentences
def start() -> None:
    """Start the embedded servers (they also start by themselves when they are needed)."""
    urls = runtime().urls
    click.echo(f"PostgreSQL: {safe_url(urls.database)}\nRedis:      {urls.redis}")


@embedded.command("stop")
@sentences
def stop() -> None:
    """Stop the embedded servers of DATA_FOLDER; nothing of them is left running."""
    stop_servers(runtime().settings.data_folder)
    click.echo("Stopped.")


COMMANDS = (web, work, db, embedded)
