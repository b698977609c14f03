"""renewInstances: the effects on the instance, the order and the money (rules 6, 7, 9, 12, 16, 17, 22)."""

from renewals import catalog
from renewals.auto_renewal import renew
from renewals.db import connection as database
from tests.support import customer, integrity, sql_log
from tests.support.fixtures import World
from tests.support.graphql_client import Client


async def test_a_renewal_starts_at_the_old_expiry_and_is_paid_at_once(world: World, graphql: Client) -> None:
    buyer = await customer.open_account(world, graphql, balance="1000.00")
    await world.instance("i-1", expires="2027-01-31", price="300.00")
    renewed = await buyer.renew(["i-1"], months=1)
    order = renewed["order"]
    assert renewed == {
        "__typename": "RenewInstancesSuccess",
        "order": {
            "id": order["id"],
            "kind": "MANUAL_RENEWAL",
            "createdAt": "2027-01-10T04:00:00+00:00",
            "total": "300.00",
            "voucherTotal": "0.00",
            "balanceTotal": "300.00",
            "vouchers": [],
            "lines": [
                {
                    "instanceId": "i-1",
                    "startsAt": "2027-01-31T15:59:59+00:00",
                    "expiresAt": "2027-02-28T15:59:59+00:00",
                    "months": 1,
                    "days": 0,
                    "price": "300.00",
                }
            ],
            "lineCount": 1,
        },
        "instances": [
            {
                "id": "i-1",
                "expiresAt": "2027-02-28T15:59:59+00:00",
                "status": "RUNNING",
                "renewalMode": "MANUAL",
                "autoRenewMonths": 1,
            }
        ],
        "instanceCount": 1,
        "refusals": [],
        "refusalCount": 0,
        "account": {"balance": "700.00"},
    }
    assert await world.expiry("i-1") == "2027-02-28"
    assert await world.balance() == "700.00"
    assert await world.row(
        "SELECT kind, amount_cents, balance_after_cents, order_id::text FROM ledger_entries WHERE number = 2"
    ) == ("RENEWAL", -300_00, 700_00, order["id"])
    await integrity.assert_holds()


async def test_a_renewal_takes_six_round_trips(world: World, graphql: Client) -> None:
    """The key, BEGIN, the account's lock, all reads, all writes, and COMMIT. The response needs no further read."""
    await customer.open_account(world, graphql, balance="1000.00")
    await world.instance("i-1", expires="2027-01-31", price="300.00")
    await world.voucher("100.00")
    document = """mutation ($input: RenewInstancesInput!) { renewInstances(input: $input) {
      ... on RenewInstancesSuccess { order { id total createdAt } account { name balance }
        instances { id name status expiresAt agreedPrice configuration { value } tags { key } } }
    } }"""
    renewal = {"selection": {"ids": ["i-1"]}, "months": 1, "idempotencyKey": "key"}
    with sql_log.counted() as statements:
        first = await graphql(document, input=renewal)
    assert len(statements) + len(("BEGIN", "COMMIT")) == 6
    again = await graphql(document, input=renewal)
    assert again == first


async def test_a_renewal_of_three_instances_is_one_order_with_a_line_for_each_instance(
    world: World, graphql: Client
) -> None:
    buyer = await customer.open_account(world, graphql, balance="1000.00")
    await world.instances(["i-3", "i-1"], expires="2027-02-05", price="10.00")
    await world.instance("i-2", expires="2027-01-20", price="20.50")
    await world.instance("i-4", expires="2027-01-15", price="99.00")
    renewed = await buyer.renew(["i-1", "i-2", "i-3"], months=2)
    lines = [(line["instanceId"], line["price"]) for line in renewed["order"]["lines"]]
    assert lines == [("i-2", "41.00"), ("i-1", "20.00"), ("i-3", "20.00")]
    assert [instance["id"] for instance in renewed["instances"]] == ["i-2", "i-1", "i-3"]
    assert (renewed["order"]["total"], await world.balance()) == ("81.00", "919.00")
    assert (await world.count("orders"), await world.count("order_lines")) == (1, 3)
    assert await world.expiry("i-4") == "2027-01-15"
    await integrity.assert_holds()


