"""The calendar feed: its entries, its languages, and its authentication."""

import asyncio
import datetime as dt
import logging
import re
import urllib.parse
from typing import Any

import httpx2
import icalendar
import pytest
import uvicorn

from graphql_api import app
from renewals.accounts import api_keys
from renewals.db import connection as database
from renewals.domain import model
from renewals.forecasts import calendar_entries
from tests.support.fixtures import NOW, World
from tests.support.graphql_client import Client

HOST = "http://testserver"
RESET = "mutation { resetCalendarToken { token path } }"


async def reset_token(graphql: Client) -> str:
    return str((await graphql(RESET))["resetCalendarToken"]["token"])


async def get_calendar(graphql: Client, **sent: str) -> httpx2.Response:
    return await graphql.http.get(f"{HOST}/calendar.ics", params=sent)


async def read_entries(graphql: Client, token: str, **sent: str) -> list[Any]:
    answer = await get_calendar(graphql, token=token, **sent)
    assert answer.status_code == 200, answer.text
    return list(icalendar.Calendar.from_ical(answer.content).walk("VEVENT"))


def summaries(entries: list[Any]) -> list[tuple[str, str]]:
    return [(event["DTSTART"].dt.isoformat(), str(event["SUMMARY"])) for event in entries]


def assert_unauthenticated(answer: httpx2.Response) -> None:
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    body = answer.json()
    assert body["data"] is None
    assert [error["extensions"]["code"] for error in body["errors"]] == ["UNAUTHENTICATED"]


@pytest.fixture
async def token(world: World, graphql: Client) -> str:
    """Return the calendar token of account `a`, which has a balance of 500.00."""
    await world.account("a", balance="500.00", language=model.Language.ZH)
    graphql.key = await world.key("a")
    return await reset_token(graphql)


async def test_the_calendar_has_an_entry_per_day_for_expiries_renewals_and_failures(
    world: World, graphql: Client, token: str
) -> None:
    await world.instances(["m-1", "m-2"], expires="2027-01-20", price="23.00", name="网站")
    await world.instance("a-1", expires="2027-01-20", mode="AUTO", price="300.00", months=12, name="Database")
    await world.instance("a-2", expires="2027-01-21", mode="AUTO", price="200.00", name="Cache")
    await world.instance(
        "a-3", expires="2027-01-21", mode="AUTO", price="900.00", name="Search", product="kec"
    )
    await world.instance("n-1", expires="2027-01-20", mode="NONE")
    await world.instance("p-1", expires=None)
    await world.instance("t-1", expires="2027-01-20", trial=True)
    await world.instance("d-1", expires="2027-01-20", product="ddos")
    entries = await read_entries(graphql, token)
    assert summaries(entries)[:3] == [
        ("2027-01-20", "到期（手动续费）：2 个实例，月价合计 46.00 CNY"),
        ("2027-01-20", "自动续费将失败：1 个实例，2988.00 CNY"),
        ("2027-01-21", "自动续费将失败：1 个实例，900.00 CNY"),
    ]
    assert summaries(entries)[3] == ("2027-01-21", "自动续费：1 个实例，200.00 CNY")
    manual, short, _, renewed = entries[:4]
    assert str(manual["DESCRIPTION"]).splitlines() == [
        "请在当天 23:59:59 前手动续费。",
        "网站 (m-1): 23.00",
        "网站 (m-2): 23.00",
    ]
    assert "Database (a-1): 余额不足" in str(short["DESCRIPTION"])
    assert str(renewed["DESCRIPTION"]).splitlines() == [
        "代金券和余额足够，续费后余额 300.00 CNY。",
        "Cache (a-2): 200.00",
    ]
    for event in entries:
        assert type(event["DTSTART"].dt) is dt.date
        assert event["DTEND"].dt == event["DTSTART"].dt + dt.timedelta(days=1)
        assert event["DTSTAMP"].dt == event["LAST-MODIFIED"].dt == NOW
        assert event["TRANSP"] == "TRANSPARENT"
    english = await read_entries(graphql, token, lang="en")
    assert summaries(english)[:2] == [
        ("2027-01-20", "Expiry (manual renewal): 2 instances, 46.00 CNY a month"),
        ("2027-01-20", "Auto-renewal will fail: 1 instance, 2988.00 CNY"),
    ]
    assert "Database (a-1): Insufficient funds" in str(english[1]["DESCRIPTION"])


