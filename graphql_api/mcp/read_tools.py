"""The tools that read: they change nothing, and the account pays nothing for them."""

from typing import Annotated, Literal

from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.mcpserver.tools import Tool
from pydantic import Field

from graphql_api.mcp import account_results, api_tool, inputs, instance_results
from graphql_api.mcp.api_client import ApiClient

FilterArgument = Annotated[
    inputs.InstanceFilter | None,
    Field(alias="filter", description="Null: all manageable ones except RELEASED."),
]


class ReadTools:
    """Queries of the API as tools."""

    def __init__(self, api: ApiClient) -> None:
        self._api = api

    def tools(self) -> list[Tool]:
        """Return the tools."""
        return [
            api_tool.ApiTool.build(self.list_instances, "List instances", api_tool.READ),
            api_tool.ApiTool.build(self.count_instances, "Count instances", api_tool.READ),
            api_tool.ApiTool.build(self.get_instance, "Get an instance", api_tool.READ),
            api_tool.ApiTool.build(self.forecast, "Forecast automatic renewals", api_tool.READ),
            api_tool.ApiTool.build(self.list_orders, "List orders", api_tool.READ),
            api_tool.ApiTool.build(self.list_ledger, "List ledger entries", api_tool.READ),
            api_tool.ApiTool.build(self.list_history, "List events", api_tool.READ),
        ]

    async def list_instances(
        self,
        ctx: api_tool.ToolContext,
        conditions: FilterArgument = None,
        order_by: Annotated[
            Literal["EXPIRES_AT", "CREATED_AT", "NAME", "PRODUCT", "ID"],
            Field(description="The key to sort by."),
        ] = "EXPIRES_AT",
        direction: Literal["ASC", "DESC"] = "ASC",
        first: inputs.PageRows = 20,
        offset: Annotated[int, Field(ge=0, description="Rows to skip.")] = 0,
    ) -> instance_results.InstanceList:
        """List instances, by default the earliest expiry first, and say whether the key may change anything."""
        variables = {
            "filter": _filter(conditions),
            "orderBy": {"field": order_by, "direction": direction},
            "first": first,
            "offset": offset,
            "facets": False,
        }
        data = await self._api.read(ctx.headers, "List", variables)
        return instance_results.InstanceList.model_validate(data)

    async def count_instances(
        self, ctx: api_tool.ToolContext, conditions: FilterArgument = None
    ) -> instance_results.InstanceCounts:
        """Count instances in total, and by tab, product, data center, data center type, and days to the expiry."""
        variables = {"filter": _filter(conditions), "first": 0}
        data = await self._api.read(ctx.headers, "List", variables)
        return instance_results.InstanceCounts.model_validate(data["instances"])

    async def get_instance(
        self, ctx: api_tool.ToolContext, instance_id: str
    ) -> instance_results.InstanceDetails:
        """Get one instance with its outlook (whether, when and for how much it is renewed), actions and last orders."""
        data = await self._api.read(ctx.headers, "InstanceDetails", {"id": instance_id})
        if data["instance"] is None:
            raise ToolError(
                f"instanceId: the account has no instance {instance_id!r}. Find its id with list_instances."
            )
        return instance_results.InstanceDetails.model_validate(data["instance"])

    async def forecast(
        self,
        ctx: api_tool.ToolContext,
        days: Annotated[int, Field(ge=1, le=366, description="Days, today included.")] = 30,
    ) -> account_results.Forecast:
        """Forecast the automatic renewals of the coming days, and the top-up that is needed to pay for them."""
        data = await self._api.read(ctx.headers, "Forecast", {"days": days})
        forecast = account_results.Forecast.model_validate(data["forecast"])
        return forecast.model_copy(update={"days": [day for day in forecast.days if day.due_count]})

    async def list_orders(
        self,
        ctx: api_tool.ToolContext,
        conditions: Annotated[
            inputs.OrderFilter | None, Field(alias="filter", description="Null: all.")
        ] = None,
        first: inputs.PageRows = 20,
        after: inputs.Cursor = None,
    ) -> account_results.OrderPage:
        """List the orders, the latest first, each with its first lines and its refunds."""
        data = await self._api.read(ctx.headers, "Orders", _page(conditions, first, after))
        return account_results.OrderPage.model_validate(data["orders"])

    async def list_ledger(
        self,
        ctx: api_tool.ToolContext,
        conditions: Annotated[
            inputs.LedgerFilter | None, Field(alias="filter", description="Null: all.")
        ] = None,
        first: inputs.PageRows = 20,
        after: inputs.Cursor = None,
    ) -> account_results.Ledger:
        """List the changes of the balance and of vouchers, the latest first, with the vouchers that can pay."""
        data = await self._api.read(ctx.headers, "Ledger", _page(conditions, first, after))
        return account_results.Ledger.model_validate(data)

    async def list_history(
        self,
        ctx: api_tool.ToolContext,
        conditions: Annotated[
            inputs.EventFilter | None, Field(alias="filter", description="Null: all.")
        ] = None,
        first: inputs.PageRows = 20,
        after: inputs.Cursor = None,
    ) -> account_results.HistoryPage:
        """List who changed what: the events of the account or of an instance, the newest first."""
        data = await self._api.read(ctx.headers, "History", _page(conditions, first, after))
        return account_results.HistoryPage.model_validate(data["eventHistory"])


def _page(conditions: inputs.Input | None, first: int, after: str | None) -> dict[str, object]:
    """Return the variables of a query for a page."""
    return {"filter": _filter(conditions), "first": first, "after": after}


def _filter(conditions: inputs.Input | None) -> dict[str, object] | None:
    """Return the variable of a filter, or None if `conditions` is None: the API then uses its default filter."""
    return conditions.to_variable() if conditions else None
