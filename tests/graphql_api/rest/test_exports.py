"""Exports as CSV and JSON Lines: their rows, their authentication, and their refusals."""

import csv
import datetime as dt
import io
import itertools
import urllib.parse
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import orjson
import pytest

from renewals.accounts import api_keys
from renewals.db import connection as database
from renewals.domain import model
from renewals.exports import tables
from tests.support.fixtures import NOW, World
from tests.support.graphql_client import Client

HOST = "http://testserver/export"
RENEW = """mutation ($ids: [ID!]!, $key: String!) {
  renewInstances(input: {selection: {ids: $ids}, months: 1, idempotencyKey: $key}) {
    ... on RenewInstancesSuccess { order { id } } } }"""


async def request_export(
    graphql: Client, path: str, /, body: object = None, **arguments: str
) -> httpx2.Response:
    """Return the response. The name of an argument that is a Python keyword ends with an underscore."""
    headers = {"Authorization": f"Bearer {graphql.key}"} if graphql.key else {}
    params = {name.rstrip("_"): value for name, value in arguments.items()}
    if body is None:
        return await graphql.http.get(f"{HOST}/{path}", params=params, headers=headers)
    content = body if isinstance(body, bytes) else orjson.dumps(body)
    return await graphql.http.post(f"{HOST}/{path}", params=params, headers=headers, content=content)


async def read_json_lines(graphql: Client, table: str, /, body: object = None, **arguments: str) -> list[Any]:
    answer = await request_export(graphql, f"{table}.jsonl", body, **arguments)
    assert answer.status_code == 200, answer.text
    return [orjson.loads(line) for line in answer.content.splitlines()]


async def read_csv(graphql: Client, table: str, /, **arguments: str) -> list[list[str]]:
    answer = await request_export(graphql, f"{table}.csv", **arguments)
    assert answer.status_code == 200, answer.text
    assert answer.content.startswith(b"\xef\xbb\xbf")
    text = answer.content.decode("utf-8-sig")
    assert text.endswith("\r\n")
    return list(csv.reader(io.StringIO(text, newline="")))


def refusal_of(answer: httpx2.Response) -> tuple[int, str, str]:
    """Return the status, the code and the field of a refusal."""
    body = orjson.loads(answer.content)
    assert body["data"] is None
    [error] = body["errors"]
    assert error["message"]
    return answer.status_code, error["extensions"]["code"], error["extensions"].get("field", "")


@pytest.fixture
async def fleet(world: World, graphql: Client) -> World:
    """Create accounts `a` and `b` with data of each kind; the client has a key of `a`."""
    for account, prefix in (("a", "i"), ("b", "x")):
        await world.account(account, balance="10000.00", language=model.Language.ZH)
        days = itertools.cycle([None, "2027-01-09", "2027-01-10", "2027-01-31", "2027-02-28", "2026-12-01"])
        products, centers = (
            itertools.cycle(["eip", "kec", "ebs"]),
            itertools.cycle(["bj-6", "bj-1", "gz-edge"]),
        )
        modes = itertools.cycle(["MANUAL", "AUTO", "NONE", "MANUAL", "AUTO"])
        for number in range(24):
            expires = next(days)
            await world.instance(
                f"{prefix}-{number:02}",
                account=account,
                expires=expires,
                mode=next(modes) if expires else "MANUAL",
                product=next(products),
                data_center=next(centers),
                name=f"网站 {number % 5}_{'%' if number % 7 == 0 else 'A'}",
                price=f"{100 + number}.05",
                created_at=NOW - dt.timedelta(days=number % 4, microseconds=number),
            )
        bundle = [f"{prefix}-m{number}" for number in range(3)]
        await world.instances(bundle, account=account, bundle=f"bundle-{account}", expires="2027-03-15")
        await world.instance(f"{prefix}-trial", account=account, trial=True)
        await world.instance(f"{prefix}-ddos", account=account, product="ddos")
    graphql.key = await world.key("a")
    return world


