"""Where everything of one data folder is, and as whom its servers run."""

from __future__ import annotations

import hashlib
import os
import pwd
import re
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path

from integrations.kernel.errors import ConfigError

REFUGE = Path("/var/lib/deskbridge")  # for root only, when the servers' user cannot come to the folder or the wheels
SOCKET_PATH_MAX = 107  # bytes, sockaddr_un of Linux
LONGEST_SOCKET = len("/.s.PGSQL.5432")
PLAIN = re.compile(r"[A-Za-z0-9._/-]+")  # libpq takes a comma as a list, URLs quote the rest: such a path is not used
UNPRIVILEGED = ("nobody", "daemon")  # PostgreSQL wants a name for its uid


@dataclass(frozen=True, slots=True)
class Owner:
    """As whom the servers run. drop: we are root and must become somebody else for it."""

    uid: int
    gid: int
    drop: bool

    def reaches(self, path: Path) -> bool:
        """May the servers' user walk down to this path? Parts that are not there yet will be ours."""
        return not self.drop or all(self._enters(part) for part in (path, *path.parents) if part.exists())

    def _enters(self, part: Path) -> bool:
        found = part.stat()
        own = stat.S_IXUSR if found.st_uid == self.uid else stat.S_IXGRP if found.st_gid == self.gid else stat.S_IXOTH
        return bool(found.st_mode & own)

    def give(self, path: Path) -> None:
        """Hand a file or folder that we made to the servers' user."""
        if self.drop:
            os.chown(path, self.uid, self.gid, follow_symlinks=False)


@dataclass(frozen=True, slots=True)
class Layout:
    """home: the data folder, or its place in the refuge. Everything else is below it."""

    home: Path
    owner: Owner

    @property
    def data(self) -> Path:
        """PostgreSQL's data folder."""
        return self.home / "postgres"

    @property
    def cache(self) -> Path:
        """Valkey's working folder; it stays empty."""
        return self.home / "valkey"

    @property
    def lock(self) -> Path:
        """Held by the supervisor as long as it lives."""
        return self.home / "supervisor.lock"

    @property
    def problem(self) -> Path:
        """Why the servers do not run; not there when all is well."""
        return self.home / "problem.txt"

    @property
    def mark(self) -> str:
        """What the titles of PostgreSQL's processes carry, so that they are known without any special right."""
        return f"deskbridge-{digest(self.home)}"

    @property
    def sockets(self) -> Path:
        """The folder of the sockets, as short as they need it; made by `prepare`."""
        run = self.home / "run"
        return run.readlink() if run.is_symlink() else run


def digest(path: Path) -> str:
    """A short name for a path."""
    return hashlib.sha256(os.fsencode(path)).hexdigest()[:12]


def ourselves() -> Owner:
    """The servers run as whoever we are."""
    return Owner(os.geteuid(), os.getegid(), drop=False)


def find(folder: Path) -> Layout:
    """Where a data folder's servers live. Touches nothing."""
    folder = folder.resolve()
    if os.geteuid() != 0:
        return Layout(folder, ourselves())
    owner, refuge = root_becomes(folder / "postgres"), REFUGE.resolve() / digest(folder)
    if refuge.exists() or not owner.reaches(folder):
        return Layout(refuge, root_becomes(refuge / "postgres"))
    return Layout(folder, owner)


def root_becomes(data: Path | None = None) -> Owner:
    """As whom root runs the servers: whose data it is already, else somebody without rights."""
    if data is not None and data.is_dir() and data.stat().st_uid != 0:
        return Owner(data.stat().st_uid, data.stat().st_gid, drop=True)
    for name in UNPRIVILEGED:
        try:
            user = pwd.getpwnam(name)
        except KeyError:
            continue
        return Owner(user.pw_uid, user.pw_gid, drop=True)
    raise ConfigError(f"PostgreSQL does not run as root, and there is no user {' or '.join(UNPRIVILEGED)} to run it as")


def make_home(at: Layout) -> None:
    """Make the data folder and what is missing above it, so that the servers' user can come in."""
    for part in (*reversed(at.home.parents), at.home):
        try:
            part.mkdir()
        except FileExistsError:
            continue
        if at.owner.drop:
            part.chmod(0o755)  # we made it just now; a strict umask would close it to the servers' user


def prepare(at: Layout) -> None:
    """Make the folders below home; only whoever holds the lock calls this."""
    _private(at.cache, at.owner)
    run = at.home / "run"
    if _usable(run):
        if run.is_symlink():
            run.unlink()  # the folder was moved from a place with a longer path
        _private(run, at.owner)
    elif not (run.is_symlink() and _is_private(run.readlink(), at.owner)):
        run.unlink(missing_ok=True)
        run.symlink_to(private_folder(at.owner))


def private_folder(owner: Owner) -> Path:
    """Make a private folder with a short path that nobody could guess, in the system's temporary folder."""
    for base in (tempfile.gettempdir(), "/tmp", "/var/tmp", "/dev/shm"):  # noqa: S108 - mkdtemp makes it, 0700
        if _usable(Path(base) / "deskbridge-12345678") and owner.reaches(Path(base)) and os.access(base, os.W_OK):
            path = Path(tempfile.mkdtemp(prefix="deskbridge-", dir=base))
            owner.give(path)
            return path
    raise ConfigError("no temporary folder has a short path that the servers' user can reach; set TMPDIR to one")


def _usable(sockets: Path) -> bool:
    fits = len(os.fsencode(sockets)) + LONGEST_SOCKET <= SOCKET_PATH_MAX
    return fits and PLAIN.fullmatch(str(sockets)) is not None


def _private(path: Path, owner: Owner) -> None:
    if _is_private(path, owner):
        return
    path.mkdir(mode=0o700, exist_ok=True)
    folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        if owner.drop:
            os.fchown(folder, owner.uid, owner.gid)
        os.fchmod(folder, 0o700)
    finally:
        os.close(folder)


def _is_private(path: Path, owner: Owner) -> bool:
    """A real folder of the servers' user that nobody else may enter."""
    try:
        found = path.lstat()
    except FileNotFoundError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == owner.uid and stat.S_IMODE(found.st_mode) == 0o700
