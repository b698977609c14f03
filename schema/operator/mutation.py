"""The root of the operators' mutations. Each returns its success type, or a typed error if it is refused."""

import strawberry

from renewals.operators import (
    accounts,
    api_keys,
    catalog,
    instances,
    refunds,
    registration,
    runs,
    vouchers,
    webhooks,
)
from schema.operator import catalog_inputs, inputs, instance_inputs, payloads
from schema.operator import webhooks as webhook_types
from schema.operator.errors import NotFound, NotRefundable
from schema.operator.mutation_field import mutation_field


@strawberry.type(
    description="Every mutation requires an idempotency key, is one transaction, and is recorded in the audit log."
)
class Mutation:
    create_account = mutation_field(
        inputs.CreateAccountInput,
        payloads.CreateAccountSuccess,
        lambda call, request: accounts.create_account(call, request.to_request()),
        errors=(),
        description="Creates an account with a balance of zero.",
    )
    update_account = mutation_field(
        inputs.UpdateAccountInput,
        payloads.UpdateAccountSuccess,
        lambda call, request: accounts.update_account(call, request.to_request()),
        description="Changes the name, the language and the renewal settings of an account.",
    )
    top_up = mutation_field(
        inputs.TopUpInput,
        payloads.TopUpSuccess,
        lambda call, request: accounts.top_up(call, request.to_request()),
        description="Adds money to the balance of an account.",
    )
    issue_vouchers = mutation_field(
        inputs.IssueVouchersInput,
        payloads.IssueVouchersSuccess,
        lambda call, request: vouchers.issue_vouchers(call, request.account_id, request.to_vouchers()),
        description="Issues vouchers to an account: all of them, or none if one is invalid.",
    )
    create_api_key = mutation_field(
        inputs.CreateApiKeyInput,
        payloads.CreateApiKeySuccess,
        lambda call, request: api_keys.create_key(call, request.to_request()),
        description="Creates an API key for an account or for an operator.",
    )
    revoke_api_key = mutation_field(
        inputs.RevokeApiKeyInput,
        payloads.RevokeApiKeySuccess,
        lambda call, request: api_keys.revoke_key(call, request.key_id),
        description="Revokes an API key immediately and permanently. A key that is already revoked does not change.",
    )
    put_products = mutation_field(
        catalog_inputs.PutProductsInput,
        payloads.PutProductsSuccess,
        lambda call, request: catalog.put_products(call, request.to_records()),
        errors=(),
        description="Creates products, or replaces those that have the same code, discount tiers included.",
    )
    put_data_center_types = mutation_field(
        catalog_inputs.PutDataCenterTypesInput,
        payloads.PutDataCenterTypesSuccess,
        lambda call, request: catalog.put_data_center_types(call, request.to_records()),
        errors=(),
        description="Creates types of data centers, or renames those that have the same code.",
    )
    put_data_centers = mutation_field(
        catalog_inputs.PutDataCentersInput,
        payloads.PutDataCentersSuccess,
        lambda call, request: catalog.put_data_centers(call, request.to_records()),
        errors=(),
        description="Creates data centers, or replaces those that have the same code.",
    )
    register_instances = mutation_field(
        instance_inputs.RegisterInstancesInput,
        payloads.RegisterInstancesSuccess,
        lambda call, request: registration.register_instances(call, request.to_request()),
        description=(
            "Registers instances of an account and updates those that are registered. Each instance is accepted or "
            "refused separately, but a bundle as a whole; `refusals` lists the refused ones."
        ),
    )
    change_prices = mutation_field(
        instance_inputs.ChangePricesInput,
        payloads.ChangePricesSuccess,
        lambda call, request: instances.change_prices(call, request.to_prices()),
        errors=(),
        description="Sets the monthly prices of instances of any accounts, from now on.",
    )
    confirm_prices = mutation_field(
        instance_inputs.ConfirmPricesInput,
        payloads.ConfirmPricesSuccess,
        lambda call, request: instances.approve_prices(call, request.instance_ids),
        errors=(),
        description=(
            "Records that the customers agree to the current prices. The worker then resumes the renewals that it "
            "stopped because a price rose by more than the account's limit."
        ),
    )
    make_formal = mutation_field(
        instance_inputs.MakeFormalInput,
        payloads.MakeFormalSuccess,
        lambda call, request: instances.convert_trials(call, request.instance_ids),
        errors=(),
        description="Converts trial instances to formal ones, which can be renewed.",
    )
    release_instances = mutation_field(
        instance_inputs.ReleaseInstancesInput,
        payloads.ReleaseInstancesSuccess,
        lambda call, request: instances.release_instances(call, request.instance_ids),
        errors=(),
        description="Releases instances now and permanently. A bundle is released as a whole.",
    )
    create_webhook_endpoint = mutation_field(
        webhook_types.CreateWebhookEndpointInput,
        webhook_types.CreateWebhookEndpointSuccess,
        lambda call, request: webhooks.create_endpoint(call, request.to_request()),
        errors=(),
        description="Creates an endpoint of the provider, which receives the events of all accounts.",
    )
    update_webhook_endpoint = mutation_field(
        webhook_types.UpdateWebhookEndpointInput,
        webhook_types.UpdateWebhookEndpointSuccess,
        lambda call, request: webhooks.update_endpoint(call, request.id, request.to_change()),
        description="Changes the URL or the event types of a provider's endpoint, or enables or disables the endpoint.",
    )
    rotate_webhook_secret = mutation_field(
        webhook_types.RotateWebhookSecretInput,
        webhook_types.RotateWebhookSecretSuccess,
        lambda call, request: webhooks.rotate_secret(call, request.id, request.overlap_hours),
        description="Creates a new signing secret for an endpoint of the provider.",
    )
    delete_webhook_endpoint = mutation_field(
        webhook_types.DeleteWebhookEndpointInput,
        webhook_types.DeleteWebhookEndpointSuccess,
        lambda call, request: webhooks.delete_endpoint(call, request.id),
        description="Deletes an endpoint of the provider with its secrets and its waiting and parked deliveries.",
    )
    replay_webhook_delivery = mutation_field(
        webhook_types.ReplayWebhookDeliveryInput,
        webhook_types.ReplayWebhookDeliverySuccess,
        lambda call, request: webhooks.replay_delivery(
            call,
            request.id,
            request.account_id,
            request.sequence,
            and_all_after=request.and_all_after,
        ),
        description="Sends a parked delivery again, or an event of an account and all later events.",
    )
    send_test_webhook = mutation_field(
        webhook_types.SendTestWebhookInput,
        webhook_types.SendTestWebhookSuccess,
        lambda call, request: webhooks.send_test_message(call, request.id),
        description="Sends a test message to an endpoint of the provider and returns the response.",
    )
    retry_parked = mutation_field(
        inputs.RetryParkedInput,
        payloads.RetryParkedSuccess,
        lambda call, request: runs.retry_parked(call, request.run_id),
        description=(
            "Starts a run for the accounts that an earlier run parked. The worker starts to process the new run "
            "within a minute."
        ),
    )
    refund_order = mutation_field(
        inputs.RefundOrderInput,
        payloads.RefundOrderSuccess,
        lambda call, request: refunds.refund_order(call, request.to_request()),
        errors=(NotRefundable, NotFound),
        description=(
            "Refunds lines of an order if their periods have not started, and restores the earlier expiries. The money "
            "returns to the vouchers and the balance that paid; the part that an expired voucher paid goes to the "
            "balance. The renewal mode stays, so an AUTO instance that is due is renewed again."
        ),
    )