FILTERS: list[dict[str, Any] | None] = [
    None,
    {},
    *({"ids": ids} for ids in ([], "i-03", ["i-03"], ["i-03", "x-03", "none"], None)),
    *({"search": text} for text in ("", "网站", "I-1", "_", "%", "_a", "4_", "\\", "' OR TRUE --", None)),
    *({"tab": tab} for tab in ("MANUAL", "AUTO", "NONE", "NO_EXPIRY")),
    {"expiresFrom": "2027-01-10T15:59:59Z"},
    {"expiresFrom": "2027-01-10T23:59:59.000001+08:00"},
    {"expiresBefore": "2027-01-31T23:59:59+08:00"},
    {"expiresFrom": "2027-01-01T00:00Z", "expiresBefore": "2027-02-01T00:00Z"},
    *({"expiresWithinDays": days} for days in (0, 1, 21, 36_525)),
    *({"products": codes} for codes in (["eip"], ["eip", "kec"], [], "ebs", [None][:0])),
    *({"dataCenters": codes} for codes in (["bj-6"], ["nowhere"])),
    *({"dataCenterTypes": types} for types in (["VPC"], "EDGE", ["VPC", "CLASSIC"], [])),
    *({"status": status} for status in (["RUNNING"], ["EXPIRED"], ["RELEASED"], ["EXPIRED", "RELEASED"])),
    *({"bundled": bundled} for bundled in (True, False, None)),
    *({"manageable": manageable} for manageable in (True, False, None)),
    {"tab": "AUTO", "products": ["eip", "ebs"], "status": ["RUNNING"], "expiresWithinDays": 60},
    {"manageable": None, "search": "i-", "dataCenterTypes": ["VPC"], "bundled": False},
    {"tags": [{"key": "env"}, {"key": "team", "values": ["web"]}]},
]
LISTED = """query ($filter: InstanceFilter, $orderBy: InstanceOrder) {
  instances(filter: $filter, orderBy: $orderBy, first: 1000) { totalCount nodes { id status } } }"""


async def test_a_filter_selects_the_same_instances_in_the_export_and_in_the_list(
    fleet: World, graphql: Client, subtests: pytest.Subtests
) -> None:
    for sent in FILTERS:
        text = orjson.dumps(sent).decode()
        with subtests.test(text):
            listed = (await graphql(LISTED, filter=sent))["instances"]
            by_address = await read_json_lines(graphql, "instances", columns="id,status", filter=text)
            by_body = await read_json_lines(
                graphql, "instances", {"columns": ["id", "status"], "filter": sent}
            )
            assert by_address == by_body == listed["nodes"]
            assert len(by_body) == listed["totalCount"]


async def test_every_sort_order_is_the_same_in_the_export_and_in_the_list(
    fleet: World, graphql: Client
) -> None:
    fields = ("EXPIRES_AT", "CREATED_AT", "NAME", "PRODUCT", "ID")
    orders = [{"field": field, "direction": way} for field in fields for way in ("ASC", "DESC")]
    id_lists = []
    for sent in (None, {}, {"direction": "DESC"}, *orders):
        listed = (await graphql(LISTED, orderBy=sent))["instances"]["nodes"]
        assert listed == await read_json_lines(
            graphql, "instances", columns="id,status", orderBy=orjson.dumps(sent).decode()
        )
        id_lists.append(tuple(node["id"] for node in listed))
    assert len(set(id_lists)) == len(orders)
    assert id_lists[0] == id_lists[1] == id_lists[3]


async def test_a_row_of_the_export_has_the_values_of_the_graphql_api(fleet: World, graphql: Client) -> None:
    selection = """id name product { code name nameZh } dataCenter { code name type { code name nameZh } }
      configuration { label value } billingMode isTrial status renewalMode autoRenewMonths expiresAt monthlyPrice
      createdAt bundle { id name } tags { key value }"""
    nodes = (await graphql(f"{{ instances(first: 1000) {{ nodes {{ {selection} }} }} }}"))["instances"][
        "nodes"
    ]
    assert await read_json_lines(graphql, "instances") == nodes
    assert len(nodes) == 23
    assert {type(node["bundle"]) for node in nodes} == {dict, type(None)}
    answer = await request_export(
        graphql, "instances.jsonl", columns="bundle.name,product.code,id,product.name"
    )
    first = orjson.loads(answer.content.splitlines()[-1])
    assert list(first) == ["bundle", "product", "id"]
    assert list(first["product"]) == ["code", "name"]


