"""The wheel: its build, its contents, and a start in a new environment without npm and without the repository."""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import httpx2
import pytest

from graphql_api.graphql import graphiql
from scripts import build_console, smoke

ROOT = Path(__file__).parents[2]


NO_REGISTRY = {"NPM_CONFIG_REGISTRY": "http://127.0.0.1:9"}
SOURCES = (
    *(
        "console",
        "examples/console_queries",
        "graphql_api",
        "renewals",
        "requirements",
        "schema",
        "scripts",
        "workers",
    ),
    *(".gitignore", "LICENSE", "README.md", "operator.graphql", "pyproject.toml", "schema.graphql"),
)


def copy_sources(folder: Path) -> Path:
    """Copy the repository as a clone has it, without generated files."""
    ignore_generated = shutil.ignore_patterns("generated", "node_modules", "static", "__pycache__")
    for name in SOURCES:
        source, target = ROOT / name, folder / name
        target.parent.mkdir(exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=ignore_generated)
        else:
            shutil.copy(source, target)
    return folder


def pack(clone: Path, target: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Build a distribution from a clone, in this environment instead of an isolated one."""
    command = [sys.executable, "-m", "hatchling", "build", "--target", target]
    environment = os.environ | variables
    return subprocess.run(command, cwd=clone, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel that is built from the source distribution, without another build of the console.

    Both distributions contain the files from `make setup`, because a build of the console takes longer than all the
    other steps.
    """
    if not build_console.is_built() or not graphiql.FOLDER.is_dir():
        pytest.skip("the console is not built, or GraphiQL's files were not fetched: run make setup")
    clone = copy_sources(tmp_path_factory.mktemp("clone"))
    shutil.copytree(graphiql.FOLDER.parent, clone / "graphql_api/static")
    packed = pack(clone, "sdist", **NO_REGISTRY)
    assert packed.returncode == 0, packed.stderr
    [source] = (clone / "dist").iterdir()
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    environment = os.environ | NO_REGISTRY
    subprocess.run([*command, "--wheel-dir", str(folder), str(source)], env=environment, check=True)
    [built] = folder.iterdir()
    return built


@pytest.fixture(scope="module")
def renewals(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The command `renewals` of an environment that has the wheel and the dependencies of this environment."""
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


def test_the_wheel_has_four_packages_and_the_files_of_the_console_and_of_graphiql(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {
        "graphql_api",
        "renewals",
        "schema",
        "workers",
    }
    files = {asset.place for asset in graphiql.assets()}
    assert {f"graphql_api/static/graphiql/{place}" for place in files} <= set(names)
    pages = {"index.html", "persisted-documents.json", "favicon.svg"}
    assert {f"graphql_api/static/console/{page}" for page in pages} <= set(names)
    assert any(re.fullmatch(r"graphql_api/static/console/assets/index-.*\.js\.br", name) for name in names)


def test_a_build_without_the_registry_ends_with_the_reason_and_the_remedy(tmp_path: Path) -> None:
    packed = pack(copy_sources(tmp_path), "wheel", **NO_REGISTRY)
    assert packed.returncode == 1
    assert "The console was not built. npm ci failed:" in packed.stderr
    assert "GraphiQL's files were not fetched. npm cannot download" in packed.stderr
    assert packed.stderr.rstrip().endswith("set HATCH_BUILD_NO_HOOKS=true.")
    assert not (tmp_path / "dist").exists() or not list((tmp_path / "dist").iterdir())


def test_an_installed_wheel_starts_the_demo_in_an_empty_folder(renewals: Path, wheel: Path) -> None:
    with smoke.running([str(renewals)]) as demo:
        assert smoke.check(demo) > 200
        page = smoke.read(f"{demo.address}/graphql")
        for asset in graphiql.assets():
            place = f"/graphiql/{asset.place}"
            assert f'"{place}" integrity="{asset.integrity}"' in page
            packed = zipfile.ZipFile(wheel).read(f"graphql_api/static/graphiql/{asset.place}")
            assert httpx2.get(demo.address + place).content == packed
        banner = demo.output()
    assert "Open http://127.0.0.1:" in banner
    assert "docs/" not in banner, "an installed wheel names a file of the repository"


def test_a_smoke_test_ends_with_the_output_of_a_program_that_fails(tmp_path: Path) -> None:
    program = tmp_path / "renewals"
    program.write_text("#!/bin/sh\necho no servers here\nexit 3\n")
    program.chmod(0o755)
    with (
        pytest.raises(smoke.SmokeError, match=r"ended early(.|\n)*no servers here"),
        smoke.running([str(program)]),
    ):
        pass
    with (
        pytest.raises(smoke.SmokeError, match="The program /nowhere was not found"),
        smoke.running(["/nowhere"]),
    ):
        pass


def test_the_schema_is_printed_by_a_wheel_and_written_or_compared_in_the_repository_only(
    renewals: Path, tmp_path: Path
) -> None:
    code, printed, _ = run(renewals, tmp_path, "schema")
    assert (code, printed) == (0, (ROOT / "schema.graphql").read_text())
    for option in ("--write", "--check"):
        code, printed, error = run(renewals, tmp_path, "schema", option)
        assert (code, printed) == (1, "")
        assert error.startswith("--check and --write work only in the repository, and /")
        assert error.count("\n") == 1
    assert not list(renewals.parents[1].glob("lib/python*/site-packages/*.graphql"))


@pytest.mark.parametrize("name", ["schema", "workers"])
@pytest.mark.parametrize("form", ["{}.py", "{}/__init__.py", "{}/something.txt"])
def test_a_package_that_shadows_the_project_is_reported(
    renewals: Path, tmp_path: Path, name: str, form: str
) -> None:
    shadow = tmp_path / form.format(name)
    shadow.parent.mkdir(exist_ok=True)
    shadow.write_text("")
    code, printed, error = run(renewals, tmp_path, "serve", PYTHONPATH=str(tmp_path))
    if shadow.suffix == ".txt":  # only a folder that contains a module can shadow a package
        assert "Python would import" not in error
        return
    assert (code, printed, error.count("\n")) == (1, "", 1)
    assert error.startswith(f"Python would import `{name}` from {shadow}, but Renewals needs the one in /")
    assert "into its own environment" in error
