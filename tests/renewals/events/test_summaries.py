"""Each event has a summary in words, in the reader's language, with the facts of its payload (rule 27)."""

import re
from collections.abc import Mapping
from typing import Any

import orjson
import pytest

from renewals.domain import errors
from renewals.domain.model import Language
from renewals.events import summaries
from renewals.events.event_log import EventType
from renewals.i18n import catalogs

WEB = summaries.Subject("i-1", "web-1", "Asia/Shanghai", "CNY")
LAST_DAY = {"expiresAt": "2027-01-31T15:59:59+00:00"}
"""The member for the end of 31 January in Shanghai."""
ORDER = {"orderId": "o-1", "startsAt": "2026-12-31T15:59:59+00:00", **LAST_DAY}
ACCOUNT = summaries.Subject(None, None, "Asia/Shanghai", "CNY")
MANUAL, AUTO = ({"renewalMode": mode, "autoRenewMonths": 3} for mode in ("MANUAL", "AUTO"))

CASES: list[tuple[EventType, dict[str, Any], str, str]] = [
    (
        EventType.INSTANCE_RENEWED,
        ORDER | {"orderKind": "MANUAL_RENEWAL", "months": 1, "days": 0, "price": "99.00"},
        "web-1 (i-1) was renewed for 1 month until 2027-01-31; the price was 99.00 CNY.",
        "实例 web-1 (i-1) 已续费 1 个月，金额 99.00 CNY，新到期日 2027-01-31。",
    ),
    (
        EventType.INSTANCE_RENEWED,
        ORDER | {"orderKind": "AUTO_RENEWAL", "months": 3, "days": 0, "price": "297.00"},
        "web-1 (i-1) was renewed automatically for 3 months until 2027-01-31; the price was 297.00 CNY.",
        "实例 web-1 (i-1) 已自动续费 3 个月，金额 297.00 CNY，新到期日 2027-01-31。",
    ),
    (
        EventType.EXPIRY_UNIFIED,
        ORDER | {"orderKind": "UNIFY_EXPIRY", "months": 1, "days": 21, "price": "512.90"},
        "The expiry of web-1 (i-1) was unified to 2027-01-31 for 512.90 CNY.",
        "实例 web-1 (i-1) 的到期时间已统一为 2027-01-31，金额 512.90 CNY。",
    ),
    (
        EventType.INSTANCE_RENEWAL_FAILED,
        LAST_DAY | {"dueAt": "2027-01-30T16:30:00+00:00", "code": "INSUFFICIENT_FUNDS", "message": "x"},
        "web-1 (i-1) was not renewed automatically: Insufficient funds. It expires on 2027-01-31.",
        "实例 web-1 (i-1) 自动续费失败，原因：余额不足。到期日 2027-01-31。",
    ),
    (
        EventType.INSTANCE_EXPIRED,
        LAST_DAY | {"renewalMode": "AUTO"},
        "web-1 (i-1) expired on 2027-01-31.",
        "实例 web-1 (i-1) 已于 2027-01-31 过期。",
    ),
    (
        EventType.INSTANCE_RESTORED,
        LAST_DAY | {"renewalMode": "AUTO"},
        "web-1 (i-1) is running again; it expires on 2027-01-31.",
        "实例 web-1 (i-1) 已恢复运行，到期日 2027-01-31。",
    ),
    (
        EventType.INSTANCE_RELEASED,
        LAST_DAY | {"renewalMode": "NONE"},
        "web-1 (i-1) was released; its expiry was 2027-01-31.",
        "实例 web-1 (i-1) 已释放，原到期日 2027-01-31。",
    ),
    (
        EventType.INSTANCE_RELEASED,
        {"expiresAt": None, "renewalMode": "NONE"},
        "web-1 (i-1) was released.",
        "实例 web-1 (i-1) 已释放。",
    ),
    (
        EventType.INSTANCE_EXPIRING,
        LAST_DAY | {"daysBefore": 7, "renewalMode": "MANUAL", "code": None, "message": None},
        "web-1 (i-1) expires on 2027-01-31. Renew it before then.",
        "实例 web-1 (i-1) 将于 2027-01-31 到期，请及时续费。",
    ),
    (
        EventType.INSTANCE_EXPIRING,
        LAST_DAY | {"daysBefore": 7, "renewalMode": "AUTO", "code": "PRICE_HELD", "message": "x"},
        "web-1 (i-1) expires on 2027-01-31 and will not be renewed automatically: Price rise not accepted.",
        "实例 web-1 (i-1) 将于 2027-01-31 到期，且无法自动续费，原因：涨价未确认。",
    ),
    (
        EventType.INSTANCE_PRICE_HELD,
        {"agreedPrice": "99.00", "monthlyPrice": "150.00"},
        (
            "web-1 (i-1) costs 150.00 CNY a month instead of the agreed 99.00 CNY; "
            "auto-renewal is paused until you accept this price."
        ),
        "实例 web-1 (i-1) 的月价由 99.00 CNY 变为 150.00 CNY，自动续费已暂停，请确认新价格。",
    ),
    (
        EventType.INSTANCE_REFUNDED,
        LAST_DAY | {"orderId": "o-1", "refundId": "r-1", "amount": "99.00"},
        "99.00 CNY was refunded for web-1 (i-1); its expiry is 2027-01-31 again.",
        "实例 web-1 (i-1) 已退款 99.00 CNY，到期日恢复为 2027-01-31。",
    ),
    (
        EventType.POLICY_CHANGED,
        {"before": MANUAL, "after": AUTO},
        (
            'The renewal policy of web-1 (i-1) was changed from "Manual renewal" to '
            '"Auto-renewal, 3 months at a time".'
        ),
        "实例 web-1 (i-1) 的续费策略已由“手动续费”改为“自动续费，每次 3 个月”。",
    ),
    (
        EventType.POLICY_CHANGED,
        {"before": AUTO, "after": AUTO},
        "The renewal policy of web-1 (i-1) was confirmed: Auto-renewal, 3 months at a time.",
        "实例 web-1 (i-1) 的续费策略已确认：自动续费，每次 3 个月。",
    ),
    (
        EventType.ACCOUNT_SHORTFALL,
        {"days": 15, "firstShortfallOn": "2027-01-31", "topUpNeeded": "300.00", "balance": "12.50"},
        (
            "Auto-renewals of the next 15 days require 300.00 CNY more. The first shortfall is on 2027-01-31. "
            "The balance is 12.50 CNY."
        ),
        "未来 15 天的自动续费还缺 300.00 CNY，自 2027-01-31 起资金不足，当前余额 12.50 CNY。",
    ),
]
OMITTED = frozenset(
    {"orderId", "refundId", "orderKind", "startsAt", "dueAt", "daysBefore", "renewalMode", "message", "code"}
)
"""The members that a summary expresses in other words or omits."""


