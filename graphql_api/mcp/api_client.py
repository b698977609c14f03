"""The client of the GraphQL API: it sends an operation for a caller, and turns each refusal into a tool's error."""

from collections.abc import Mapping
from typing import Any

import httpx2
from mcp.server.mcpserver.exceptions import ToolError

from graphql_api.mcp import operations

SECONDS_MAX = 60
"""Seconds to wait for a response. The API's own limit for a request is 30 seconds by default."""
_SUCCESS = "Success"
_FACTS = ("required", "available", "shortfall", "expectedTotal", "total")
_REPEAT = (
    "It is unknown whether the change was made. Repeat the call with the same arguments: "
    "the change is made only once."
)
_REMEDIES = {
    "IdempotencyKeyReused": "Quote again, and send the idempotencyKey of that quote.",
    "InsufficientFunds": "Top up the shortfall and repeat the call, or quote fewer instances.",
    "InvalidInput": "Correct the argument.",
    "NotRenewable": "Leave these instances out, or send batchMode BEST_EFFORT.",
    "PriceChanged": "Quote again, and ask the customer to agree to the new total.",
}


class ApiClient:
    """A client of the API at one URL, with one key or, if `authorization` is None, with the key of each caller."""

    def __init__(
        self, http: httpx2.AsyncClient, url: str, *, language: str, authorization: str | None = None
    ) -> None:
        self._http = http
        self._url = url
        self._language = language
        self._authorization = authorization

    async def read(
        self, caller: Mapping[str, str] | None, name: str, variables: Mapping[str, object]
    ) -> dict[str, Any]:
        """Send a query, and return its data. Raises ToolError.

        `caller` contains the headers of a call over HTTP, and is None for a call over standard input.
        """
        return await self._send(
            caller,
            name,
            variables,
            "The API closed the connection, or did not respond "
            f"within {SECONDS_MAX} seconds. Try again, or request less data.",
        )

    async def change(
        self, caller: Mapping[str, str] | None, name: str, variables: Mapping[str, object]
    ) -> dict[str, Any]:
        """Send a mutation, and return its result. Raises ToolError if it fails or the API refuses it."""
        [result] = (await self._send(caller, name, variables, _REPEAT)).values()
        if not result["__typename"].endswith(_SUCCESS):
            raise ToolError(_describe_refusal(result))
        return dict(result)

    async def _send(
        self, caller: Mapping[str, str] | None, name: str, variables: Mapping[str, object], on_silence: str
    ) -> dict[str, Any]:
        body = {"query": operations.documents()[name], "operationName": name, "variables": variables}
        try:
            response = await self._http.post(
                self._url, json=body, headers=self._headers(caller), timeout=SECONDS_MAX
            )
        except httpx2.ConnectError:
            raise ToolError(
                "The API cannot be reached, so nothing was done. Try again in a minute."
            ) from None
        except httpx2.TransportError:
            raise ToolError(on_silence) from None
        try:
            answer = response.json()
            problems = answer.get("errors")
        except (ValueError, AttributeError):
            raise ToolError(
                f"The API's URL returned HTTP {response.status_code} without a GraphQL response. Check --url."
            ) from None
        if problems:
            raise ToolError("\n".join(map(_describe_problem, problems)) + _wait(response))
        return dict(answer["data"])

    def _headers(self, caller: Mapping[str, str] | None) -> dict[str, str]:
        """Return the headers of a request: the caller's own key and language over HTTP, else those of the process."""
        sent = caller or {}
        return {
            "Authorization": self._authorization or sent.get("authorization", ""),
            "Accept-Language": sent.get("accept-language", self._language),
        }


def _describe_problem(problem: Mapping[str, Any]) -> str:
    """Return the code and the sentence of a GraphQL error. If an argument is wrong, the sentence names it."""
    code = problem.get("extensions", {}).get("code")
    return f"{code}: {problem['message']}" if code else str(problem["message"])


def _wait(response: httpx2.Response) -> str:
    seconds = response.headers.get("retry-after")
    return f" Wait {seconds} seconds." if seconds else ""


def _describe_refusal(result: Mapping[str, Any]) -> str:
    """Return the reason why a mutation changed nothing, with the amounts, the refused instances and the remedy."""
    kind = result["__typename"]
    facts = ", ".join(f"{name} {result[name]}" for name in _FACTS if name in result)
    lines = [f"{kind}: {result['message']}" + (f" ({facts})" if facts else "")]
    lines += [
        f"- {refusal['instanceId']}: {refusal['code']}: {refusal['message']}"
        for refusal in result.get("refusals", [])
    ]
    return "\n".join([*lines, f"Nothing was changed. {_REMEDIES.get(kind, '')}".rstrip()])
