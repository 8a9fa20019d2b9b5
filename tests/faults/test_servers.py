"""The embedded servers: one pair a folder, whoever is killed; nothing left after a stop. Real processes."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest

from app import servers
from app.servers import layout, processes, supervisor

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")


@pytest.fixture
def folder(tmp_path_factory):
    path = Path("/var/tmp") / f"deskbridge-test-{os.getpid()}-{time.monotonic_ns()}"
    path.mkdir()
    path.chmod(0o711)
    yield path
    servers.stop(path)
    shutil.rmtree(path, ignore_errors=True)


def alive(folder):
    at = layout.layout(folder)
    return processes.working_in(at.data, "postgres") + processes.working_in(at.sockets, "valkey-server")


def postmaster(folder):
    at = layout.layout(folder)
    return int((at.data / "postmaster.pid").read_text().split()[0])


def kept(url, value=None):
    with psycopg.connect(url, autocommit=True) as cx:
        if value is not None:
            cx.execute("CREATE TABLE IF NOT EXISTS public.t (v int)")
            cx.execute("INSERT INTO public.t VALUES (%s)", (value,))
        return [row[0] for row in cx.execute("SELECT v FROM public.t")]


def test_many_callers_at_once_get_one_pair_and_a_stop_leaves_nothing(folder):
    code = (
        f"from pathlib import Path; from app import servers; print(servers.ensure(Path({str(folder)!r}), fsync=False))"
    )
    running = [
        subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(3)
    ]
    answers = {p.communicate(timeout=90)[0] for p in running}
    assert len(answers) == 1
    assert len(processes.working_in(layout.layout(folder).sockets, "valkey-server")) == 1
    servers.stop(folder)
    assert alive(folder) == []
    assert set(servers.status(folder).values()) == {"not running", "does not answer"}


def test_whoever_is_killed_comes_back_and_the_data_with_it(folder):
    urls = servers.ensure(folder, fsync=False)
    owner = urls.migration_url
    assert kept(owner, 1) == [1]
    os.kill(postmaster(folder), signal.SIGKILL)
    time.sleep(0.3)
    assert servers.ensure(folder, fsync=False) == urls
    assert kept(owner, 2) == [1, 2]
    valkey = processes.working_in(layout.layout(folder).sockets, "valkey-server")
    os.kill(valkey[0], signal.SIGKILL)
    time.sleep(0.3)
    servers.ensure(folder, fsync=False)
    before = postmaster(folder)
    os.kill(supervisor.pid(layout.layout(folder)), signal.SIGKILL)
    time.sleep(0.3)
    servers.ensure(folder, fsync=False)
    assert postmaster(folder) == before, "the new supervisor takes the running server over"
    for pid in [*alive(folder), supervisor.pid(layout.layout(folder))]:
        os.kill(pid, signal.SIGKILL)
    time.sleep(0.3)
    servers.ensure(folder, fsync=False)
    assert kept(owner) == [1, 2]


@pytest.mark.parametrize("content", ["", "garbage\n", "999999\n", "foreign"])
def test_a_pid_file_that_lies_is_not_believed_and_nobody_is_killed_by_it(folder, content):
    servers.ensure(folder, fsync=False)
    servers.stop(folder)
    with subprocess.Popen(["sleep", "60"]) as bystander:
        at = layout.layout(folder)
        text = f"{bystander.pid}\n{at.data}\n1\n5432\n{at.sockets}\n" if content == "foreign" else content
        (at.data / "postmaster.pid").write_text(text)
        servers.ensure(folder, fsync=False)
        assert bystander.poll() is None
        bystander.kill()


@pytest.mark.skipif(os.geteuid() != 0, reason="LOUD: not root, so the run as another user was NOT made")
def test_a_normal_user_gets_servers_too(folder):
    user = pwd.getpwnam("daemon")
    mine = folder / "mine"
    mine.mkdir()
    os.chown(mine, user.pw_uid, user.pw_gid)
    if not os.access(sys.executable, os.X_OK) or str(Path(sys.executable).resolve()).startswith("/root"):
        pytest.skip("LOUD: this Python lies in root's private home, so the run as another user was NOT made")
    code = "import sys; from pathlib import Path; from app import servers; f = Path(sys.argv[1]); servers.ensure(f, fsync=False); servers.stop(f); print('well')"
    done = subprocess.run(
        [sys.executable, "-c", code, str(mine)],
        cwd=ROOT,
        user=user.pw_uid,
        group=user.pw_gid,
        capture_output=True,
        text=True,
    )
    assert "well" in done.stdout, done.stderr


def test_a_long_folder_name_is_no_trouble(folder):
    deep = folder / ("d" * 120) / ("e" * 60)
    deep.mkdir(parents=True)
    for part in (deep, deep.parent):
        part.chmod(0o711)
    urls = servers.ensure(deep, fsync=False)
    assert kept(urls.migration_url, 7) == [7]
    servers.stop(deep)
    assert alive(deep) == []
