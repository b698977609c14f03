"""The tools that make payments or set policies, each with the tool that quotes or previews the change."""

from typing import Annotated

from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.mcpserver.tools import Tool
from pydantic import Field

from graphql_api.mcp import api_tool, change_results, inputs, quote_key
from graphql_api.mcp.api_client import ApiClient

AutoRenewMonths = Annotated[
    int | None,
    Field(ge=1, le=36, description="For AUTO: months per renewal. Null: each instance keeps its number."),
]
_LATEST_ENTRY: dict[str, object] = {"filter": None, "first": 1}


class ChangeTools:
    """Mutations of the API as tools, with their quotes and previews."""

    def __init__(self, api: ApiClient) -> None:
        self._api = api

    def tools(self) -> list[Tool]:
        """Return the tools."""
        return [
            api_tool.ApiTool.build(self.preview_renewal_policy, "Preview a renewal policy", api_tool.READ),
            api_tool.ApiTool.build(self.set_renewal_policy, "Set a renewal policy", api_tool.CHANGE),
            api_tool.ApiTool.build(self.quote_renewal, "Quote a renewal", api_tool.READ),
            api_tool.ApiTool.build(self.renew_instances, "Renew and pay", api_tool.CHANGE),
            api_tool.ApiTool.build(self.quote_unify_expiry, "Quote a common expiry", api_tool.READ),
            api_tool.ApiTool.build(self.unify_expiry, "Unify the expiry and pay", api_tool.CHANGE),
        ]

    async def preview_renewal_policy(
        self,
        ctx: api_tool.ToolContext,
        selection: inputs.Selection,
        mode: inputs.RenewalMode,
        auto_renew_months: AutoRenewMonths = None,
        bundles: inputs.Bundles = "REFUSE",
        batch_mode: inputs.BatchMode = "BEST_EFFORT",
    ) -> change_results.PolicyPreview:
        """Preview set_renewal_policy: which instances change, and the first charge of each. Changes nothing."""
        request = _policy_request(selection, mode, auto_renew_months, bundles, batch_mode)
        data = await self._api.read(ctx.headers, "PreviewPolicy", {"input": request})
        return change_results.PolicyPreview.model_validate(data["previewRenewalPolicy"])

    async def set_renewal_policy(
        self,
        ctx: api_tool.ToolContext,
        selection: inputs.Selection,
        mode: inputs.RenewalMode,
        expected_change_count: Annotated[
            int, Field(ge=0, description="changeCount of the preview that the customer agreed to.")
        ],
        auto_renew_months: AutoRenewMonths = None,
        bundles: inputs.Bundles = "REFUSE",
        batch_mode: inputs.BatchMode = "BEST_EFFORT",
    ) -> change_results.PolicyResult:
        """Set how instances are renewed, after preview_renewal_policy. Charges nothing now; AUTO charges later."""
        request = _policy_request(selection, mode, auto_renew_months, bundles, batch_mode)
        data = await self._api.read(ctx.headers, "PreviewPolicy", {"input": request})
        count = data["previewRenewalPolicy"]["changeCount"]
        if count not in (expected_change_count, 0):  # 0: an earlier call has made the change
            raise ToolError(
                f"expectedChangeCount: the number of instances that would change is {count}, "
                f"not {expected_change_count}. Nothing was changed. Preview again, and ask the customer to agree."
            )
        result = await self._api.change(ctx.headers, "SetPolicy", {"input": request})
        return change_results.PolicyResult.model_validate(result)

    async def quote_renewal(
        self,
        ctx: api_tool.ToolContext,
        selection: inputs.Selection,
        months: inputs.Months,
        bundles: inputs.Bundles = "REFUSE",
    ) -> change_results.Quote:
        """Quote renew_instances: the price, how it is paid, which instances are refused and why. Charges nothing."""
        return await self._quote(ctx, "QuoteRenewal", _renewal_request(selection, months, bundles))

    async def renew_instances(
        self,
        ctx: api_tool.ToolContext,
        selection: inputs.Selection,
        months: inputs.Months,
        expected_total: inputs.ExpectedTotal,
        idempotency_key: inputs.IdempotencyKey,
        bundles: inputs.Bundles = "REFUSE",
        batch_mode: inputs.BatchMode = "ALL_OR_NOTHING",
    ) -> change_results.Payment:
        """Renew instances in one order and charge the account, as quoted by quote_renewal."""
        request = _renewal_request(selection, months, bundles)
        return await self._pay(ctx, "Renew", request, expected_total, idempotency_key, batch_mode)

    async def quote_unify_expiry(
        self,
        ctx: api_tool.ToolContext,
        selection: inputs.Selection,
        target: inputs.UnifyTarget,
        bundles: inputs.Bundles = "REFUSE",
    ) -> change_results.Quote:
        """Quote unify_expiry: the price of a common last day, which instances are refused and why. Charges nothing."""
        return await self._quote(ctx, "QuoteUnify", _unify_request(selection, target, bundles))

    async def unify_expiry(
        self,
        ctx: api_tool.ToolContext,
        selection: inputs.Selection,
        target: inputs.UnifyTarget,
        expected_total: inputs.ExpectedTotal,
        idempotency_key: inputs.IdempotencyKey,
        bundles: inputs.Bundles = "REFUSE",
        batch_mode: inputs.BatchMode = "ALL_OR_NOTHING",
    ) -> change_results.Payment:
        """Extend instances to a common last day and charge the account, as quoted by quote_unify_expiry."""
        request = _unify_request(selection, target, bundles)
        return await self._pay(ctx, "Unify", request, expected_total, idempotency_key, batch_mode)

    async def _quote(
        self, ctx: api_tool.ToolContext, operation: str, request: dict[str, object]
    ) -> change_results.Quote:
        ledger = await self._api.read(ctx.headers, "Ledger", _LATEST_ENTRY)
        [quote] = (await self._api.read(ctx.headers, operation, {"input": request})).values()
        key = quote_key.build_quote_key(operation, request, quote, ledger)
        return change_results.Quote.model_validate({**quote, "idempotencyKey": key})

    async def _pay(
        self,
        ctx: api_tool.ToolContext,
        operation: str,
        request: dict[str, object],
        expected_total: str,
        idempotency_key: str,
        batch_mode: str,
    ) -> change_results.Payment:
        request |= {
            "batchMode": batch_mode,
            "expectedTotal": expected_total,
            "idempotencyKey": idempotency_key,
        }
        result = await self._api.change(ctx.headers, operation, {"input": request})
        return change_results.Payment.model_validate(result)


def _renewal_request(selection: inputs.Selection, months: int, bundles: str) -> dict[str, object]:
    """Return the arguments that a renewal and its quote share."""
    return {"selection": selection.to_variable(), "months": months, "bundles": bundles}


def _unify_request(
    selection: inputs.Selection, target: inputs.UnifyTarget, bundles: str
) -> dict[str, object]:
    """Return the arguments that a common expiry and its quote share."""
    return {"selection": selection.to_variable(), "target": target.to_variable(), "bundles": bundles}


def _policy_request(
    selection: inputs.Selection, mode: str, auto_renew_months: int | None, bundles: str, batch_mode: str
) -> dict[str, object]:
    """Return the arguments that a change of policy and its preview share."""
    return {
        "selection": selection.to_variable(),
        "mode": mode,
        "autoRenewMonths": auto_renew_months,
        "bundles": bundles,
        "batchMode": batch_mode,
    }