def summarize(
    event_type: str,
    payload: object,
    language: Language = Language.EN,
    subject: summaries.Subject = WEB,
) -> str:
    return catalogs.translate(
        summaries.summarize(event_type, orjson.dumps(payload).decode(), subject), language
    )


def subject_of(event_type: str) -> summaries.Subject:
    return ACCOUNT if event_type == EventType.ACCOUNT_SHORTFALL else WEB


def facts(payload: Mapping[str, Any]) -> set[str]:
    """Return the numbers, amounts and dates of a payload in the form in which a summary contains them."""
    stated = {name: value for name, value in payload.items() if name not in OMITTED and value is not None}
    if "orderId" in payload and payload.get("orderKind") == "UNIFY_EXPIRY":
        stated = {name: value for name, value in stated.items() if name not in ("months", "days")}
    texts = {"2027-01-31" if name == "expiresAt" else str(value) for name, value in stated.items()}
    return texts - {"0", str(MANUAL), str(AUTO)}


@pytest.mark.parametrize(("event_type", "payload", "english", "chinese"), CASES)
def test_a_summary_is_in_words_in_the_language_of_its_reader(
    event_type: EventType, payload: dict[str, Any], english: str, chinese: str
) -> None:
    assert summarize(event_type, payload, Language.EN, subject_of(event_type)) == english
    assert summarize(event_type, payload, Language.ZH, subject_of(event_type)) == chinese


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize(("event_type", "payload", "english", "chinese"), CASES)
def test_amounts_dates_and_names_of_a_summary_are_those_of_the_payload(
    event_type: EventType, payload: dict[str, Any], english: str, chinese: str, language: Language
) -> None:
    text = summarize(event_type, payload, language, subject_of(event_type))
    missing = {fact for fact in facts(payload) if fact not in text}
    assert not missing
    amounts = {value for value in payload.values() if isinstance(value, str) and "." in value}
    assert set(re.findall(r"\d+\.\d\d", text)) <= amounts
    assert event_type == EventType.ACCOUNT_SHORTFALL or ("web-1" in text and "i-1" in text)


