"""The shops of others: six systems, and one that somebody wrote alone."""

from __future__ import annotations

from collections.abc import Mapping

from orderhe_dagster_tests.intake.shops_of_others.laravel import LARAVEL
from orderhe_dagster_tests.intake.shops_of_others.magento import MAGENTO
from orderhe_dagster_tests.intake.shops_of_others.opencart import OPENCART
from orderhe_dagster_tests.intake.shops_of_others.prestashop import PRESTASHOP
from orderhe_dagster_tests.intake.shops_of_others.prisma import PRISMA
from orderhe_dagster_tests.intake.shops_of_others.shop import OtherShop
from orderhe_dagster_tests.intake.shops_of_others.shopware import SHOPWARE
from orderhe_dagster_tests.intake.shops_of_others.woocommerce import WOOCOMMERCE

SHOPS: Mapping[str, OtherShop] = {
    shop.name: shop
    for shop in (WOOCOMMERCE, PRESTASHOP, OPENCART, MAGENTO, SHOPWARE, LARAVEL, PRISMA)
}