async def test_the_column_of_the_data_center_type_contains_its_code(world: World, graphql: Client) -> None:
    await world.account("a")
    await world.instance("i-1", data_center="bj-6")
    graphql.key = await world.key("a")
    columns = "dataCenter.type,dataCenter.code,id"
    assert await read_json_lines(graphql, "instances", columns=columns) == [
        {"dataCenter": {"type": "VPC", "code": "bj-6"}, "id": "i-1"}
    ]
    assert await read_csv(graphql, "instances", columns=columns, lang="en") == [
        ["Data center type code", "Data center code", "Instance ID"],
        ["VPC", "bj-6", "i-1"],
    ]
    answer = await request_export(graphql, "instances.csv", columns="dataCenter.type,dataCenter.type.code")
    assert refusal_of(answer) == (400, "INVALID_INPUT", "columns")
    [every] = await read_json_lines(graphql, "instances")
    assert list(every["dataCenter"]["type"]) == ["code", "name", "nameZh"]


async def test_the_status_in_the_export_is_that_at_the_present_instant(fleet: World, graphql: Client) -> None:
    await fleet.instance("late", expires="2027-01-31")
    sent = '{"ids": ["late"], "status": ["RUNNING", "EXPIRED", "RELEASED"]}'
    for at, status, zh in (
        ("2027-01-31 23:59:59", "RUNNING", "运行中"),
        ("2027-02-01 00:00", "EXPIRED", "已过期"),
        ("2027-02-08 00:00", "RELEASED", "已释放"),
    ):
        graphql.at(fleet.at(at))
        assert await read_json_lines(graphql, "instances", filter=sent, columns="status") == [
            {"status": status}
        ]
        assert await read_csv(graphql, "instances", filter=sent, columns="status") == [["状态"], [zh]]


async def test_csv_has_labels_in_the_language_and_times_in_the_time_zone_of_the_account(
    world: World, graphql: Client
) -> None:
    await world.account("a", zone="America/New_York", language=model.Language.ZH)
    tags = {"env": "prod", "a": "=1"}
    await world.instance(
        "i-1", expires="2027-07-31", mode="AUTO", months=3, price="23.00", bundle="b", tags=tags
    )
    await world.put("i-1", name='Web, "1"\n网站')
    await world.instance(
        "i-2", expires=None, data_center="gz-edge", configuration={"CPU": "4核", "内存": "8GB"}
    )
    graphql.key = await world.key("a")
    columns = (
        "id,name,product.nameZh,product.name,dataCenter.name,dataCenter.type.nameZh,configuration,billingMode"
    )
    columns += (
        ",isTrial,status,renewalMode,autoRenewMonths,expiresAt,monthlyPrice,createdAt,bundle.id,bundle.name"
    )
    head, first, second = await read_csv(graphql, "instances", columns=columns)
    assert " | ".join(head) == (
        "实例 ID | 实例名称 | 产品线 | 产品英文名称 | 机房 | 机房类型 | 配置信息 | 计费方式 | 试用 | 状态 | 续费策略 | "
        "自动续费月数 | 到期时间（America/New_York） | 月价（CNY） | 创建时间（America/New_York） | "
        "强关联 ID | 强关联名称"
    )
    assert " | ".join(first) == (
        'i-1 | Web, "1"\n网站 | 弹性IP | Elastic IP | 北京6区(VPC) | 专有网络 | 带宽: 1Mbps | 包年包月 | 否 | 运行中 | '
        "自动续费 | 3 | 2027-07-31 23:59:59 | 23.00 | 2027-01-09 23:00:00 | b | Bundle b"
    )
    assert " | ".join(second) == (
        "i-2 | Instance i-2 | 弹性IP | Elastic IP | 广州边缘 | 边缘节点 | CPU: 4核; 内存: 8GB | 按量付费 | 否 | "
        "运行中 | 手动续费 | 1 |  | 300.00 | 2027-01-09 23:00:00 |  | "
    )
    head, first, _ = await read_csv(
        graphql, "instances", lang="en", columns="id,expiresAt,monthlyPrice,billingMode,isTrial,status,tags"
    )
    assert head == [
        "Instance ID",
        "Expiry (America/New_York)",
        "Monthly price (CNY)",
        "Billing",
        "Trial",
        "Status",
        "Tags",
    ]
    assert first == ["i-1", "2027-07-31 23:59:59", "23.00", "Prepaid", "No", "Running", "a: =1; env: prod"]