async def test_the_calendar_is_in_the_language_of_the_account_despite_accept_language(
    world: World, graphql: Client
) -> None:
    for account, language, title in (
        ("en", model.Language.EN, "Renewals · Account en"),
        ("zh", model.Language.ZH, "续费 · Account zh"),
    ):
        await world.account(account, language=language)
        graphql.key = await world.key(account)
        token = await reset_token(graphql)
        for header in ("en", "zh"):
            answer = await graphql.http.get(
                f"{HOST}/calendar.ics", params={"token": token}, headers={"Accept-Language": header}
            )
            assert icalendar.Calendar.from_ical(answer.content)["X-WR-CALNAME"] == title


async def test_the_entry_of_a_renewal_that_will_fail_has_the_translated_reason(
    world: World, graphql: Client, token: str
) -> None:
    await world.instance("i-1", expires="2027-01-20", mode="AUTO", price="10.00", name="web-1")
    await world.put("i-1", agreed_price_cents=500)
    await world.rows("UPDATE accounts SET price_rise_cap_bps = 0")
    for lang, line in (("zh", "web-1 (i-1): 涨价未确认"), ("en", "web-1 (i-1): Price rise not accepted")):
        [event] = await read_entries(graphql, token, lang=lang)
        assert str(event["DESCRIPTION"]).splitlines()[-1] == line


async def test_the_calendar_has_the_days_of_renewals_and_failures_of_the_forecast(
    world: World, graphql: Client, token: str
) -> None:
    for number in range(12):
        await world.instance(f"i-{number}", expires=f"2027-01-{11 + number}", mode="AUTO", price="70.00")
    await world.voucher("100.00")
    forecast_result = (
        await graphql("{ forecast(days: 90) { days { date dueCount total atRisk { id } } } }")
    )["forecast"]
    entries = await read_entries(graphql, token)
    by_kind = {
        kind: {event["DTSTART"].dt.isoformat() for event in entries if event["CATEGORIES"].to_ical() == kind}
        for kind in (b"RENEWAL", b"FAILURE")
    }
    due = {day["date"] for day in forecast_result["days"] if day["dueCount"] > len(day["atRisk"])}
    assert by_kind[b"RENEWAL"] == due != set()
    assert by_kind[b"FAILURE"] == {day["date"] for day in forecast_result["days"] if day["atRisk"]} != set()


async def test_the_calendar_has_90_days_in_the_time_zone_of_the_account(
    world: World, graphql: Client
) -> None:
    await world.account("a", zone="America/New_York", balance="9999.00")
    # The local time is 23:00 on 9 January.
    for day in ("2027-01-08", "2027-01-09", "2027-01-10", "2027-04-08", "2027-04-09"):
        await world.instance(f"m-{day}", expires=day)
    graphql.key = await world.key("a")
    entries = await read_entries(graphql, await reset_token(graphql))
    assert [day for day, _ in summaries(entries)] == ["2027-01-09", "2027-01-10", "2027-04-08"]
    graphql.at(NOW + dt.timedelta(days=1))
    entries = await read_entries(graphql, await reset_token(graphql))
    assert [day for day, _ in summaries(entries)] == ["2027-01-10", "2027-04-08", "2027-04-09"]


async def test_the_uid_of_an_entry_is_unique_and_does_not_change_with_the_entry(
    world: World, graphql: Client, token: str
) -> None:
    await world.instance("m-1", expires="2027-01-20")
    [before] = await read_entries(graphql, token)
    await world.instance("m-2", expires="2027-01-20")
    await world.instance("m-3", expires="2027-01-21")
    graphql.at(NOW + dt.timedelta(hours=7))
    same, other = await read_entries(graphql, token, lang="en")
    assert same["UID"] == before["UID"] != other["UID"]
    assert same["LAST-MODIFIED"].dt > before["LAST-MODIFIED"].dt
    await world.account("b")
    await world.instance("x-1", expires="2027-01-20", account="b")
    graphql.key = await world.key("b")
    [theirs] = await read_entries(graphql, await reset_token(graphql))
    assert theirs["UID"] != before["UID"]


