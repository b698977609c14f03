"""The wheel: its contents, and a start in a fresh environment, without npm and without the repository."""

import os
import socket
import subprocess
import sys
import sysconfig
import time
import venv
import zipfile
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from graphql_api.graphql import graphiql
from graphql_api.rest import console

ROOT = Path(__file__).parents[2]
START_SECONDS_MAX = 60


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*command, "--wheel-dir", str(folder), str(ROOT)], check=True)
    [built] = folder.iterdir()
    return built


@pytest.fixture(scope="module")
def renewals(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The command of an environment with the wheel, and the dependencies of this environment."""
    folder = tmp_path_factory.mktemp("installed")
    venv.create(folder, symlinks=True)
    python = str(folder / "bin/python")
    command = [sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-deps"]
    subprocess.run([*command, "--no-index", str(wheel)], check=True)
    [site_packages] = folder.glob("lib/python*/site-packages")
    (site_packages / "dependencies.pth").write_text(sysconfig.get_path("purelib"))
    return folder / "bin/renewals"


def run(renewals: Path, folder: Path, *arguments: str, **variables: str) -> tuple[int, str, str]:
    environment = {"PATH": os.defpath, "HOME": str(folder), **variables}
    process = subprocess.run(
        [renewals, *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    return process.returncode, process.stdout, process.stderr


def test_the_wheel_has_four_packages_and_graphiql_files(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {
        "graphql_api",
        "renewals",
        "schema",
        "workers",
    }
    if graphiql.FOLDER.is_dir():  # the set-up without a network leaves it out
        assert {f"graphql_api/static/graphiql/{asset.place}" for asset in graphiql.assets()} <= set(names)
    built = [path.relative_to(ROOT).as_posix() for path in console.FOLDER.rglob("*") if path.is_file()]
    assert set(built) <= set(names)


@pytest.mark.skipif(not graphiql.FOLDER.is_dir(), reason="the set-up fetched no GraphiQL: it had no network")
def test_an_installed_wheel_serves_graphiql_without_npm(
    renewals: Path, tmp_path: Path, database_url: str
) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{probe.getsockname()[1]}"
    environment = {
        "PATH": os.defpath,
        "HOME": str(tmp_path),
        "DATABASE_URL": database_url,
        "RENEWALS_GRAPHIQL": "true",
        "RENEWALS_DATA_DIR": str(tmp_path / "elsewhere"),
        "RENEWALS_PORT": address.rpartition(":")[2],
    }
    server = subprocess.Popen([renewals, "serve"], cwd=tmp_path, env=environment)
    try:
        page = next(pages(server, address))
        for asset in graphiql.assets():
            place = f"/graphiql/{asset.place}"
            assert f'"{place}" integrity="{asset.integrity}"' in page
            served = httpx2.get(address + place).content
            assert served == (graphiql.FOLDER / asset.place).read_bytes()
    finally:
        server.terminate()
        server.wait()


def pages(server: subprocess.Popen[bytes], address: str) -> Iterator[str]:
    """Return GraphiQL's page once it exists."""
    deadline = time.monotonic() + START_SECONDS_MAX
    while time.monotonic() < deadline and server.poll() is None:
        try:
            page = httpx2.get(f"{address}/", headers={"Accept": "text/html"}, follow_redirects=True)
        except httpx2.TransportError:
            time.sleep(0.1)
        else:
            assert page.status_code == 200
            yield page.text


def test_the_schema_is_printed_by_a_wheel_and_written_or_compared_in_the_repository_only(
    renewals: Path, tmp_path: Path
) -> None:
    code, printed, _ = run(renewals, tmp_path, "schema")
    assert (code, printed) == (0, (ROOT / "schema.graphql").read_text())
    for option in ("--write", "--check"):
        code, printed, error = run(renewals, tmp_path, "schema", option)
        assert (code, printed) == (1, "")
        assert error.startswith("--check and --write need the repository, and /")
        assert error.count("\n") == 1
    assert not list(renewals.parents[1].glob("lib/python*/site-packages/*.graphql"))


@pytest.mark.parametrize("name", ["schema", "workers"])
@pytest.mark.parametrize("form", ["{}.py", "{}/__init__.py", "{}/something.txt"])
def test_a_package_that_shadows_the_project_is_reported(
    renewals: Path, tmp_path: Path, name: str, form: str
) -> None:
    other = tmp_path / form.format(name)
    other.parent.mkdir(exist_ok=True)
    other.write_text("")
    code, printed, error = run(renewals, tmp_path, "serve", PYTHONPATH=str(tmp_path))
    if other.suffix == ".txt":  # only a folder that contains a module can shadow a package
        assert "Python would import" not in error
        return
    assert (code, printed, error.count("\n")) == (1, "", 1)
    assert error.startswith(f"Python would import `{name}` from {other}, but Renewals needs the one in /")
    assert "into its own environment" in error