@pytest.mark.parametrize(
    ("account_language", "header", "lang", "label"),
    [
        (model.Language.ZH, None, None, "状态"),
        (model.Language.EN, None, None, "Status"),
        (model.Language.ZH, "en-US,en;q=0.9", None, "Status"),
        (model.Language.EN, "zh-CN", None, "状态"),
        (model.Language.ZH, "fr", None, "状态"),
        (model.Language.ZH, "*", None, "状态"),
        (model.Language.ZH, "zh", "en", "Status"),
        (model.Language.EN, "en", "zh", "状态"),
    ],
)
async def test_the_language_of_csv_is_that_of_the_argument_or_else_the_header_or_the_account(
    world: World,
    graphql: Client,
    account_language: model.Language,
    header: str | None,
    lang: str | None,
    label: str,
) -> None:
    await world.account("a", language=account_language)
    graphql.key = await world.key("a")
    headers = {"Authorization": f"Bearer {graphql.key}"} | ({"Accept-Language": header} if header else {})
    params = {"columns": "status"} | ({"lang": lang} if lang else {})
    answer = await graphql.http.get(f"{HOST}/instances.csv", params=params, headers=headers)
    assert answer.content.decode("utf-8-sig") == f"{label}\r\n"


async def test_csv_is_utf8_with_a_bom_and_crlf(world: World, graphql: Client) -> None:
    await world.account("a", language=model.Language.ZH)
    await world.instance("i-1", name='网"站')
    graphql.key = await world.key("a")
    answer = await request_export(graphql, "instances.csv", columns="id,name")
    assert answer.content == b"\xef\xbb\xbf" + '实例 ID,实例名称\r\ni-1,"网""站"\r\n'.encode()
    assert answer.headers["content-type"] == "text/csv; charset=utf-8; header=present"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
    # The instant is noon in Shanghai.
    assert answer.headers["content-disposition"] == (
        'attachment; filename="instances-2027-01-10-1200.csv"; '
        f"filename*=UTF-8''{urllib.parse.quote('实例')}-2027-01-10-1200.csv"
    )
    answer = await request_export(graphql, "ledger.jsonl", lang="en")
    assert answer.headers["content-type"] == "application/jsonl; charset=utf-8"
    assert "ledger-2027-01-10-1200.jsonl" in answer.headers["content-disposition"]


async def test_an_empty_export_has_only_a_header_in_csv_and_no_line_in_json_lines(
    world: World, graphql: Client
) -> None:
    await world.account("a")
    graphql.key = await world.key("a")
    for table in tables.TABLES.values():
        assert await read_json_lines(graphql, table.name) == []
        [head] = await read_csv(graphql, table.name)
        assert len(head) == len(table.select_columns(None))


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"])
async def test_a_formula_in_csv_is_preceded_by_an_apostrophe(
    world: World, graphql: Client, start: str
) -> None:
    await world.account("a", balance="1.00")
    text = f"{start}HYPERLINK(1)"
    await world.instance("i-1")
    configuration = orjson.dumps([{"label": text, "value": "x"}]).decode()
    await world.put("i-1", name=text, configuration=configuration)
    await database.execute(database.pool(), "UPDATE products SET name = $1", text)
    async with database.transaction() as connection:
        await connection.execute_query("ALTER TABLE ledger_entries DISABLE TRIGGER ALL")
        await connection.execute_query("UPDATE ledger_entries SET memo = $1", [text])
    graphql.key = await world.key("a")
    [_, row] = await read_csv(graphql, "instances", columns="id,name,configuration,product.name")
    assert row == ["i-1", f"'{text}", f"'{text}: x", f"'{text}"]
    [_, row] = await read_csv(graphql, "ledger", columns="memo")
    assert row == [f"'{text}"]
    assert await read_json_lines(graphql, "instances", columns="name") == [{"name": text}]


