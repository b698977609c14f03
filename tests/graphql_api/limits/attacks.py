"""Requests of an attacker, each with the expected refusal."""

import gzip
from collections.abc import Mapping
from typing import NamedTuple

import orjson

JSON = "application/json"


class Attack(NamedTuple):
    """One request, with the status and the code of the expected refusal."""

    name: str
    body: bytes
    status: int
    code: str
    method: str = "POST"
    headers: Mapping[str, str] = {"Content-Type": JSON}
    query_string: str = ""


def _query_attack(name: str, query: str, code: str, status: int = 400, **variables: object) -> Attack:
    return Attack(name, orjson.dumps({"query": query, "variables": variables}), status, code)


def _doubling(levels: int, field: str) -> str:
    fragments = (
        f"fragment F{n} on Query {{ a{n}: {field} ...G{n} ...H{n} }}"
        f" fragment G{n} on Query {{ g{n}: {field} ...F{n + 1} }}"
        f" fragment H{n} on Query {{ h{n}: {field} ...F{n + 1} }}"
        for n in range(levels)
    )
    return f"{{ ...F0 }} {' '.join(fragments)} fragment F{levels} on Query {{ {field} }}"


def _nested(levels: int) -> str:
    return (
        "{ instances { nodes { bundle "
        + "{ instances { bundle " * levels
        + "{ id }"
        + " } }" * levels
        + " } } }"
    )


TYPES_OF_FIELDS = "{ __schema { types " + "{ fields { type " * 4 + "{ name }" + " } }" * 4 + " } }"
ACCOUNT_BODY = b'{"query": "{ account { id } }"}'
MEGABYTES = 10 * 1024 * 1024

