"""Pure modules depend only on their arguments: they read no settings and no clock."""

import datetime as dt
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from renewals import config
from renewals.auto_renewal import due
from renewals.domain import model, planning, policy
from renewals.forecasts import calendar_entries, instance_forecast, policy_preview, simulation
from tests.renewals import factories
from tests.support.fixtures import NOW

ROOT = Path(__file__).parents[3]


def test_an_import_contract_forbids_the_clock_in_every_module_of_the_domain() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
    [pure] = [
        contract for contract in contracts["contracts"] if contract["name"].startswith("Pure decisions")
    ]
    domain = {f"renewals.domain.{path.stem}" for path in (ROOT / "renewals/domain").glob("*.py")}
    excluded = {"renewals.domain.__init__", "renewals.domain.clock"}
    assert domain - excluded == {module for module in pure["source_modules"] if ".domain." in module}
    assert "renewals.domain.clock" in pure["forbidden_modules"]


ACCOUNT = model.Account("a", ZoneInfo("Asia/Shanghai"), 1_000_00, 0, 0)
AUTO = factories.instance(expires="2027-01-31", renewal_mode=model.RenewalMode.AUTO)
PRODUCTS: Mapping[str, model.Product] = {product.code: product for product in factories.PRODUCTS}
SNAPSHOT = simulation.AccountSnapshot(ACCOUNT, PRODUCTS, [AUTO], ())
CONTEXT = planning.PlanContext(PRODUCTS, ACCOUNT.zone, NOW)
PURE: Mapping[str, Callable[[], object]] = {
    "simulate": lambda: simulation.simulate(SNAPSHOT, 40, NOW),
    "simulate_instances": lambda: instance_forecast.simulate_instances(
        instance_forecast.find_first(SNAPSHOT, 40, NOW), [AUTO], CONTEXT, ACCOUNT
    ),
    "simulate_entries": lambda: list(calendar_entries._simulate_entries(SNAPSHOT, 40, NOW)),
    "due_at": lambda: due.due_at(AUTO, ACCOUNT),
    "latest_due_expiry": lambda: due.latest_due_expiry(NOW, ACCOUNT),
    "refuse_left": lambda: due.refuse_left(AUTO, ACCOUNT),
    "plan_policy": lambda: policy.plan_policy(
        factories.selection(AUTO),
        policy.NewPolicy(model.RenewalMode.NONE),
        CONTEXT,
        handling=model.BundleHandling.REFUSE,
        batch_mode=model.BatchMode.BEST_EFFORT,
    ),
    "find_first_charges": lambda: policy_preview.find_first_charges([AUTO], ACCOUNT, CONTEXT),
}


@pytest.mark.parametrize("name", PURE)
def test_a_pure_module_reads_no_setting(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> config.Settings:
        raise AssertionError("a setting was read")

    monkeypatch.setattr(config, "get_settings", refuse)
    assert PURE[name]() is not None or name == "refuse_left"


def test_the_due_time_uses_the_time_of_day_and_the_lead_days_of_the_account() -> None:
    early = model.Account("a", ZoneInfo("Asia/Shanghai"), 0, 0, 2, auto_renew_time=dt.time(5, 15))
    assert due.due_at(AUTO, early) == dt.datetime(2027, 1, 28, 21, 15, tzinfo=dt.UTC)
