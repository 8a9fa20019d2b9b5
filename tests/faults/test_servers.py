"""The embedded servers, as real processes: one pair a folder, whoever is killed; nothing left after a stop."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
import uuid
from pathlib import Path

import psycopg
import pytest
import redis

from app import servers

ROOT = Path(__file__).resolve().parents[2]


def lines_of_processes():
    """pid -> what tells a process's place: command line and working folder, read without the code under test."""
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and int(entry.name) != os.getpid():
                yield int(entry.name), f"{(entry / 'cmdline').read_bytes()!r} in {os.readlink(entry / 'cwd')}"
        except OSError:
            continue


def alive(folder, what=""):
    return [pid for pid, line in lines_of_processes() if str(folder) in line and what in line]


def postmaster(folder):
    found = []

    def is_one():  # a child is titled like it for a moment after its fork
        found[:] = alive(folder, "bin/postgres")
        return len(found) == 1

    wait_until(is_one)
    return found[0]


def valkey(folder):
    (pid,) = alive(folder, "valkey-server")
    return pid


def supervisor(folder):
    (pid,) = alive(folder, "supervise")
    return pid


def kill(*pids):
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    until = time.monotonic() + 5
    while any(pid in pids for pid, line in lines_of_processes() if not line.startswith("b'' ")):
        assert time.monotonic() < until
        time.sleep(0.01)


def wait_until(true):
    until = time.monotonic() + 20
    while not true():
        assert time.monotonic() < until
        time.sleep(0.05)


def values(urls, value=None):
    """What the table of this test holds, after adding one."""
    with psycopg.connect(urls.migration_url, autocommit=True) as cx:
        cx.execute("CREATE TABLE IF NOT EXISTS kept (value int)")
        if value is not None:
            cx.execute("INSERT INTO kept VALUES (%s)", (value,))
        return [row[0] for row in cx.execute("SELECT value FROM kept ORDER BY 1")]


def answers(urls):
    with redis.Redis.from_url(urls.redis_url) as client:
        return client.ping()


def ensure(folder):
    return servers.ensure(folder, fsync=False)


@pytest.fixture
def folder():
    parent = Path("/var/tmp") / f"dbt-{uuid.uuid4().hex[:8]}"
    parent.mkdir(mode=0o755)
    yield parent / "data"
    servers.stop(parent / "data")
    left = alive(parent)
    shutil.rmtree(parent)
    assert left == []


def test_a_second_call_finds_the_same_servers_and_changes_nothing(folder):
    urls = ensure(folder)
    before = postmaster(folder), valkey(folder), supervisor(folder)
    assert ensure(folder) == urls
    assert (postmaster(folder), valkey(folder), supervisor(folder)) == before
    with psycopg.connect(urls.database_url) as cx:
        facts = cx.execute(
            "SELECT current_user::text, current_setting('synchronous_commit'), current_setting('max_connections'),"
            " current_setting('listen_addresses'), current_setting('server_encoding'), lower('Ä')"
        ).fetchone()
        assert facts == ("deskbridge_app", "on", "100", "", "UTF8", "ä")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            cx.execute("CREATE TABLE not_for_the_runtime (v int)")
    with redis.Redis.from_url(urls.redis_url) as client:
        assert client.config_get("maxmemory-policy", "port", "save") == {
            "maxmemory-policy": "noeviction", "port": "0", "save": ""
        }  # fmt: skip
    assert (folder / "run").stat().st_mode & 0o777 == 0o700


def test_many_processes_that_ask_at_once_get_one_pair(folder):
    code = "import sys, pathlib; from app import servers; print(servers.ensure(pathlib.Path(sys.argv[1]), fsync=False))"
    command = [sys.executable, "-c", code, str(folder)]
    asking = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    assert len({one.communicate(timeout=60)[0] for one in asking}) == 1
    assert all(one.returncode == 0 for one in asking)
    assert postmaster(folder)
    assert valkey(folder)
    wait_until(lambda: len(alive(folder, "supervise")) == 1)


def test_a_killed_postgres_comes_back_with_its_data_though_a_child_of_it_lingers(folder):
    urls = ensure(folder)
    assert values(urls, 1) == [1]
    main = postmaster(folder)
    with psycopg.connect(urls.database_url, autocommit=True) as cx:
        (backend,) = cx.execute("SELECT pg_backend_pid()").fetchone()
        os.kill(backend, signal.SIGSTOP)  # it holds the shared memory, and does not see its parent die
        kill(main)
        wait_until(lambda: alive(folder, "bin/postgres") and servers.status(folder)["PostgreSQL"] == "answers")
    assert postmaster(folder) != main
    assert values(urls, 2) == [1, 2]


