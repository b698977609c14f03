"""The duration and memory of imports: of a new file, of the same file again, and of the rest after a killed import.

`python -m benchmarks.imports [rows]` writes a file with the instances of 1,000 accounts in mixed order, and imports it
with `renewals import`.
"""

import asyncio
import os
import subprocess
import sys
import time
from pathlib import Path

import asyncpg

from benchmarks import stage
from benchmarks.exports import MEBIBYTE, WORK, Memory

ROWS = 1_000_000
ACCOUNTS = 1_000
BUNDLE_EVERY, BUNDLE_MEMBERS = 50, 3
CATALOGUE = """kind,code,name,nameZh,type,tiers
PRODUCT,kec,Elastic Compute,云服务器,,12:17%
PRODUCT,eip,Elastic IP,弹性IP,,
DATA_CENTER_TYPE,VPC,Virtual private cloud,专有网络,,
DATA_CENTER,bj-6,北京6区(VPC),,VPC,
DATA_CENTER,sh-2,上海2区(VPC),,VPC,
"""


def write(folder: Path, rows: int) -> None:
    """Write three files to a folder: the catalog, the accounts, and `rows` instances."""
    (folder / "catalogue.csv").write_text(CATALOGUE, encoding="utf-8")
    with (folder / "accounts.csv").open("w", encoding="utf-8") as file:
        file.write("id,name,balance\n")
        file.writelines(f"a-{number:04},客户 {number},1000.00\n" for number in range(ACCOUNTS))
    with (folder / "instances.csv").open("w", encoding="utf-8") as file:
        file.write(
            "accountId,id,name,productCode,dataCenterCode,monthlyPrice,expiresOn,renewalMode,bundleId,bundleName,"
            "configuration.CPU,configuration.内存\n"
        )
        file.writelines(map(_line, range(rows)))


def _line(number: int) -> str:
    bundle, place = divmod(number, BUNDLE_EVERY)
    is_member = place < BUNDLE_MEMBERS
    drawn = (bundle if is_member else number) * 2_654_435_761 >> 7
    of_bundle = f"b-{bundle:07},训练集群 {bundle}" if is_member else ","
    return (
        f"a-{drawn % ACCOUNTS:04},i-{number:010},云服务器 {number},{('kec', 'eip')[number % 3 == 0]},"
        f"{('bj-6', 'sh-2')[number % 2]},{10 + number % 900}.{number % 100:02},"
        f"{2029 + drawn % 3}-{1 + drawn % 12:02}-{1 + drawn % 28:02},{('MANUAL', 'AUTO')[drawn % 3 == 0]},"
        f"{of_bundle},{2 << number % 5},{4 << number % 5}GB\n"
    )


def take(url: str, path: Path, *, kill_at: int | None = None) -> None:
    """Import a file in a separate process, and print the duration and the peak memory of the import.

    If `kill_at` is given, kill the process when the database has at least this number of instances.
    """
    command = [sys.executable, "-m", "graphql_api", "import", path.stem, str(path)]
    environment = os.environ | {"DATABASE_URL": url}
    started = time.monotonic()
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    with process:
        assert process.stdout is not None
        with Memory(process.pid) as memory:
            if kill_at is not None:
                while asyncio.run(count(url)) < kill_at:
                    time.sleep(1)
                process.kill()
            outcome = process.stdout.read().decode().strip()
    if kill_at is not None:
        outcome = f"killed at {asyncio.run(count(url))} rows"
    print(
        f"{path.name}: {time.monotonic() - started:.1f} s, {memory.peak:.0f} MiB at its peak; {outcome}",
        flush=True,
    )


async def count(url: str) -> int:
    connection = await asyncpg.connect(url)
    try:
        return int(await connection.fetchval("SELECT count(*) FROM instances"))
    finally:
        await connection.close()


def main() -> None:
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else ROWS
    WORK.mkdir(parents=True, exist_ok=True)
    write(WORK, rows)
    size = (WORK / "instances.csv").stat().st_size / MEBIBYTE
    print(f"{rows} instances of {ACCOUNTS} accounts, mixed, in {size:.0f} MiB", flush=True)
    with stage.Stage(WORK) as environment:
        os.sched_setaffinity(0, {core for core in (environment.server_core,) if core is not None})
        for name, kill_at in (("first", None), ("killed", rows // 3)):
            url = environment.create_database(f"imports_{name}")
            for list_name in ("catalogue", "accounts"):
                take(url, WORK / f"{list_name}.csv")
            take(url, WORK / "instances.csv", kill_at=kill_at)
            take(url, WORK / "instances.csv")
            assert asyncio.run(count(url)) == rows


if __name__ == "__main__":
    main()