async def test_the_export_of_orders_has_a_row_per_line_with_the_values_of_the_graphql_api(
    fleet: World, graphql: Client
) -> None:
    await fleet.voucher("50.00")
    await fleet.voucher("50.00", account="b")
    for number, ids in enumerate((["i-03"], ["i-04", "i-10"])):
        graphql.at(NOW + dt.timedelta(hours=number))
        await graphql(RENEW, ids=ids, key=f"k-{number}")
    key_of_a, graphql.key = graphql.key, await fleet.key("b")
    await graphql(RENEW, ids=["x-03"], key="k-0")
    graphql.key = key_of_a
    orders = """{ orders { nodes { id kind createdAt total voucherTotal balanceTotal
      lines { instanceId startsAt expiresAt months days price } } } }"""
    nodes = (await graphql(orders))["orders"]["nodes"]
    all_columns = ",".join(tables.ORDERS.columns)
    rows = await read_json_lines(graphql, "orders", columns=all_columns)
    assert [row["instanceId"] for row in rows] == ["i-04", "i-10", "i-03"]
    for node in nodes:
        order = {name: value for name, value in node.items() if name != "lines"}
        rows_of_order = [row for row in rows if row["order"] == order]
        assert [{name: row[name] for name in node["lines"][0]} for row in rows_of_order] == node["lines"]
    assert {row["instance"]["name"] for row in rows} <= {f"网站 {n}_{c}" for n in range(5) for c in "A%"}
    assert {row["product"]["nameZh"] for row in rows} <= {"弹性IP", "云服务器", "云硬盘"}
    head, *_, last = await read_csv(graphql, "orders")
    assert head[:4] == ["订单号", "订单类型", "下单时间（Asia/Shanghai）", "实例 ID"]
    assert "订单总额（CNY）" not in head
    assert last[1:4] == ["手动续费", "2027-01-10 12:00:00", "i-03"]
    assert last[-5:] == ["103.05", "0.00", "103.05", "", ""]
    since = (NOW + dt.timedelta(minutes=1)).isoformat()
    assert len(await read_json_lines(graphql, "orders", from_=since)) == 2
    assert len(await read_json_lines(graphql, "orders", before=since)) == 1
    assert len(await read_json_lines(graphql, "orders", {"from": since, "before": since})) == 0


async def test_the_row_of_an_order_line_contains_its_refund(fleet: World, graphql: Client) -> None:
    placed = await graphql(RENEW, ids=["i-04", "i-10"], key="k")
    later = NOW + dt.timedelta(hours=1)
    await fleet.refund(placed["renewInstances"]["order"]["id"], "i-10", now=later)
    kept, refunded = await read_json_lines(graphql, "orders", columns="instanceId,price,refunded,refundedAt")
    assert kept == {"instanceId": "i-04", "price": kept["price"], "refunded": None, "refundedAt": None}
    assert refunded == {
        "instanceId": "i-10",
        "price": refunded["price"],
        "refunded": refunded["price"],
        "refundedAt": later.isoformat(),
    }
    head, *rows = await read_csv(graphql, "orders", columns="instanceId,refunded,refundedAt")
    assert head == ["实例 ID", "退款金额（CNY）", "退款时间（Asia/Shanghai）"]
    assert rows == [["i-04", "", ""], ["i-10", refunded["price"], "2027-01-10 13:00:00"]]


