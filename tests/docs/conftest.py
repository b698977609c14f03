"""Fixtures of other folders, which the tests of pages use as well."""

from tests.graphql_api.auth.conftest import api, issuer, seconds
from tests.renewals.imports.conftest import renewals, url
from tests.renewals.operators.conftest import operator
from tests.renewals.webhooks.conftest import receiver, sending

__all__ = ["api", "issuer", "operator", "receiver", "renewals", "seconds", "sending", "url"]
