"""One run of the demo: a folder of its own, the sandbox and the product as child processes, used as an operator does."""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests

from sandbox import commands
from sandbox.desk import demo as sidebar

ROOT = Path(__file__).resolve().parents[1]
PORTS = 8400
WEB = 8300
SANDBOX = f"http://127.0.0.1:{PORTS}/sandbox"
ZENDESK, STRIPE, INTERCOM, SALESFORCE = (f"http://127.0.0.1:{PORTS + step}" for step in (10, 20, 30, 40))


def say(text: str) -> None:
    """One line for whoever watches."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


class Demo:
    """One run: a folder of its own, the sandbox and the product as child processes."""

    def __init__(self, folder: Path, options: argparse.Namespace) -> None:
        self.folder = folder
        self.options = options
        self.http = requests.Session()
        self.http.trust_env = False
        self.children: list[subprocess.Popen[bytes]] = []
        self.environment = {
            **os.environ,  # noqa: TID251 - handed on to the children, with the demo's own settings on top
            "MODE": "sandbox", "DATA_FOLDER": str(folder / "servers"), "WEB_PORT": str(WEB),
            "PUBLIC_URL": f"http://127.0.0.1:{WEB}", "WEB_PROCESSES": "2", "WORKER_PROCESSES": "2",
            "LOG_LEVEL": "warning",
            # A day is half a minute here: lists of changes are read as often, and a change counts as lost as soon.
            "CATCHUP_S": "15", "CATCHUP_GRACE_S": "5", "LEAD_GATHER_S": "2", "LEAD_PUSH_S": "1", "LEAD_VERDICT_S": "5",
            **sidebar.environment(SANDBOX),
        }  # fmt: skip

    def flask(self, *words: str, show: bool = False) -> str:
        """Run a command of the product; its words come back, or the demo ends with them."""
        done = commands.run(words, self.environment, show=show)
        if done.returncode:
            raise SystemExit(f"`flask {' '.join(words)}` failed:\n{done.stdout}{done.stderr}")
        return done.stdout

    def attempt(self, *words: str) -> tuple[int, str]:
        """Run a command that may be refused: its exit code and everything it said."""
        done = commands.run(words, self.environment, merge=True)
        return done.returncode, done.stdout

    def start(self, name: str, *command: str) -> None:
        """A child process, its output in a log beside the data."""
        with (self.folder / f"{name}.log").open("wb") as log:
            self.children.append(
                subprocess.Popen(
                    [sys.executable, "-m", *command],
                    cwd=ROOT,
                    env=self.environment,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )  # fmt: skip
            )

    def stop(self) -> None:
        """End every child, then the embedded servers."""
        for child in reversed(self.children):
            if child.poll() is None:
                child.send_signal(signal.SIGTERM)
        for child in self.children:
            try:
                child.wait(30)
            except subprocess.TimeoutExpired:
                child.kill()
        self.flask("servers", "stop")
        self.http.close()

    def wait_for(self, what: str, url: str, seconds: float = 60.0) -> None:
        """Until an address answers 200."""
        until = time.monotonic() + seconds
        while time.monotonic() < until and all(child.poll() is None for child in self.children):
            try:
                if self.http.get(url, timeout=5).status_code == 200:
                    return
            except requests.RequestException:
                pass
            time.sleep(0.2)
        raise SystemExit(f"{what} did not come up at {url}.{self.logs()}")

    def logs(self) -> str:
        """The end of what each child wrote."""
        return "".join(f"\n{log.name}: {log.read_text()[-2000:]}" for log in sorted(self.folder.glob("*.log")))

    def json(self, url: str) -> Any:  # noqa: ANN401 - JSON
        answer = self.http.get(url, timeout=30)
        answer.raise_for_status()
        return answer.json()

    def post(self, url: str, body: Any) -> Any:  # noqa: ANN401 - JSON
        answer = self.http.post(url, json=body, timeout=120)
        answer.raise_for_status()
        return answer.json()


@contextmanager
def running(options: argparse.Namespace) -> Iterator[Demo]:
    """A demo in a fresh folder; everything it started is ended, whatever happens."""
    folder = Path(tempfile.mkdtemp(prefix="deskbridge-demo-"))
    folder.chmod(0o711)
    demo = Demo(folder, options)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    try:
        yield demo
    finally:
        demo.stop()
        shutil.rmtree(folder, ignore_errors=True)