async def test_an_entry_with_many_instances_lists_a_limited_number_of_them(
    world: World, graphql: Client, token: str
) -> None:
    count = calendar_entries.INSTANCES_PER_ENTRY_MAX + 7
    await world.instances([f"m-{number:02}" for number in range(count)], expires="2027-01-20", price="1.00")
    [event] = await read_entries(graphql, token)
    assert summaries([event]) == [
        ("2027-01-20", f"到期（手动续费）：{count} 个实例，月价合计 {count}.00 CNY")
    ]
    lines = str(event["DESCRIPTION"]).splitlines()
    assert len(lines) == 1 + calendar_entries.INSTANCES_PER_ENTRY_MAX + 1
    assert lines[-1] == "另有 7 个"


async def test_the_calendar_is_a_valid_icalendar_file(world: World, graphql: Client, token: str) -> None:
    name = "数据库,主;节点\\甲\r\nBEGIN:VEVENT\rSUMMARY:x\x07" + "很长的名字" * 30
    await world.instance("m-1", expires="2027-01-20")
    await world.put("m-1", name=name)
    answer = await get_calendar(graphql, token=token)
    assert answer.headers["content-type"] == "text/calendar; charset=utf-8"
    assert answer.headers["cache-control"] == "private, no-cache"
    lines = answer.content.split(b"\r\n")
    assert lines[0] == b"BEGIN:VCALENDAR"
    assert lines[-2:] == [b"END:VCALENDAR", b""]
    assert max(map(len, lines)) <= 75
    assert not re.search(rb"[\x00-\x08\x0b-\x1f]", answer.content.replace(b"\r\n", b""))
    for line in lines:
        line.decode()  # fails if folding has split a character
    unfolded = answer.content.replace(b"\r\n ", b"").decode().split("\r\n")
    assert unfolded.count("BEGIN:VEVENT") == 1
    assert {"VERSION:2.0", "X-WR-CALNAME:续费 · Account a", "DTSTART;VALUE=DATE:20270120"} <= set(unfolded)
    assert {"REFRESH-INTERVAL;VALUE=DURATION:PT1H", "X-PUBLISHED-TTL:PT1H"} <= set(unfolded)
    [event] = await read_entries(graphql, token)
    shown_name = name.replace("\r", " ").replace("\n", " ").replace("\x07", " ")
    assert str(event["DESCRIPTION"]).splitlines()[1] == f"{shown_name} (m-1): 300.00"


async def test_the_calendar_of_an_account_without_instances_is_valid_and_empty(
    graphql: Client, token: str
) -> None:
    assert await read_entries(graphql, token) == []


async def test_a_calendar_token_does_not_give_access_to_the_api_and_to_exports(
    world: World, graphql: Client, token: str
) -> None:
    renewer = graphql.key
    before = await world.snapshot()
    for key in (token, f"{token} "):
        headers = {"Authorization": f"Bearer {key}"}
        for query in ("{ account { id } }", RESET):
            answer = await graphql.http.post(f"{HOST}/graphql", json={"query": query}, headers=headers)
            assert_unauthenticated(answer)
        for path in ("instances.csv", "orders.jsonl", "ledger.csv"):
            assert_unauthenticated(await graphql.http.get(f"{HOST}/export/{path}", headers=headers))
            assert_unauthenticated(await graphql.http.get(f"{HOST}/export/{path}", params={"token": key}))
    assert_unauthenticated(await graphql.http.get(f"{HOST}/graphql", params={"token": token}))
    assert await world.snapshot() == before
    graphql.key = renewer
    assert await graphql("{ account { id } }") == {"account": {"id": "a"}}


