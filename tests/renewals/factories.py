"""Builders of values for tests, with defaults in their signatures."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from zoneinfo import ZoneInfo

import hypothesis

from renewals.domain import errors, model, planning, pricing
from renewals.domain import selection as domain_selection

SHANGHAI = ZoneInfo("Asia/Shanghai")
NEW_YORK = ZoneInfo("America/New_York")
KOLKATA = ZoneInfo("Asia/Kolkata")

unhurried = hypothesis.settings(deadline=None)
"""Settings of Hypothesis without a deadline, for busy machines."""


def day(text: str) -> dt.date:
    """Return a date, as in "2018-09-10"."""
    return dt.date.fromisoformat(text)


def at(text: str, zone: ZoneInfo = SHANGHAI) -> dt.datetime:
    """Return the UTC instant of a local time, as in "2018-09-10 23:59:59"."""
    return dt.datetime.fromisoformat(text).replace(tzinfo=zone).astimezone(dt.UTC)


def product(
    code: str = "KEC",
    *,
    unsupported_reason: str | None = None,
    max_term_months: int = 36,
    tiers: Sequence[tuple[int, int]] = (),
) -> model.Product:
    """Return a product, which is renewable unless it has a reason. `tiers` are (months, basis points)."""
    return model.Product(
        code=code,
        renewable=unsupported_reason is None,
        unsupported_reason=unsupported_reason,
        unsupported_reason_zh=None,
        max_term_months=max_term_months,
        retention_days=7,
        tiers=tuple(pricing.DiscountTier(*tier) for tier in tiers),
    )


PRODUCTS = (product("KEC"), product("EBS"), product("KES"))


def instance(
    instance_id: str = "i-1",
    *,
    expires: str | None = "2018-09-10",
    anchor_day: int | None = None,
    zone: ZoneInfo = SHANGHAI,
    monthly_cents: int = 300_00,
    product_code: str = "KEC",
    billing_mode: model.BillingMode = model.BillingMode.PREPAID,
    is_trial: bool = False,
    status: model.InstanceStatus = model.InstanceStatus.RUNNING,
    renewal_mode: model.RenewalMode = model.RenewalMode.MANUAL,
    auto_renew_months: int = 1,
    bundle_id: str | None = None,
) -> model.Instance:
    """Return an instance that expires at the end of a day, by default its anchor day."""
    return model.Instance(
        id=instance_id,
        account_id="a-1",
        product_code=product_code,
        billing_mode=billing_mode,
        is_trial=is_trial,
        status=status,
        renewal_mode=renewal_mode,
        auto_renew_months=auto_renew_months,
        expires_at=None if expires is None else at(f"{expires} 23:59:59", zone),
        anchor_day=anchor_day if anchor_day or expires is None else day(expires).day,
        monthly_price_cents=monthly_cents,
        bundle_id=bundle_id,
    )


def voucher(
    voucher_id: str = "v-1",
    available_cents: int = 100_00,
    *,
    expires: str = "2018-12-31 23:59:59",
    product_codes: Iterable[str] = (),
) -> model.Voucher:
    """Return a voucher with its remaining amount, for every product unless some are named."""
    return model.Voucher(voucher_id, available_cents, at(expires), frozenset(product_codes))


def context(
    now: str = "2018-09-10 00:30",
    *,
    products: Iterable[model.Product] = PRODUCTS,
    zone: ZoneInfo = SHANGHAI,
) -> planning.PlanContext:
    """Return a context of products, a zone, and a local time in the zone."""
    return planning.PlanContext({product.code: product for product in products}, zone, at(now, zone))


def selection(
    *picked: model.Instance, unpicked: Iterable[model.Instance] = (), missing_ids: Sequence[str] = ()
) -> domain_selection.Selection:
    """Return a selection. `unpicked` are the members of its bundles that are not selected."""
    members: dict[str, list[model.Instance]] = {}
    for member in (*picked, *unpicked):
        if member.bundle_id is not None:
            members.setdefault(member.bundle_id, []).append(member)
    return domain_selection.Selection(picked, members, missing_ids)


def plan(
    selected: domain_selection.Selection | model.Instance,
    extension: planning.Extension,
    judged_by: planning.PlanContext | None = None,
    *,
    handling: model.BundleHandling = model.BundleHandling.REFUSE,
    balance_cents: int = 1_000_000_00,
    vouchers: Iterable[model.Voucher] = (),
) -> planning.Plan:
    """Return the plan of a selection. The default balance is 1,000,000.00."""
    return planning.plan(
        selection=selection(selected) if isinstance(selected, model.Instance) else selected,
        handling=handling,
        extension=extension,
        context=judged_by or context(),
        balance_cents=balance_cents,
        vouchers=vouchers,
    )


def codes(refusals: Iterable[errors.Refusal]) -> Mapping[str, str]:
    """Return the code of each refused instance, and check that none is refused twice."""
    listed = [(refusal.instance_id, refusal.code.value) for refusal in refusals]
    assert len(dict(listed)) == len(listed)
    return dict(listed)
