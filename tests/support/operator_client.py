"""A client of the operator API, which sends a mutation by its name, its input and the selected fields.

    await operator.do("topUp", "{ account { balance } }", accountId="a", amount="5.00")

Each call has a new idempotency key, unless `key` is passed.
"""

import itertools
from typing import Any

from tests.support.graphql_client import URL, Client

OPERATOR_URL = URL.replace("/graphql", "/operator/graphql")
_ERRORS = """__typename ... on Error { message } ... on InvalidInput { field } ... on NotFound { field }"""


class Operator(Client):
    """A client of the operator API."""

    url = OPERATOR_URL

    def __init__(self) -> None:
        super().__init__()
        self._numbers = itertools.count(1)

    async def do(self, verb: str, select: str = "", /, key: str | None = None, **sent: Any) -> dict[str, Any]:
        """Return the result of a mutation: the selected fields of its success, or an error."""
        name = verb[0].upper() + verb[1:]
        success = f"... on {name}Success {select}" if select else ""
        sent |= {"idempotencyKey": key or f"key {next(self._numbers)}"}
        # A query may only name the members of the union.
        refused = _ERRORS if verb not in _WITHOUT_NOT_FOUND else _ERRORS_WITHOUT_NOT_FOUND
        query = f"mutation($input: {name}Input!) {{ {verb}(input: $input) {{ {refused} {success} }} }}"
        return dict((await self(query, input=sent))[verb])

    async def done(
        self, verb: str, select: str = "", /, key: str | None = None, **sent: Any
    ) -> dict[str, Any]:
        """Return the success of a mutation."""
        answer = await self.do(verb, select, key=key, **sent)
        assert answer.pop("__typename") == f"{verb[0].upper()}{verb[1:]}Success", answer
        return answer

    async def refused(self, verb: str, /, key: str | None = None, **sent: Any) -> tuple[str, str | None, str]:
        """Return the type, the field and the message of an error."""
        answer = await self.do(verb, key=key, **sent)
        assert not answer["__typename"].endswith("Success"), answer
        return answer["__typename"], answer.get("field"), answer["message"]


_WITHOUT_NOT_FOUND = (
    "createAccount", "putProducts", "putDataCenterTypes", "putDataCenters", "changePrices", "confirmPrices",
    "makeFormal", "releaseInstances", "createWebhookEndpoint",
)  # fmt: skip
_ERRORS_WITHOUT_NOT_FOUND = _ERRORS.replace("... on NotFound { field }", "")
