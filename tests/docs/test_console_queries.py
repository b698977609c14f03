"""The operations in examples/console_queries fit the schema, run on the demo account, and are GraphiQL's tabs."""

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from graphql import OperationDefinitionNode, OperationType, build_schema, parse, validate

from graphql_api import app
from graphql_api.graphql import console_queries, graphiql
from renewals.demo import loader
from schema.customer import schema as customer_schema
from tests.support.fixtures import World
from tests.support.graphql_client import Client

FOLDER = Path(__file__).parents[2] / "examples/console_queries"
FILES = sorted(FOLDER.glob("*.graphql"))
TEXTS = {path: path.read_text(encoding="utf-8") for path in FILES}
SCHEMA = build_schema(customer_schema.sdl())
DAY = dt.date(2027, 1, 15)


def operations(path: Path) -> list[tuple[str, OperationType]]:
    """Return the names and the kinds of the operations of a file."""
    definitions = parse(path.read_text(encoding="utf-8")).definitions
    operation_nodes = [node for node in definitions if isinstance(node, OperationDefinitionNode)]
    return [(node.name.value, node.operation) for node in operation_nodes if node.name]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_each_file_of_operations_fits_the_schema(path: Path) -> None:
    document = parse(path.read_text(encoding="utf-8"))
    assert validate(SCHEMA, document) == []
    assert len(operations(path)) == len(document.definitions), "every operation has a name"


def test_the_files_have_every_operation_of_the_console() -> None:
    names = {name for path in FILES for name, _ in operations(path)}
    assert names >= {
        *("List", "PreviewPolicy", "SetPolicy", "QuoteRenewal", "Renew", "QuoteUnify", "Unify"),
        *("InstanceDetails", "Orders", "Ledger", "History", "Forecast"),
    }


def test_the_files_are_the_tabs_of_graphiql(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    texts = [path.read_text(encoding="utf-8") for path in FILES]
    assert list(console_queries.read_all()) == texts
    for asset in graphiql.assets():
        (tmp_path / asset.place).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / asset.place).write_bytes(b"")
    page = graphiql.page(app.EXAMPLE_QUERY, folder=tmp_path, more_examples=texts)
    assert page.count("{query: ") == len(FILES)


async def test_each_operation_runs_on_the_demo_account(world: World, graphql: Client) -> None:
    await world.load_demo(DAY)
    graphql.key = await world.key(loader.ACCOUNT_ID)
    graphql.at(dt.datetime(2027, 1, 15, 2, 0, tzinfo=dt.UTC))
    results: dict[str, Any] = {}
    for path in FILES:
        for name, kind in operations(path):
            if kind is not OperationType.SUBSCRIPTION:
                results[name] = await run(graphql, TEXTS[path], name)
    assert len(results["List"]["instances"]["nodes"]) == 10
    assert results["PreviewPolicy"]["previewRenewalPolicy"]["changeCount"] > 0
    assert results["SetPolicy"]["setRenewalPolicy"]["__typename"] == "SetRenewalPolicySuccess"
    assert results["QuoteRenewal"]["quoteRenewal"]["lineCount"] > 0
    assert results["InstanceDetails"]["instance"]["name"]
    for name, field in (("Renew", "renewInstances"), ("Unify", "unifyExpiry")):
        assert results[name][field]["__typename"] in {
            *("RenewInstancesSuccess", "UnifyExpirySuccess", "InsufficientFunds"),
        }, results[name]
    assert results["History"]["eventHistory"]["nodes"]
    assert results["Orders"]["orders"]["nodes"]


async def run(client: Client, document: str, name: str) -> dict[str, Any]:
    """Return the data of an operation with the default values of its variables."""
    response = await client.http.post(
        client.url,
        json={"query": document, "operationName": name},
        headers={"Authorization": f"Bearer {client.key}"},
    )
    result: dict[str, Any] = response.json()
    assert "errors" not in result, (name, result["errors"])
    data: dict[str, Any] = result["data"]
    return data
