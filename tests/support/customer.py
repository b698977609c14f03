"""A customer of the API: a method for each operation, which returns the result as data.

    buyer = await customer.open_account(world, graphql, balance="1000.00")
    await world.instance("i-1", expires="2027-01-31", price="300.00")
    renewed = await buyer.renew(["i-1"], months=1)
    assert renewed["order"]["total"] == "300.00"

A selection is a list of ids, or a mapping with the fields of the GraphQL input type.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from tests.support.fixtures import World
from tests.support.graphql_client import Client

Selection = Sequence[str] | Mapping[str, Any]
Result = dict[str, Any]

_REFUSALS = "refusals(first: 1000) { instanceId code message bundleInstanceIds } refusalCount"
_INSTANCES = "instances(first: 1000) { id expiresAt status renewalMode autoRenewMonths } instanceCount"
_VOUCHERS = "vouchers { voucher { id } amount }"
_ERRORS = f"""
  ... on Error {{ message }}
  ... on NotRenewable {{ {_REFUSALS} }}
  ... on InvalidInput {{ field }}
"""
_ORDER_ERRORS = f"""{_ERRORS}
  ... on InsufficientFunds {{ required available shortfall }}
  ... on PriceChanged {{ expectedTotal total }}
"""
_ORDER = f"""order {{ id kind createdAt total voucherTotal balanceTotal {_VOUCHERS}
  lines(first: 1000) {{ instanceId startsAt expiresAt months days price }} lineCount }}"""
_QUOTE = f"""
  lines(first: 1000) {{ instanceId startsAt expiresAt months days listPrice discount price }} lineCount
  {_REFUSALS} {_VOUCHERS} listTotal discountTotal total voucherTotal balanceTotal balanceAfter shortfall
"""
RENEW = f"""mutation ($input: RenewInstancesInput!) {{ result: renewInstances(input: $input) {{ __typename
  ... on RenewInstancesSuccess {{ {_ORDER} {_INSTANCES} {_REFUSALS} account {{ balance }} }} {_ORDER_ERRORS} }} }}"""
UNIFY = f"""mutation ($input: UnifyExpiryInput!) {{ result: unifyExpiry(input: $input) {{ __typename
  ... on UnifyExpirySuccess {{ {_ORDER} {_INSTANCES} {_REFUSALS} account {{ balance }} }} {_ORDER_ERRORS} }} }}"""
SET_POLICY = f"""mutation ($input: SetRenewalPolicyInput!) {{ result: setRenewalPolicy(input: $input) {{ __typename
  ... on SetRenewalPolicySuccess {{ changedCount unchangedCount {_INSTANCES} {_REFUSALS} }} {_ERRORS} }} }}"""
QUOTE = f"query ($input: QuoteRenewalInput!) {{ result: quoteRenewal(input: $input) {{ {_QUOTE} }} }}"
QUOTE_UNIFY = (
    f"query ($input: QuoteUnifyExpiryInput!) {{ result: quoteUnifyExpiry(input: $input) {{ {_QUOTE} }} }}"
)


class Buyer:
    """One account with its HTTP client."""

    def __init__(self, client: Client) -> None:
        self.client = client

    async def renew(self, selection: Selection, months: int = 1, *, key: str = "key", **more: Any) -> Result:
        """Call renewInstances and return its result, with the type in __typename."""
        return await self._ask(RENEW, selection, months=months, idempotencyKey=key, **more)

    async def unify(
        self,
        selection: Selection,
        *,
        date: str | None = None,
        day: int | None = None,
        key: str = "key",
        **more: Any,
    ) -> Result:
        """Call unifyExpiry with a date or a day of the month."""
        return await self._ask(UNIFY, selection, target=_target(date, day), idempotencyKey=key, **more)

    async def set_policy(self, selection: Selection, mode: str, **more: Any) -> Result:
        """Call setRenewalPolicy."""
        return await self._ask(SET_POLICY, selection, mode=mode, **more)

    async def quote(self, selection: Selection, months: int = 1, **more: Any) -> Result:
        """Call quoteRenewal."""
        return await self._ask(QUOTE, selection, months=months, **more)

    async def quote_unify(
        self, selection: Selection, *, date: str | None = None, day: int | None = None, **more: Any
    ) -> Result:
        """Call quoteUnifyExpiry."""
        return await self._ask(QUOTE_UNIFY, selection, target=_target(date, day), **more)

    async def _ask(self, document: str, selection: Selection, **rest: Any) -> Result:
        result = await self.client(document, input={"selection": picked(selection), **rest})
        return dict(result["result"])


async def open_account(
    world: World, client: Client, account: str = "a", *, balance: str = "0.00", zone: str = "Asia/Shanghai"
) -> Buyer:
    """Open an account and return a client of it."""
    await world.account(account, balance=balance, zone=zone)
    return await of(world, client, account)


async def of(world: World, client: Client, account: str) -> Buyer:
    """Return a client of an existing account."""
    client.key = await world.key(account)
    return Buyer(client)


def picked(selection: Selection) -> dict[str, Any]:
    """Return a selection as its GraphQL input."""
    return dict(selection) if isinstance(selection, Mapping) else {"ids": list(selection)}


def matching(*, except_ids: Sequence[str] = (), **conditions: Any) -> dict[str, Any]:
    """Return the selection of all instances that match a filter, except those in `except_ids`."""
    return {"matching": {"filter": conditions, "except": list(except_ids)}}


def codes(result: Result) -> dict[str, str]:
    """Return the code of each refused instance, and check that none is refused twice."""
    codes_by_id = {refusal["instanceId"]: refusal["code"] for refusal in result["refusals"]}
    assert len(codes_by_id) == len(result["refusals"])
    return codes_by_id


def _target(date: str | None, day: int | None) -> dict[str, Any]:
    return {"date": date} if date is not None else {"dayOfMonth": day}
