"""The data of the demo account: products, data centers, names, amounts, and days until the expiries."""

import uuid
from collections.abc import Mapping
from typing import NamedTuple
from zoneinfo import ZoneInfo

from renewals.catalog import DataCenterRecord, DataCenterTypeRecord, ProductRecord
from renewals.domain.model import RenewalMode
from renewals.domain.pricing import DiscountTier

ZONE = ZoneInfo("Asia/Shanghai")
ID_NAMESPACE = uuid.UUID("6f6a4c1e-3f0b-5d6e-9a57-1f0c2d7b8e90")
"""The namespace of the ids that are derived from numbers."""


class OfferVariant(NamedTuple):
    """A variant of a product, with its monthly price in cents."""

    monthly_cents: int
    configuration: Mapping[str, str]


class Offer(NamedTuple):
    """A product with its variants, and its weight in the random choice of an instance's product."""

    product: ProductRecord
    weight: int
    variants: tuple[OfferVariant, ...]


YEARLY = (DiscountTier(12, 1_700),)
GROWING = (DiscountTier(6, 500), DiscountTier(12, 1_700), DiscountTier(24, 3_000))

EIP = Offer(
    ProductRecord("eip", "Elastic IP", "弹性IP", tiers=YEARLY),
    8,
    (
        OfferVariant(2_300, {"带宽": "1Mbps", "链路类型": "BGP"}),
        OfferVariant(12_505, {"带宽": "5Mbps", "链路类型": "BGP"}),
        OfferVariant(8_888, {"带宽": "10Mbps", "链路类型": "电信单线"}),
    ),
)
KEC = Offer(
    ProductRecord("kec", "Cloud server", "云服务器", tiers=GROWING),
    12,
    (
        OfferVariant(9_937, {"机型": "标准型S6", "CPU": "2核", "内存": "4GB"}),
        OfferVariant(19_874, {"机型": "标准型S6", "CPU": "4核", "内存": "8GB"}),
        OfferVariant(61_200, {"机型": "计算型C7", "CPU": "8核", "内存": "16GB"}),
    ),
)
EBS = Offer(
    ProductRecord("ebs", "Block storage", "云硬盘", tiers=GROWING),
    9,
    (
        OfferVariant(3_500, {"类型": "SSD3.0", "容量": "50GB"}),
        OfferVariant(10_001, {"类型": "ESSD PL1", "容量": "100GB"}),
    ),
)
KES = Offer(
    ProductRecord("kes", "Elasticsearch", "Elasticsearch服务", tiers=YEARLY),
    0,
    (OfferVariant(88_000, {"版本": "7.10.2", "节点数": "3"}),),
)
CDN = Offer(
    ProductRecord("cdn", "CDN traffic package", "CDN流量包", max_term_months=24, retention_days=3),
    2,
    (OfferVariant(1_337, {"流量": "100GB", "区域": "中国大陆"}),),
)
RDS = Offer(
    ProductRecord("rds", "Relational database", "云数据库RDS", retention_days=60, tiers=GROWING),
    5,
    (
        OfferVariant(23_333, {"引擎": "MySQL 8.0", "内存": "4GB", "存储": "100GB"}),
        OfferVariant(46_667, {"引擎": "PostgreSQL 16", "内存": "8GB", "存储": "200GB"}),
    ),
)
GENERAL = (
    EIP,
    KEC,
    EBS,
    Offer(
        ProductRecord("slb", "Load balancer", "负载均衡", tiers=YEARLY),
        5,
        (
            OfferVariant(4_999, {"类型": "公网", "规格": "标准型"}),
            OfferVariant(15_000, {"类型": "内网", "规格": "高阶型"}),
        ),
    ),
    RDS,
    Offer(
        ProductRecord("redis", "Redis", "云数据库Redis", retention_days=15, tiers=GROWING),
        4,
        (
            OfferVariant(7_201, {"版本": "7.0", "内存": "1GB"}),
            OfferVariant(28_804, {"版本": "7.0", "内存": "4GB"}),
        ),
    ),
    Offer(
        ProductRecord(
            "ks3", "Object storage package", "对象存储资源包", max_term_months=24, retention_days=30
        ),
        3,
        (OfferVariant(99, {"容量": "10GB"}), OfferVariant(11_800, {"容量": "1TB"})),
    ),
    Offer(
        ProductRecord("nat", "NAT gateway", "NAT网关", tiers=YEARLY),
        2,
        (OfferVariant(21_050, {"规格": "小型", "带宽": "10Mbps"}),),
    ),
    Offer(
        ProductRecord("vpn", "VPN gateway", "VPN网关", tiers=YEARLY),
        2,
        (OfferVariant(30_003, {"规格": "基础型", "带宽": "5Mbps"}),),
    ),
    CDN,
)
DDOS = Offer(
    ProductRecord(
        "ddos",
        "Anti-DDoS IP",
        "高防IP",
        unsupported_reason="Anti-DDoS IPs do not need renewal management for now.",
        unsupported_reason_zh="由于业务需要，高防IP暂时不需要续费管理功能。",
    ),
    0,
    (OfferVariant(2_080_000, {"防护带宽": "20Gbps", "线路": "BGP"}),),
)
CERT = Offer(
    ProductRecord(
        "cert",
        "Certificates",
        "证书管理",
        unsupported_reason="Renewing a certificate takes the company's data anew, so it cannot be done in one step.",
        unsupported_reason_zh="因续费过程中需要用户重新提交企业信息，无法支持一键续费，故暂不接入续费管理。",
    ),
    0,
    (OfferVariant(16_650, {"类型": "OV", "域名": "*.example.com"}),),
)
OFFERS = (*GENERAL, KES, DDOS, CERT)