async def test_renewals_by_months_end_on_the_anchor_day_or_on_the_last_day_of_the_month(
    world: World, graphql: Client
) -> None:
    buyer = await customer.open_account(world, graphql, balance="10000.00")
    await world.instances(["step", "jump"], expires="2027-01-31")
    reached = []
    for number in range(3):
        await buyer.renew(["step"], months=1, key=f"step-{number}")
        reached.append(await world.expiry("step"))
    assert reached == ["2027-02-28", "2027-03-31", "2027-04-30"]
    await buyer.renew(["jump"], months=3, key="jump")
    assert await world.expiry("jump") == "2027-04-30"
    assert [(await world.read(i)).anchor_day for i in ("step", "jump")] == [31, 31]
    await integrity.assert_holds()


async def test_twelve_months_are_17_percent_off_and_eleven_are_not(world: World, graphql: Client) -> None:
    buyer = await customer.open_account(world, graphql, balance="100000.00")
    await world.instances(["year", "odd", "eleven"], price="300.00", product="eip")
    await world.instance("other", price="300.00", product="kec")
    assert (await buyer.renew(["year"], months=12, key="1"))["order"]["total"] == "2988.00"
    assert (await buyer.renew(["odd"], months=13, key="2"))["order"]["total"] == "3237.00"
    assert (await buyer.renew(["eleven"], months=11, key="3"))["order"]["total"] == "3300.00"
    assert (await buyer.renew(["other"], months=12, key="4"))["order"]["total"] == "3600.00"


async def test_each_line_is_rounded_half_up_before_the_lines_are_added(world: World, graphql: Client) -> None:
    buyer = await customer.open_account(world, graphql, balance="1000.00")
    await world.instances(["i-1", "i-2"], price="0.15", product="eip")
    renewed = await buyer.renew(["i-1", "i-2"], months=13)  # 13 x 0.15 x 0.83 = 1.6185
    assert [line["price"] for line in renewed["order"]["lines"]] == ["1.62", "1.62"]
    assert (renewed["order"]["total"], await world.balance()) == ("3.24", "996.76")


async def test_a_late_renewal_starts_at_the_old_expiry_and_sets_the_instance_to_running(
    world: World, graphql: Client
) -> None:
    buyer = await customer.open_account(world, graphql, balance="1000.00")
    await world.instance("noted", product="kec", expires="2026-12-15", status="EXPIRED")
    await world.instance("passed", product="kec", expires="2026-12-10", status="RUNNING")
    renewed = await buyer.renew(["noted", "passed"], months=1)
    assert [(line["startsAt"], line["expiresAt"]) for line in renewed["order"]["lines"]] == [
        ("2026-12-10T15:59:59+00:00", "2027-01-10T15:59:59+00:00"),
        ("2026-12-15T15:59:59+00:00", "2027-01-15T15:59:59+00:00"),
    ]
    assert [instance["status"] for instance in renewed["instances"]] == ["RUNNING", "RUNNING"]
    assert (await world.read("noted")).status == "RUNNING"


async def test_a_renewal_that_would_end_in_the_past_is_refused_with_the_least_months(
    world: World, graphql: Client
) -> None:
    buyer = await customer.open_account(world, graphql, balance="10000.00")
    await world.instance("i-1", product="kec", expires="2026-12-10", status="EXPIRED")
    await world.instance("i-2", product="kec", expires="2026-08-31", status="EXPIRED")
    graphql.at(world.at("2027-01-11 00:00"))
    before = await world.snapshot()
    refused = await buyer.renew(["i-1", "i-2"], months=1)
    assert refused["__typename"] == "NotRenewable"
    assert customer.codes(refused) == {"i-1": "PERIOD_TOO_SHORT", "i-2": "PERIOD_TOO_SHORT"}
    assert [refusal["message"] for refusal in refused["refusals"]] == [
        "It expired on 2026-08-31; renew it for at least 5 months.",
        "It expired on 2026-12-10; renew it for at least 2 months.",
    ]
    assert await world.snapshot() == before
    await buyer.renew(["i-2"], months=5)
    assert await world.expiry("i-2") == "2027-01-31"