ATTACKS = (
    _query_attack(
        "101 aliases", f"{{ account {{ {' '.join(f'a{n}: id' for n in range(101))} }} }}", "TOO_MANY_ALIASES"
    ),
    _query_attack(
        "10,000 aliases",
        "{" + " ".join(f"a{n}: account{{id}}" for n in range(10_000)) + "}",
        "DOCUMENT_TOO_LARGE",
    ),
    _query_attack("101 root fields", "{" + "__typename " * 101 + "}", "TOO_MANY_ROOT_FIELDS"),
    _query_attack("a field 500 times", "{ account {" + "id " * 500 + "} }", "TOO_MANY_REPEATS"),
    _query_attack("10 directives in one place", "{ __typename " + "@aa" * 10 + " }", "TOO_MANY_DIRECTIVES"),
    _query_attack(
        "150 directives", "{ account {" + "id @skip(if: false) " * 150 + "} }", "TOO_MANY_DIRECTIVES"
    ),
    _query_attack("20 levels", _nested(20), "TOO_DEEP"),
    _query_attack("500 levels", "{ account " * 500 + "}" * 500, "TOO_DEEP"),
    _query_attack(
        "1,400 brackets",
        "{ instances(filter: " + "[" * 1_400 + "]" * 1_400 + ") { totalCount } }",
        "TOO_DEEP",
    ),
    _query_attack(
        "two fragments that spread each other",
        "{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }",
        "FRAGMENT_CYCLE",
    ),
    _query_attack(
        "a fragment that spreads itself",
        "{ ...A } fragment A on Query { account { id } ...A }",
        "FRAGMENT_CYCLE",
    ),
    _query_attack("fragments that double", _doubling(20, "account { id }"), "TOO_MANY_ALIASES"),
    _query_attack(
        "doubling by nesting",
        "{ instances { nodes { bundle { ...F0 } } } } "
        + " ".join(
            f"fragment F{n} on Bundle {{ a: instances {{ bundle {{ ...F{n + 1} }} }}"
            f" b: instances {{ bundle {{ ...F{n + 1} }} }} }}"
            for n in range(5)
        )
        + " fragment F5 on Bundle { id }",
        "COST_TOO_HIGH",
    ),
    _query_attack(
        "pages in pages",
        "{ instances(first: 1000) { nodes { orders(first: 1000) { id } } } }",
        "COST_TOO_HIGH",
    ),
    _query_attack(
        "pages in pages by variables",
        "query Q($n: Int!) { instances(first: $n) { nodes { orders(first: $n) { id } } } }",
        "COST_TOO_HIGH",
        n=1000,
    ),
    _query_attack("introspection", "{ __schema { types { name } } }", "INTROSPECTION_DISABLED"),
    _query_attack(
        "introspection of a type",
        '{ account { id } __type(name: "Account") { name } }',
        "INTROSPECTION_DISABLED",
    ),
    _query_attack("circular introspection", TYPES_OF_FIELDS, "INTROSPECTION_DISABLED"),
    _query_attack(
        "a name of 200,000 characters", "query " + "x" * 200_000 + " { account { id } }", "DOCUMENT_TOO_LARGE"
    ),
    _query_attack(
        "100,000 numbers", "{ instance(id: [" + "1-" * 100_000 + "1]) { id } }", "DOCUMENT_TOO_LARGE"
    ),
    _query_attack("100,000 comments", "#\n" * 100_000 + "{ account { id } }", "DOCUMENT_TOO_LARGE"),
    _query_attack(
        "an unused fragment",
        "{ account { id } } fragment F on Query { " + " ".join(f"x: a{n}" for n in range(600)) + " }",
        "TOO_MANY_ALIASES",
    ),
    _query_attack(
        "two operations of the same name",
        "query A { account { id " + "x: name " * 500 + "} } query A { account { id } }",
        "BAD_REQUEST",
    ),
    _query_attack(
        "250 operations without an operationName",
        " ".join(f"query A{n} {{ account {{ id }} }}" for n in range(250)),
        "BAD_REQUEST",
        200,
    ),
    _query_attack(
        "a variable used 400 times",
        "query($i: QuoteRenewalInput!) { quoteRenewal(input: {"
        + " ".join(f"a{n}: $i" for n in range(400))
        + "}) { total } }",
        "BAD_REQUEST",
        200,
        i={str(n): [] for n in range(20_000)},
    ),
    _query_attack(
        "many errors with a long value in each",
        "{ instances(filter: {ids: ["
        + '"a"' * 500
        + "] "
        + " ".join(f"a{n}: 1" for n in range(120))
        + "}) { totalCount } }",
        "BAD_REQUEST",
        200,
    ),
    _query_attack(
        "a filter of 25,000 ids under 45 names",
        "query($i: [ID!]) { "
        + " ".join(f"a{n}: instances(filter: {{ids: $i}}) {{ totalCount }}" for n in range(45))
        + " }",
        "INVALID_INPUT",
        200,
        i=["x"] * 25_000,
    ),
    _query_attack(
        "an unused variable of 100,000 numbers", "{ account { id } }", "BODY_TOO_LARGE", 413, i=[1] * 100_000
    ),
    Attack("a batch", b"[" + b",".join([ACCOUNT_BODY] * 10) + b"]", 400, "BAD_REQUEST"),
    Attack(
        "a mutation by GET",
        b"",
        405,
        "BAD_REQUEST",
        "GET",
        {},
        "?query=mutation{resetCalendarToken{__typename}}",
    ),
    Attack(
        "a form",
        b"query=%7B__typename%7D",
        415,
        "BAD_REQUEST",
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    ),
    Attack("plain text", ACCOUNT_BODY, 415, "BAD_REQUEST", headers={"Content-Type": "text/plain"}),
    Attack(
        "another charset",
        ACCOUNT_BODY,
        415,
        "BAD_REQUEST",
        headers={"Content-Type": "application/json; charset=utf-16"},
    ),
    Attack("another method", ACCOUNT_BODY, 405, "BAD_REQUEST", "PUT"),
    Attack(
        "a number of 6,000 digits",
        b'{"query": "{ a }", "variables": {"n": %s}}' % (b"9" * 6_000),
        400,
        "BAD_REQUEST",
    ),
    _query_attack(
        "a literal of 6,000 digits",
        "{ instances(first: " + "9" * 6_000 + ") { totalCount } }",
        "DOCUMENT_TOO_LARGE",
    ),
    _query_attack(
        "a string of 300,000 characters",
        '{ instance(id: "' + "x" * 300_000 + '") { id } }',
        "DOCUMENT_TOO_LARGE",
    ),
    _query_attack(
        "1,100 strings",
        "{ instances(filter: {ids: [" + '"x"' * 1_100 + "]}) { totalCount } }",
        "DOCUMENT_TOO_LARGE",
    ),
    Attack(
        "deep JSON",
        b'{"query": "{ a }", "variables": ' + b'{"a":' * 50_000 + b"1" + b"}" * 50_001,
        400,
        "BAD_REQUEST",
    ),
    Attack("10 MB", b'{"query": "' + b"x" * MEGABYTES + b'"}', 413, "BODY_TOO_LARGE"),
    Attack(
        "a gzip bomb",
        gzip.compress(b'{"query": "' + b" " * MEGABYTES + b'"}'),
        400,
        "BAD_REQUEST",
        headers={"Content-Type": JSON, "Content-Encoding": "gzip"},
    ),
    Attack("a lone surrogate", rb'{"query": "{ a }", "variables": {"id": "\ud800"}}', 400, "BAD_REQUEST"),
    Attack("invalid UTF-8", b'{"query": "\xff\xfe"}', 400, "BAD_REQUEST"),
    *(
        Attack(f"body: {body!r}", body, 400, "BAD_REQUEST")
        for body in (b"null", b"1", b'"x"', b"[]", b"", b"{")
    ),
    *(
        Attack(f"query: {value!r}", b'{"query": %s}' % value, 400, "BAD_REQUEST")
        for value in (b"null", b"1", b'""', b"[]", b"{}", b"true")
    ),
)