async def test_the_export_of_the_ledger_has_every_change_of_the_balance_and_of_vouchers(
    fleet: World, graphql: Client
) -> None:
    voucher = await fleet.voucher("50.00")
    await graphql(RENEW, ids=["i-03"], key="k")
    wanted = "id kind amount balanceAfter voucher { id } availableAfter createdAt orderId memo"
    query = f"query ($filter: LedgerFilter) {{ ledger(filter: $filter) {{ nodes {{ {wanted} }} }} }}"
    nodes: list[dict[str, Any]] = []
    for ledger_filter in (None, {"vouchers": True}, {"vouchers": False}):
        nodes = (await graphql(query, filter=ledger_filter))["ledger"]["nodes"]
        assert await read_json_lines(graphql, "ledger", {"filter": ledger_filter}) == nodes
        if ledger_filter:
            assert (
                await read_json_lines(graphql, "ledger", filter=orjson.dumps(ledger_filter).decode()) == nodes
            )
    assert [node["amount"] for node in nodes] == ["-53.05", "10000.00"]
    columns = "kind,amount,balanceAfter,voucher.id,availableAfter,memo"
    head, newest, used, issued, oldest = await read_csv(graphql, "ledger", lang="en", columns=columns)
    assert head == ["Kind", "Amount (CNY)", "Balance (CNY)", "Voucher ID", "Voucher balance (CNY)", "Memo"]
    assert newest[:5] == ["Renewal", "-53.05", "9946.95", "", ""]
    assert used[:5] == ["Renewal", "-50.00", "10000.00", voucher, "0.00"]
    assert issued[:5] == ["Top-up", "50.00", "10000.00", voucher, "50.00"]
    assert oldest == ["Top-up", "10000.00", "10000.00", "", "", "Top-up"]
    assert (
        await read_json_lines(graphql, "ledger", from_=(NOW + dt.timedelta(microseconds=1)).isoformat()) == []
    )
    assert len(await read_json_lines(graphql, "ledger", from_=NOW.isoformat())) == 4


async def test_exports_have_no_row_of_another_account(fleet: World, graphql: Client) -> None:
    await graphql(RENEW, ids=["i-03"], key="k")
    graphql.key = await fleet.key("b")
    for sent in (None, '{"manageable": null}', '{"ids": ["i-01", "i-02"]}', '{"search": "i-0"}'):
        for row in await read_json_lines(graphql, "instances", **({"filter": sent} if sent else {})):
            assert row["id"].startswith("x-")
    assert await read_json_lines(graphql, "orders") == []
    assert [row["amount"] for row in await read_json_lines(graphql, "ledger")] == ["10000.00"]


NOT_JSON = ("", "{", "nonsense", "{'tab': 'AUTO'}", '{"tab": "AUTO"', "NaN")
INVALID_ARGUMENTS: list[tuple[str, dict[str, str], str]] = [
    *(("instances", {"filter": text}, "filter") for text in (*NOT_JSON, "1", '"AUTO"', "true", "[1]")),
    *(("instances", {"orderBy": text}, "orderBy") for text in (*NOT_JSON, "1", '"NAME"')),
    ("instances", {"filter": '{"unknown": 1}'}, "filter"),
    ("instances", {"filter": '{"expires_from": "2027-01-01T00:00Z"}'}, "filter"),
    ("instances", {"filter": '{"tab": "auto"}'}, "filter.tab"),
    ("instances", {"filter": '{"tab": "EVERY"}'}, "filter.tab"),
    ("instances", {"filter": '{"expiresFrom": "2027-01-01"}'}, "filter.expiresFrom"),
    ("instances", {"filter": '{"expiresWithinDays": "7"}'}, "filter.expiresWithinDays"),
    ("instances", {"filter": '{"expiresWithinDays": 7.5}'}, "filter.expiresWithinDays"),
    ("instances", {"filter": '{"expiresWithinDays": -1}'}, "filter.expiresWithinDays"),
    ("instances", {"filter": '{"products": ["eip", null]}'}, "filter.products.1"),
    ("instances", {"filter": '{"bundled": "yes"}'}, "filter.bundled"),
    ("instances", {"orderBy": '{"field": "PRICE"}'}, "orderBy.field"),
    ("instances", {"orderBy": '{"field": null}'}, "orderBy.field"),
    ("instances", {"from": "2027-01-01T00:00Z"}, "from"),
    *(
        (table, {"columns": text}, "columns")
        for table in tables.TABLES
        for text in ("", "id,", "nothing", "Id")
    ),
    ("instances", {"columns": "id,name,id"}, "columns"),
    ("instances", {"columns": "id, name"}, "columns"),
    ("instances", {"columns": "product"}, "columns"),
    ("instances", {"columns": "dataCenter.type.name,id,dataCenter.type"}, "columns"),
    ("instances", {"colums": "id"}, "colums"),
    *((table, {"lang": text}, "lang") for table in tables.TABLES for text in ("", "ZH", "de", "zh-CN")),
    *(
        (table, {name: text}, name)
        for table in ("orders", "ledger")
        for name in ("from", "before")
        for text in ("", "today", "2027-01-01", "2027-01-01T00:00", "1")
    ),
    ("orders", {"filter": "{}"}, "filter"),
    ("ledger", {"orderBy": "{}"}, "orderBy"),
    ("ledger", {"filter": '{"vouchers": "yes"}'}, "filter.vouchers"),
    ("ledger", {"filter": '{"sorts": []}'}, "filter"),
]


