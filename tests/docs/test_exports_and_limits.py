"""Every request of docs/exports.md has the response on the page. UPDATE_DOCS=1 writes the responses instead."""

import re
import shlex
import urllib.parse
from pathlib import Path

import orjson

from renewals import config
from renewals.demo import loader
from tests.docs import pages, test_readme
from tests.support.fixtures import World
from tests.support.graphql_client import Client

PAGE = Path(__file__).parents[2] / "docs" / "exports.md"
BLOCK = re.compile(
    r"^```(sh|graphql)\n(.*?)^```\n\n```(?:csv|json|text)\n(.*?)^```$", re.MULTILINE | re.DOTALL
)
HOST = "http://testserver"
TOKEN = "rk_00000000_shown-once"  # the page shows this token
OPTIONS_WITH_VALUE = ("-H", "-d", "--data-urlencode", "--json")


async def test_the_responses_match_the_page_about_exports(world: World, graphql: Client) -> None:
    await world.load_demo()
    graphql.key = await world.key(loader.ACCOUNT_ID)
    graphql.at(test_readme.TODAY)
    text = PAGE.read_text(encoding="utf-8")
    steps = list(BLOCK.finditer(text))
    token, responses = "", []
    for language, command, _ in (step.groups() for step in steps):
        if language == "graphql":
            data = await graphql(command)
            token = data["resetCalendarToken"]["token"]
            response = test_readme.pretty(data)
        else:
            response = await curl(graphql, command, {"HOST": HOST, "KEY": str(graphql.key), "TOKEN": token})
        responses.append(response.replace(token, TOKEN) if token else response)
    pages.check_output(PAGE, steps, responses)
    assert len(responses) == 6


async def curl(graphql: Client, command: str, variables: dict[str, str]) -> str:
    """Return the output of a curl command. Only the options that the page uses are supported."""
    for name, value in variables.items():
        command = command.replace(f"${name}", value)
    words = shlex.split(command.replace("\\\n", " "))
    words, head = (words[: words.index("|")], int(words[-1][1:])) if "|" in words else (words, None)
    assert words.pop(0) == "curl"
    headers: dict[str, str] = {}
    parameters: list[tuple[str, str]] = []
    body, address = None, ""
    while words:
        word = words.pop(0)
        value = words.pop(0) if word in OPTIONS_WITH_VALUE else ""
        match word:
            case "-H":
                name, _, header = value.partition(": ")
                headers[name] = header
            case "-d" | "--data-urlencode":
                name, _, text = value.partition("=")
                parameters.append((name, text))
            case "--json":
                body = value
            case "-G":
                pass
            case _:
                address = word
    url = f"{address}?{urllib.parse.urlencode(parameters)}" if parameters else address
    response = await graphql.http.request("POST" if body else "GET", url, content=body, headers=headers)
    text = response.content.decode("utf-8-sig").replace("\r\n", "\n")
    if head:
        return "".join(text.splitlines(keepends=True)[:head])
    return text if text.endswith("\n") else f"{text}\n"


LIMITS = Path(__file__).parents[2] / "docs" / "limits.md"
DIGITS = re.compile(r"[^0-9]")


def test_the_page_of_limits_has_the_defaults_of_its_settings() -> None:
    defaults_on_page = {}
    for row in re.findall(r"^\| `.*\|$", LIMITS.read_text(encoding="utf-8"), re.MULTILINE):
        _, _, _, names, defaults, *_ = row.split("|")
        for name, default in zip(
            re.findall(r"`(\w+)`", names), re.split(r", (?=\d+ )", defaults.strip()), strict=False
        ):
            defaults_on_page[name.removeprefix("RENEWALS_").lower()] = default.strip("` ")
    for name, default in defaults_on_page.items():
        number = default.replace(" MiB", "")
        scale = 1024 * 1024 if "MiB" in default else 1
        expected = config.Settings.model_fields[name].default
        assert str(expected).lower() == default or expected == int(DIGITS.sub("", number)) * scale, name
    assert len(defaults_on_page) == 18


async def test_the_page_of_limits_shows_the_actual_cost_of_a_query(world: World, graphql: Client) -> None:
    await world.account("a")
    graphql.key = await world.key("a")
    [(query, extensions)] = re.findall(
        r"```graphql\n(.*?)```\n\n```json\n(.*?)```", LIMITS.read_text(encoding="utf-8"), re.DOTALL
    )
    assert (await graphql.post(query)).json()["extensions"] == orjson.loads(extensions)
