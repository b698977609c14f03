"""A client of the operator API: a mutation by its name, its input and what is selected of its success.

    await operator.do("topUp", "{ account { balance } }", accountId="a", amount="5.00")

Every call has an idempotency key of its own, unless one is given.
"""

import itertools
from typing import Any

from tests.support.graphql_client import URL, Client

OPERATOR_URL = URL.replace("/graphql", "/operator/graphql")
_REFUSED = """__typename ... on Error { message } ... on InvalidInput { field } ... on NotFound { field }"""


class Operator(Client):
    """Asks the operator API."""

    url = OPERATOR_URL

    def __init__(self) -> None:
        super().__init__()
        self._numbers = itertools.count(1)

    async def do(self, verb: str, select: str = "", /, key: str | None = None, **sent: Any) -> dict[str, Any]:
        """What a mutation answers: a success with what is selected of it, or a refusal."""
        name = verb[0].upper() + verb[1:]
        success = f"... on {name}Success {select}" if select else ""
        sent |= {"idempotencyKey": key or f"key {next(self._numbers)}"}
        # Only those refusals that the union has may be asked for.
        refused = _REFUSED if verb not in _NOTHING_NAMED else _NO_NOT_FOUND
        query = f"mutation($input: {name}Input!) {{ {verb}(input: $input) {{ {refused} {success} }} }}"
        return dict((await self(query, input=sent))[verb])

    async def done(
        self, verb: str, select: str = "", /, key: str | None = None, **sent: Any
    ) -> dict[str, Any]:
        """What a mutation answers that is done."""
        answer = await self.do(verb, select, key=key, **sent)
        assert answer.pop("__typename") == f"{verb[0].upper()}{verb[1:]}Success", answer
        return answer

    async def refused(self, verb: str, /, key: str | None = None, **sent: Any) -> tuple[str, str | None, str]:
        """The type of a refusal, the field it names, and its message."""
        answer = await self.do(verb, key=key, **sent)
        assert not answer["__typename"].endswith("Success"), answer
        return answer["__typename"], answer.get("field"), answer["message"]


_NOTHING_NAMED = (
    "createAccount", "putProducts", "putDataCenters", "changePrices", "confirmPrices", "makeFormal",
    "releaseInstances", "createWebhookEndpoint",
)  # fmt: skip
_NO_NOT_FOUND = _REFUSED.replace("... on NotFound { field }", "")