async def test_an_instance_past_its_retention_is_released_even_before_the_worker_runs(
    world: World, graphql: Client
) -> None:
    buyer = await customer.open_account(world, graphql, balance="1000.00")
    await world.instance("i-1", product="eip", expires="2027-01-03", status="EXPIRED")  # kept for 7 days
    before = await world.snapshot()
    graphql.at(world.at("2027-01-11 00:00"))
    assert customer.codes(await buyer.quote(["i-1"])) == {"i-1": "RELEASED"}
    assert customer.codes(await buyer.renew(["i-1"])) == {"i-1": "RELEASED"}
    assert (await graphql('{ instance(id: "i-1") { status } }'))["instance"] == {"status": "RELEASED"}
    assert await world.snapshot() == before
    graphql.at(world.at("2027-01-10 23:59:59"))
    assert (await buyer.renew(["i-1"]))["__typename"] == "RenewInstancesSuccess"


async def test_a_renewal_can_end_on_the_present_day(world: World, graphql: Client) -> None:
    buyer = await customer.open_account(world, graphql, balance="1000.00")
    await world.instance("i-1", product="kec", expires="2026-12-10", status="EXPIRED")
    graphql.at(world.at("2027-01-10 23:59:58"))
    assert (await buyer.renew(["i-1"], months=1))["__typename"] == "RenewInstancesSuccess"
    assert await world.expiry("i-1") == "2027-01-10"


async def test_a_renewal_beyond_the_maximum_term_from_now_is_refused(world: World, graphql: Client) -> None:
    buyer = await customer.open_account(world, graphql, balance="100000.00")
    await world.instances(["i-1"], expires="2027-01-10")
    await world.instances(["i-2"], expires="2027-01-11")
    before = await world.snapshot()
    refused = await buyer.renew(["i-1", "i-2"], months=36)
    assert customer.codes(refused) == {"i-2": "MAX_TERM_EXCEEDED"}
    assert await world.snapshot() == before
    await buyer.renew(["i-1"], months=36)
    await buyer.renew(["i-2"], months=35, key="another")
    assert (await world.expiry("i-1"), await world.expiry("i-2")) == ("2030-01-10", "2029-12-11")


async def test_a_product_can_have_a_maximum_term_of_its_own(world: World, graphql: Client) -> None:
    async with database.transaction() as connection:
        short = catalog.ProductRecord("short", "Short", "短", max_term_months=3)
        await catalog.upsert_products(connection, [short])
    buyer = await customer.open_account(world, graphql, balance="10000.00")
    await world.instance("i-1", expires="2027-01-10", product="short")
    assert customer.codes(await buyer.renew(["i-1"], months=4)) == {"i-1": "MAX_TERM_EXCEEDED"}
    assert (await buyer.renew(["i-1"], months=3))["__typename"] == "RenewInstancesSuccess"


async def test_a_renewal_does_not_change_the_renewal_policy(world: World, graphql: Client) -> None:
    buyer = await customer.open_account(world, graphql, balance="10000.00")
    await world.instance("auto", mode="AUTO", months=3)
    await world.instance("none", mode="NONE")
    await world.instance("expired", expires="2027-01-05", mode="AUTO", months=2, status="EXPIRED")
    renewed = await buyer.renew(["auto", "none", "expired"], months=1)
    assert {i["id"]: (i["renewalMode"], i["autoRenewMonths"]) for i in renewed["instances"]} == {
        "auto": ("AUTO", 3),
        "none": ("NONE", 1),
        "expired": ("AUTO", 2),
    }


