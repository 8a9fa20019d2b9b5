"""Commands of the product, each in a process of its own that begins with the product imported: a second less for each.

A demo gives dozens of commands, and what a command costs is mostly importing. One process imports everything once; each
command runs in a fork of it, with its own environment, output and exit code, as from a shell.
"""

from __future__ import annotations

import multiprocessing
import os
import runpy
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from subprocess import CompletedProcess

ROOT = Path(__file__).resolve().parents[1]
# What wsgi.py imports; not wsgi.py itself, which reads the settings.
_IMPORTED = ["flask.cli", "app.admin", "app.cli", "app.factory", "sidebar_app", "webhooks"]

_ready = multiprocessing.get_context("forkserver")
_ready.set_forkserver_preload(_IMPORTED)


def run(
    words: Sequence[str], environment: Mapping[str, str], *, merge: bool = False, show: bool = False
) -> CompletedProcess[str]:
    """`flask --app wsgi` with these words.

    Args:
        merge: errors come with the output, in the order they were written.
        show: they are not taken, but go where ours go.
    """
    with tempfile.TemporaryDirectory(prefix="deskbridge-command-") as folder:
        out = Path(folder, "out")
        err = out if merge else Path(folder, "err")
        files = {1: str(out)} if show else {1: str(out), 2: str(err)}
        child = _ready.Process(target=_command, args=(tuple(words), dict(environment), files))
        child.start()
        child.join()
        told = "" if merge or show else err.read_text()
        return CompletedProcess(list(words), child.exitcode or 0, out.read_text(), told)


def _command(words: Sequence[str], environment: Mapping[str, str], files: Mapping[int, str]) -> None:
    for number, name in files.items():
        os.dup2(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_APPEND), number)
    os.environ.clear()  # noqa: TID251 - a child that becomes the command, as `env` does
    os.environ.update(environment)  # noqa: TID251
    os.chdir(ROOT)
    sys.argv = ["flask", "--app", "wsgi", *words]
    runpy.run_module("flask", run_name="__main__", alter_sys=True)