def test_the_expected_summaries_cover_every_event_type() -> None:
    assert {event_type for event_type, *_ in CASES} == set(EventType)


def test_a_summary_has_the_date_in_the_time_zone_and_the_currency_of_its_account() -> None:
    in_new_york = WEB._replace(time_zone="America/New_York", currency="USD")
    payload = {"expiresAt": "2027-02-01T04:59:59+00:00", "amount": "1.00"}
    text = summarize(EventType.INSTANCE_REFUNDED, payload, subject=in_new_york)
    assert text == "1.00 USD was refunded for web-1 (i-1); its expiry is 2027-01-31 again."


@pytest.mark.parametrize("code", errors.RefusalCode)
@pytest.mark.parametrize("language", Language)
def test_the_summary_of_a_failed_renewal_has_its_reason_in_words_not_as_a_code(
    code: errors.RefusalCode, language: Language
) -> None:
    text = summarize(EventType.INSTANCE_RENEWAL_FAILED, LAST_DAY | {"code": code}, language)
    assert code not in text
    assert "2027-01-31" in text


def test_the_summary_of_a_failed_renewal_has_an_unknown_reason_as_its_code() -> None:
    text = summarize(EventType.INSTANCE_RENEWAL_FAILED, LAST_DAY | {"code": "MOON_PHASE"}, Language.ZH)
    assert text == "实例 web-1 (i-1) 自动续费失败，原因：MOON_PHASE。到期日 2027-01-31。"


@pytest.mark.parametrize("payload", [None, 1, "text", [], {}, {"expiresAt": "yesterday"}, {"before": 1}])
@pytest.mark.parametrize("event_type", [*EventType, "instance.teleported"])
def test_the_summary_of_an_unknown_type_or_an_invalid_payload_names_the_type(
    event_type: str, payload: object
) -> None:
    text = summarize(event_type, payload)
    plain = {f"Event {event_type} of web-1 (i-1).", "web-1 (i-1) was released."}
    assert text in plain
    assert summarize(event_type, payload, Language.ZH, ACCOUNT) in {
        f"账户事件：{event_type}。",
        "实例  已释放。",
    }


@pytest.mark.parametrize("name", ["{0}", "{instance.__class__}", "100 %", "数据库-1"])
def test_braces_in_the_name_of_an_instance_are_not_placeholders(name: str) -> None:
    text = summarize(EventType.INSTANCE_EXPIRED, LAST_DAY, subject=WEB._replace(instance_name=name))
    assert text == f"{name} (i-1) expired on 2027-01-31."


def test_an_instance_whose_name_is_unknown_is_named_by_its_id() -> None:
    text = summarize(EventType.INSTANCE_EXPIRED, LAST_DAY, subject=WEB._replace(instance_name=None))
    assert text == "i-1 expired on 2027-01-31."