async def test_the_worker_renews_an_expired_auto_instance_again_after_a_manual_renewal(
    world: World, graphql: Client
) -> None:
    buyer = await customer.open_account(world, graphql, balance="1000.00")
    await world.instance("i-1", expires="2027-01-05", mode="AUTO", status="EXPIRED", price="300.00")
    run = await renew.run_at(world.at("2027-01-10 00:30"), lambda: graphql.now)
    assert (run.renewed_count, await world.expiry("i-1")) == (0, "2027-01-05")
    await buyer.renew(["i-1"], months=1)
    await renew.run_at(world.at("2027-02-05 00:30"), lambda: graphql.now)
    assert (await world.expiry("i-1"), await world.balance()) == ("2027-03-05", "400.00")
    assert await world.rows("SELECT kind FROM orders ORDER BY created_at") == [
        ("MANUAL_RENEWAL",),
        ("AUTO_RENEWAL",),
    ]
    await integrity.assert_holds()


async def test_a_renewal_ends_at_the_end_of_a_day_in_the_account_s_time_zone(
    world: World, graphql: Client
) -> None:
    buyer = await customer.open_account(world, graphql, balance="1000.00", zone="America/New_York")
    await world.instance("i-1", expires="2027-02-28", anchor=31)
    renewed = await buyer.renew(["i-1"], months=1)
    [line] = renewed["order"]["lines"]
    assert line["startsAt"] == "2027-03-01T04:59:59+00:00"  # five hours behind UTC
    assert line["expiresAt"] == "2027-04-01T03:59:59+00:00"  # four: summer time
    assert await world.expiry("i-1") == "2027-03-31"


async def test_a_free_instance_is_renewed_without_a_payment(world: World, graphql: Client) -> None:
    buyer = await customer.open_account(world, graphql, balance="0.00")
    await world.voucher("10.00")
    await world.instance("i-1", price="0.00")
    entries = await world.count("ledger_entries")
    renewed = await buyer.renew(["i-1"], months=1, expectedTotal="0.00")
    assert (renewed["order"]["total"], renewed["order"]["vouchers"]) == ("0.00", [])
    assert (await world.expiry("i-1"), await world.count("ledger_entries")) == ("2027-02-28", entries)


async def test_a_second_mutation_in_a_document_uses_the_changes_of_the_first(
    world: World, graphql: Client
) -> None:
    await customer.open_account(world, graphql, balance="1000.00")
    await world.instance("i-1", expires="2027-01-31", price="300.00")
    await world.voucher("50.00")
    fields = """... on RenewInstancesSuccess {
      instances { expiresAt orders { total } } order { vouchers { amount voucher { available } } } }"""
    data = await graphql(
        f"""mutation ($first: RenewInstancesInput!, $second: RenewInstancesInput!) {{
          first: renewInstances(input: $first) {{ {fields} }}
          second: renewInstances(input: $second) {{ {fields} }} }}""",
        first={"selection": {"ids": ["i-1"]}, "months": 1, "idempotencyKey": "1"},
        second={"selection": {"ids": ["i-1"]}, "months": 1, "idempotencyKey": "2"},
    )
    assert data["first"]["instances"][0] == {
        "expiresAt": "2027-02-28T15:59:59+00:00",
        "orders": [{"total": "300.00"}],
    }
    assert data["first"]["order"]["vouchers"] == [{"amount": "50.00", "voucher": {"available": "0.00"}}]
    assert data["second"]["instances"][0] == {
        "expiresAt": "2027-03-31T15:59:59+00:00",
        "orders": [{"total": "300.00"}, {"total": "300.00"}],
    }
    assert data["second"]["order"]["vouchers"] == []
    assert await world.balance() == "450.00"
