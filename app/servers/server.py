"""What PostgreSQL and Valkey have in common: adopt it, wait for it, or end what is left of it and start it."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from pathlib import Path

from app.servers import processes
from app.servers.layout import Layout
from integrations.kernel.errors import ConfigError

START_S = 60.0
PATIENCE_S = 120.0  # a server that lives and does not answer: it recovers after a crash, or the machine is busy
SOCKETLESS_S = 10.0  # one whose socket was removed never will


class Server(ABC):
    """One server of one data folder."""

    name: str

    def __init__(self, at: Layout) -> None:
        self.at = at

    @property
    def log(self) -> Path:
        """Where the server writes."""
        return self.at.home / f"{self.name}.log"

    @property
    @abstractmethod
    def socket(self) -> Path:
        """Where it listens."""

    @abstractmethod
    def answers(self) -> bool:
        """Does the server behind our socket answer, and is it the one of our folder?"""

    @abstractmethod
    def leads(self, line: list[bytes]) -> bool:
        """Is this the command line of our server's main process?"""

    @abstractmethod
    def belongs(self, line: list[bytes]) -> bool:
        """Is this the command line of any process of our server?"""

    @abstractmethod
    def launch(self) -> None:
        """Start the process; nothing of an earlier one is there any more."""

    @abstractmethod
    def end(self) -> None:
        """Stop it, gently and then by force; no process of it is left. Raises ConfigError when one cannot be ended."""

    def pids(self) -> list[int]:
        """The main process; empty when it is dead, whatever lingers of it."""
        return processes.find(self.at.owner.uid, self.leads)

    def left(self) -> list[int]:
        """Every process of it."""
        return processes.find(self.at.owner.uid, self.belongs)

    def keep(self) -> None:
        """Have it running. Raises ConfigError with the end of its log."""
        if self.answers() or self._comes(PATIENCE_S):
            return
        self.end()
        self.launch()
        if not self._comes(START_S):
            raise ConfigError(f"{self.name} did not start; {self.log} ends with:\n{processes.tail(self.log)}")

    def _comes(self, wait_s: float) -> bool:
        """Wait until it answers; False when its process ends, has no socket, or is silent for so long."""
        began = time.monotonic()
        while (waited_s := time.monotonic() - began) < wait_s:
            processes.reap()
            running = bool(self.pids())  # asked first: it may answer, end, and be gone
            if self.answers():
                return True
            if not running or (waited_s > SOCKETLESS_S and not self.socket.exists()):
                return False
            time.sleep(0.03)
        return False

    def _force_failed(self) -> ConfigError:
        return ConfigError(f"{self.name} of {self.at.home} could not be ended: processes {self.left()}")