async def test_an_invalid_argument_in_the_url_is_refused_with_its_field(
    fleet: World, graphql: Client
) -> None:
    for table, sent, field in INVALID_ARGUMENTS:
        for ending in ("csv", "jsonl"):
            answer = await request_export(graphql, f"{table}.{ending}", **sent)
            assert refusal_of(answer) == (400, "INVALID_INPUT", field), (table, sent)
            assert answer.headers["content-type"] == "application/json"


async def test_a_misspelled_argument_is_refused_without_suggestions(fleet: World, graphql: Client) -> None:
    """A suggestion would reveal the schema, as in /graphql."""
    for sent in (
        {"filter": '{"serch": "x"}'},
        {"filter": '{"tab": "AUT"}'},
        {"orderBy": '{"feild": "NAME"}'},
    ):
        answer = await request_export(graphql, "instances.csv", **sent)
        assert refusal_of(answer)[:2] == (400, "INVALID_INPUT")
        assert "Did you mean" not in answer.text, answer.text


async def test_an_invalid_body_is_refused_with_its_field(fleet: World, graphql: Client) -> None:
    invalid: tuple[tuple[Any, str], ...] = (
        *((body, "body") for body in (b"{", b"[]", b"1", b"null", b"\xff", b'"x"', b"[" * 100_000)),
        *(
            ({"columns": sent}, "columns")
            for sent in list[Any](("id", [], [1], {}, ["nothing"], ["id", None]))
        ),
        *(({"filter": sent}, "filter") for sent in ("{}", 1, [{}, 1])),
        ({"filter": {"tab": 1}}, "filter.tab"),
        *(({"lang": sent}, "lang") for sent in (1, ["zh"], "")),
        ({"limit": 1}, "limit"),
    )
    for body, field in invalid:
        answer = await request_export(graphql, "instances.csv", body)
        assert refusal_of(answer) == (400, "INVALID_INPUT", field), body
    for field in ("from", "before"):
        answer = await request_export(graphql, "orders.csv", {field: 1_800_000_000})
        assert refusal_of(answer) == (400, "INVALID_INPUT", field)
    answer = await request_export(graphql, "instances.csv", {"columns": ["id"]}, columns="name")
    assert refusal_of(answer) == (400, "INVALID_INPUT", "columns")
    headers = {"Authorization": f"Bearer {graphql.key}"}
    answer = await graphql.http.get(f"{HOST}/instances.csv?lang=zh&lang=en", headers=headers)
    assert refusal_of(answer) == (400, "INVALID_INPUT", "lang")