def test_a_killed_valkey_comes_back_at_the_same_place(folder):
    urls = ensure(folder)
    before, main = valkey(folder), postmaster(folder)
    kill(before)
    wait_until(lambda: servers.status(folder)["Valkey"] == "answers")
    assert answers(urls)
    assert valkey(folder) != before
    assert postmaster(folder) == main


def test_the_servers_outlive_a_killed_supervisor_and_the_next_one_takes_them_over(folder):
    urls = ensure(folder)
    before = postmaster(folder), valkey(folder)
    kill(supervisor(folder))
    assert values(urls, 1) == [1]
    assert ensure(folder) == urls
    assert supervisor(folder)
    assert (postmaster(folder), valkey(folder)) == before
    kill(before[0])  # not its child, and yet it is missed
    wait_until(lambda: alive(folder, "bin/postgres") and servers.status(folder)["PostgreSQL"] == "answers")
    assert values(urls) == [1]


def test_after_everything_was_killed_the_next_call_has_it_all_again(folder):
    urls = ensure(folder)
    values(urls, 1)
    kill(supervisor(folder), *(pid for pid in alive(folder)))
    assert set(servers.status(folder).values()) == {"not running", "does not answer"}
    assert ensure(folder) == urls
    assert values(urls, 2) == [1, 2]


def test_a_stop_leaves_no_process_though_supervisor_and_postmaster_were_killed_before(folder):
    urls = ensure(folder)
    with psycopg.connect(urls.database_url, autocommit=True) as cx:
        (backend,) = cx.execute("SELECT pg_backend_pid()").fetchone()
        os.kill(backend, signal.SIGSTOP)
        kill(supervisor(folder), postmaster(folder))
        assert backend in alive(folder)
        servers.stop(folder)
    assert alive(folder) == []


@pytest.fixture
def strangers(folder):
    """A program of the servers' user whose pid gets into our files, and one that reads in the folder."""
    ensure(folder)
    servers.stop(folder)
    user = (folder / "postgres").stat()
    who = {"user": user.st_uid, "group": user.st_gid, "extra_groups": []} if os.geteuid() == 0 else {}
    sleeper = subprocess.Popen(["sleep", "60"], **who)
    reader = subprocess.Popen(
        ["tail", "-f", folder / "postgres.log"], cwd=folder / "postgres", stdout=subprocess.DEVNULL
    )
    yield sleeper, reader
    for stranger in (sleeper, reader):
        stranger.kill()
        stranger.wait()


def test_pid_files_that_lie_are_not_believed_and_no_stranger_is_ended(folder, strangers):
    sleeper, reader = strangers
    user = (folder / "postgres").stat()
    foreign = f"{sleeper.pid}\n{folder / 'postgres'}\n1\n5432\n{folder / 'run'}\n\n 1 1\nready\n"
    for content in ("", "garbage\n\0\n", "4194303\n", foreign):
        for name in ("postgres/postmaster.pid", "run/.s.PGSQL.5432.lock", "supervisor.lock"):
            (folder / name).write_text(content)
            shutil.chown(folder / name, user.st_uid, user.st_gid)
        ensure(folder)
        servers.stop(folder)
        assert alive(folder) == [reader.pid]
    assert [stranger.poll() for stranger in strangers] == [None, None]


@pytest.mark.slow
def test_servers_whose_folder_was_removed_end_and_a_new_folder_gets_new_ones(folder):
    values(ensure(folder), 1)
    shutil.rmtree(folder)
    wait_until(lambda: not alive(folder))
    assert values(ensure(folder)) == []


@pytest.mark.slow
def test_the_command_says_what_it_did(folder):
    def run(what):
        done = subprocess.run(
            [sys.executable, "-m", "app.servers", what, str(folder)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout

    assert run("status") == (1, "supervisor: not running\nPostgreSQL: does not answer\nValkey: does not answer\n")
    assert not folder.exists()
    code, said = run("start")
    assert code == 0
    assert f"Valkey:     unix://{folder}/run/valkey.sock?db=0" in said
    assert run("status") == (0, "supervisor: running\nPostgreSQL: answers\nValkey: answers\n")
    assert run("stop") == (0, "Stopped.\n")