DATA_CENTER_TYPES = (
    DataCenterTypeRecord("CLASSIC", "Classic network", "经典网络"),
    DataCenterTypeRecord("VPC", "Virtual private cloud", "专有网络"),
    DataCenterTypeRecord("EDGE", "Edge", "边缘节点"),
    DataCenterTypeRecord("DEDICATED", "Dedicated", "专属机房"),
    DataCenterTypeRecord("FINANCE", "Finance zone", "金融云"),
)
"""Types of data centers: four that many clouds have, and FINANCE as an example of a less common type."""
BEIJING_6 = DataCenterRecord("bj-6", "北京6区(VPC)", "VPC")
DATA_CENTERS = (
    BEIJING_6,
    DataCenterRecord("bj-1", "北京1区", "CLASSIC"),
    DataCenterRecord("sh-finance-2", "上海金融2区", "FINANCE"),
    DataCenterRecord("gz-1", "广州1区(VPC)", "VPC"),
    DataCenterRecord("cd-edge-1", "成都边缘1区", "EDGE"),
    DataCenterRecord("tj-dedicated-1", "天津专属1区", "DEDICATED"),
)


class Word(NamedTuple):
    """A word for names and tags, in English and in Chinese."""

    en: str
    zh: str


PURPOSES = (
    Word("shop", "商城"),
    Word("pay", "支付"),
    Word("search", "搜索"),
    Word("billing", "账单"),
    Word("portal", "门户"),
    Word("data", "数据平台"),
    Word("game", "游戏"),
    Word("media", "影音"),
)
STAGES = (Word("prod", "生产"), Word("stage", "预发"), Word("test", "测试"), Word("dev", "开发"))

DAYS_LEFT: Mapping[RenewalMode, tuple[int, ...]] = {
    RenewalMode.AUTO: (
        *(-45, -4, -2, -1, 2, 2, 2, 2, 2, 2, 2, 3, 3, 3, 4, 4, 4, 5, 6, 7, 8, 9, 10),
        *(12, 13, 15, 16, 18, 20, 22, 23, 24, 25, 26, 27, 30),
    ),
    RenewalMode.MANUAL: (
        *(-46, -44, -6, -5, -3, -1, 0, 0, 1, 2, 3, 3, 5, 7, 8, 11, 14, 15),
        *(17, 19, 21, 23, 26, 28, 30, 1_000, 1_060),
    ),
    RenewalMode.NONE: (-47, -5, -2, 0, 2, 6, 13, 24, 29),
}
"""The days from today to the last day, by renewal mode; negative for expired and released instances.

No AUTO instance is due before the day after tomorrow, so that a user can change something before the first renewal.
"""

MODE_WEIGHTS: Mapping[RenewalMode, int] = {RenewalMode.MANUAL: 5, RenewalMode.AUTO: 4, RenewalMode.NONE: 1}
"""The weights of the renewal modes of instances with more than two months left."""

LONG_EXPIRED_DAYS = -46
"""The days from today to the last day of an expired database instance. Two months is its shortest renewal.

Its product has 60 retention days, so the instance is not released yet.
"""

DAYS_LATER_MIN, DAYS_LATER_MAX = 63, 400
"""The range of days from today to the last day, for the instances that fill the account up to INSTANCE_COUNT."""
INSTANCE_COUNT = 300


class DemoTopUp(NamedTuple):
    """A top-up of `cents` that was made `days_ago` days before the day of the demo."""

    days_ago: int
    cents: int
    memo: str


class DemoVoucher(NamedTuple):
    """A voucher of `cents`, issued `days_ago` days before the day of the demo, expiring `days_left` days after it."""

    days_ago: int
    cents: int
    days_left: int
    product_codes: tuple[str, ...] = ()


INCOME: tuple[DemoTopUp | DemoVoucher, ...] = (
    DemoTopUp(700, 500_000, "首次充值"),
    DemoTopUp(200, 250_000, "充值"),
    DemoVoucher(190, 50_000, -5),
    DemoVoucher(60, 10_000, 30),
    DemoVoucher(60, 5_000, 30),
    DemoVoucher(45, 500_000, 60, ("vpn",)),
    DemoVoucher(30, 250_000, 90),
    DemoVoucher(20, 400_000, 120, ("eip",)),
    DemoTopUp(15, 263_721, "充值"),
    DemoVoucher(10, 3_000, 12, ("eip",)),
    DemoVoucher(10, 8_888, 180),
)