async def test_a_body_is_read_only_up_to_its_limit(fleet: World, graphql: Client) -> None:
    taken = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal taken
        for _ in range(1_000):
            taken += 100_000
            yield b" " * 100_000

    headers = {"Authorization": f"Bearer {graphql.key}"}
    for content in (b" " * 3_000_000, endless()):
        answer = await graphql.http.post(f"{HOST}/instances.csv", headers=headers, content=content)
        assert refusal_of(answer) == (413, "BODY_TOO_LARGE", "")
    assert taken < 3_000_000
    answer = await graphql.http.post(
        f"{HOST}/instances.csv", headers=headers | {"Content-Encoding": "gzip"}, content=b"{}"
    )
    assert refusal_of(answer) == (400, "BAD_REQUEST", "")


async def test_the_refusal_of_a_long_request_is_short(fleet: World, graphql: Client) -> None:
    long = "x" * 100_000
    for body in ({long: 1}, {"columns": [long]}, {"filter": {long: 1}}, {"filter": {"search": [long]}}):
        answer = await request_export(graphql, "instances.csv", body)
        assert answer.status_code == 400
        assert len(answer.content) < 1_500
        assert refusal_of(answer)[1] == "INVALID_INPUT"


async def test_the_arguments_of_an_export_may_be_sent_in_the_body(fleet: World, graphql: Client) -> None:
    ids = [f"i-{number:02}" for number in range(24)] * 400
    body = {
        "filter": {"ids": ids, "status": ["RUNNING", "EXPIRED", "RELEASED"]},
        "orderBy": {"field": "ID", "direction": "DESC"},
        "columns": ["id"],
        "lang": None,
    }
    assert await read_json_lines(graphql, "instances", body) == [
        {"id": instance_id} for instance_id in sorted(set(ids), reverse=True)
    ]
    assert await read_json_lines(graphql, "instances", b"") == await read_json_lines(graphql, "instances")


async def test_an_export_with_a_key_of_another_role_or_an_invalid_key_is_refused(
    fleet: World, graphql: Client
) -> None:
    valid_key = graphql.key
    refused_keys = [
        await api_keys.create(database.pool(), "a", NOW, role=model.Role.CALENDAR),
        await api_keys.create(database.pool(), None, NOW, role=model.Role.OPERATOR),
        await api_keys.create(database.pool(), "a", NOW, expires_at=NOW),
    ]
    for table, ending in itertools.product(tables.TABLES, ("csv", "jsonl")):
        for key in (None, "", "x", f"{valid_key}x", *refused_keys):
            graphql.key = key
            for body in (None, b"not JSON"):
                answer = await request_export(graphql, f"{table}.{ending}", body, filter="not JSON")
                assert refusal_of(answer) == (401, "UNAUTHENTICATED", "")
                assert answer.headers["www-authenticate"] == "Bearer"
            assert (
                await request_export(graphql, f"{table}.{ending}", key=valid_key or "")
            ).status_code == 401


async def test_unsupported_methods_and_unknown_tables_are_refused(fleet: World, graphql: Client) -> None:
    headers = {"Authorization": f"Bearer {graphql.key}"}
    for method in ("PUT", "DELETE", "PATCH", "OPTIONS"):
        answer = await graphql.http.request(method, f"{HOST}/instances.csv", headers=headers)
        assert answer.status_code == 405
    for path in ("instances", "instances.xlsx", "accounts.csv", "api_keys.csv", "instances.csv/"):
        assert (await graphql.http.get(f"{HOST}/{path}", headers=headers)).status_code in (404, 307)
    answer = await graphql.http.request("HEAD", f"{HOST}/instances.csv", headers=headers)
    assert (answer.status_code, answer.content) == (200, b"")
    assert "instances-2027-01-10-1200.csv" in answer.headers["content-disposition"]


async def test_a_failure_before_the_first_row_is_an_internal_error(
    fleet: World, graphql: Client, caplog: pytest.LogCaptureFixture
) -> None:
    await database.execute(database.pool(), "ALTER TABLE instances RENAME COLUMN name TO secret_name")
    answer = await request_export(graphql, "instances.csv")
    assert refusal_of(answer) == (500, "INTERNAL", "")
    assert "i.name" not in answer.text
    assert "i.name" in caplog.text
