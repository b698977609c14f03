"""The machine of the measurements, and the versions of Python, PostgreSQL and the Python packages."""

import importlib.metadata
import os
import platform
import subprocess
import sys
from pathlib import Path

PACKAGES = (
    "strawberry-graphql",
    "graphql-core",
    "tortoise-orm",
    "asyncpg",
    "orjson",
    "starlette",
    "uvicorn",
    "uvloop",
    "httptools",
)


def describe(postgres_programs: Path) -> dict[str, str]:
    """Return the properties and the versions by name, in the order in which the report lists them."""
    version = subprocess.run(
        [f"{postgres_programs}/postgres", "--version"], capture_output=True, text=True, check=True
    )
    return {
        "CPU": _cpu(),
        "cores": str(os.cpu_count()),
        "memory": _memory(),
        "system": f"{platform.system()} {platform.release()}",
        "Python": f"{platform.python_implementation()} {sys.version.split()[0]}",
        "PostgreSQL": version.stdout.split()[-1],
    } | {name: importlib.metadata.version(name) for name in PACKAGES}


def _cpu() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "model name":
                return value.strip()
    if sys.platform == "darwin":
        command = ["/usr/sbin/sysctl", "-n", "machdep.cpu.brand_string"]
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    return platform.processor() or platform.machine()


def _memory() -> str:
    pages, page_bytes = os.sysconf("SC_PHYS_PAGES"), os.sysconf("SC_PAGE_SIZE")
    return f"{pages * page_bytes / 1024**3:.0f} GiB"