async def test_an_invalid_calendar_token_is_refused(world: World, graphql: Client, token: str) -> None:
    operator = await api_keys.create(database.pool(), None, NOW, role=model.Role.OPERATOR)
    for sent in ("", "x", token[:-1], f"{token}x", token.upper(), "\0", graphql.key or "", operator):
        assert_unauthenticated(await get_calendar(graphql, token=sent, lang="none"))
    assert_unauthenticated(await get_calendar(graphql))
    for sent in (operator, token, "x"):
        headers = {"Authorization": f"Bearer {sent}"}
        assert_unauthenticated(await graphql.http.get(f"{HOST}/calendar.ics", headers=headers))
    # A renewer's key is accepted in the header, because logs and browser histories do not store headers.
    headers = {"Authorization": f"Bearer {graphql.key}"}
    answer = await graphql.http.get(f"{HOST}/calendar.ics", headers=headers)
    assert icalendar.Calendar.from_ical(answer.content).name == "VCALENDAR"


async def test_a_new_calendar_token_revokes_the_previous_token(
    world: World, graphql: Client, token: str
) -> None:
    assert (await get_calendar(graphql, token=token)).status_code == 200
    new = (await graphql(RESET))["resetCalendarToken"]
    assert new["path"] == f"/calendar.ics?{urllib.parse.urlencode({'token': new['token']})}"
    assert new["token"] != token
    assert_unauthenticated(await get_calendar(graphql, token=token))
    assert (await graphql.http.get(f"{HOST}{new['path']}")).status_code == 200
    roles = await world.rows("SELECT role, revoked_at IS NULL FROM api_keys ORDER BY created_at, role, 2")
    assert sorted(roles) == [("CALENDAR", False), ("CALENDAR", True), ("RENEWER", True)]


async def test_only_one_of_several_concurrent_calendar_tokens_remains_valid(
    world: World, graphql: Client, token: str
) -> None:
    tokens = await asyncio.gather(*(reset_token(graphql) for _ in range(8)))
    statuses = [(await get_calendar(graphql, token=secret)).status_code for secret in (token, *tokens)]
    assert sorted(statuses) == [200] + [401] * 8
    assert len(set(tokens)) == 8


async def test_a_calendar_token_is_not_revoked_by_the_reset_of_another_account(
    world: World, graphql: Client, token: str
) -> None:
    await world.instance("m-1", expires="2027-01-20")
    await world.account("b")
    await world.instance("x-1", expires="2027-01-25", account="b", name="theirs")
    graphql.key = await world.key("b")
    theirs = await reset_token(graphql)
    await reset_token(graphql)
    assert [day for day, _ in summaries(await read_entries(graphql, token))] == ["2027-01-20"]
    assert "theirs" not in (await get_calendar(graphql, token=token)).text
    assert_unauthenticated(await get_calendar(graphql, token=theirs))


async def test_an_unsupported_language_of_the_calendar_is_refused(graphql: Client, token: str) -> None:
    for sent in ("", "de", "ZH"):
        answer = await get_calendar(graphql, token=token, lang=sent)
        assert answer.status_code == 400
        [error] = answer.json()["errors"]
        assert error["extensions"] == {"code": "INVALID_INPUT", "field": "lang"}


async def test_the_request_log_does_not_contain_the_calendar_token(
    graphql: Client, token: str, caplog: pytest.LogCaptureFixture
) -> None:
    server = uvicorn.Server(
        uvicorn.Config(app.create(clock=lambda: NOW), port=0, lifespan="off", log_config=None)
    )
    with caplog.at_level(logging.INFO, logger="uvicorn.access"):
        running = asyncio.create_task(server.serve())
        async with asyncio.timeout(10):
            while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
                await asyncio.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
            answer = await client.get("/calendar.ics", params={"token": token, "lang": "en"})
        server.should_exit = True
        await running
    assert answer.status_code == 200
    assert "GET /calendar.ics?token=..." in caplog.text
    logged = [record.getMessage() for record in caplog.records if record.name.startswith("uvicorn")]
    assert token not in "".join(logged)
