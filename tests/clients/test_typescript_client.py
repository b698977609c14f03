"""The TypeScript client of `clients/typescript`: packed by npm, type-checked with a page, and run by Node.js."""

import asyncio
import json
import shutil
import subprocess
import tarfile
from pathlib import Path

from scripts import build_console, clients, node_packages
from tests.clients.conftest import Served
from tests.support.fixtures import World

PACKAGE = clients.ROOT / "clients/typescript"
COMPILER = str(node_packages.FOLDER / "node_modules/typescript/bin/tsc")
NODE = Path(node_packages.NODE)
STRICT = ("--strict", "--noUncheckedIndexedAccess", "--exactOptionalPropertyTypes", "--skipLibCheck")

PAY = """import { renewExpiring } from './readme.js';
const [, , url, key] = process.argv;
console.log(await renewExpiring(url, key, 30, 'key'));
"""

pytestmark = node_packages.needed


def run(*command: str, folder: Path) -> str:
    """Run a program that must succeed; return its output."""
    process = subprocess.run(
        command,
        check=False,
        cwd=folder,
        env=build_console.npm_environment(NODE.parent),
        text=True,
        capture_output=True,
        timeout=60,
    )
    assert process.returncode == 0, process.stdout + process.stderr
    return process.stdout


def pack(folder: Path) -> Path:
    """Build and pack the client, and install the file as npm would; return the folder with `node_modules`."""
    source = folder / "source"
    run(str(NODE), COMPILER, "--project", str(PACKAGE), "--outDir", str(source / "dist"), folder=folder)
    for name in ("package.json", "README.md"):
        shutil.copy(PACKAGE / name, source)
    run(*build_console.npm_command(NODE.parent), "pack", "--ignore-scripts", "--silent", folder=source)
    [archive] = source.glob("*.tgz")
    with tarfile.open(archive) as packed:
        packed.extractall(folder / "node_modules", filter="data")
    (folder / "node_modules/package").rename(folder / "node_modules/renewals-client")
    return folder


def test_the_generated_typescript_documents_are_current(tmp_path: Path) -> None:
    clients.generate_typescript(tmp_path / "generated.ts")
    assert (tmp_path / "generated.ts").read_text() == clients.TYPESCRIPT.read_text(), clients.REMEDY


async def test_the_packed_client_type_checks_with_a_page_and_runs_its_operations(
    world: World, served: Served, tmp_path: Path
) -> None:
    folder = await asyncio.to_thread(pack, tmp_path)
    shutil.copy(Path(__file__).with_name("page.ts"), folder)
    readme = (PACKAGE / "README.md").read_text(encoding="utf-8")
    (folder / "readme.ts").write_text(readme.split("```ts\n")[1].split("```")[0])
    (folder / "package.json").write_text('{"type": "module"}')
    options = ("--module", "nodenext", "--target", "es2023", "--lib", "es2023,dom", *STRICT)
    await asyncio.to_thread(run, str(NODE), COMPILER, *options, "page.ts", folder=folder)
    output = await asyncio.to_thread(run, str(NODE), "page.js", *served, folder=folder)
    bound = "must be a whole number of at least 1"
    assert json.loads(output) == {
        "accountId": "a",
        "balance": "700.00",
        "tabs": 3,
        "total": "600.00",
        "refused": ["1.00 is now 300.00", "short of 200.00", "NOT_FOUND"],
        "renewed": ["order of 600.00, balance 100.00"] * 2,
        "bodies": [3, 1],
        "refusal": ["UNAUTHENTICATED", 401, True],
        "readme": "InsufficientFunds: 300.00 is required and 100.00 is available; 200.00 is missing.",
        "responses": [[4, 503, None], [1, 429, None], [1, 200, {"forecast": 1}]],
        "options": [
            *(f"attempts {bound}, not {attempts}" for attempts in ("0", "NaN")),
            "url must begin with https:// or http://, not ftp://test",
        ],
        "invalid": [True, True],
    }
    assert await world.count("orders") == 1
    await world.top_up("200.00")
    (folder / "pay.js").write_text(PAY)
    output = await asyncio.to_thread(run, str(NODE), "pay.js", served.url, served.key, folder=folder)
    assert output.strip() == "order of 300.00, balance 0.00"
    assert await world.count("orders") == 2
    installed = folder / "node_modules/renewals-client"
    assert {str(path.relative_to(installed)) for path in installed.rglob("*.*")} == {
        *("package.json", "README.md", "dist/index.js", "dist/index.d.ts"),
        *("dist/generated.js", "dist/generated.d.ts"),
    }
