"""What a connection to Salesforce needs, and the names that stand for it in the org.

Source: vendor sheet 4, read 2026-11; what it marks (R) is one constant here or one table in a file named for it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from integrations.kernel.errors import ConfigError
from integrations.kernel.vendor import Setting

VERSION = "66.0"  # 67.0 existed when this was written; one is what every call names
KEY_FIELD, VERDICT_FIELD, REASON_FIELD = "Deskbridge_Key__c", "Deskbridge_Verdict__c", "Deskbridge_Reason__c"
LOGIN, TEST = "https://login.salesforce.com", "https://test.salesforce.com"
DAILY_SHARE = "20"
_TEST_ORGS = (".sandbox", ".scratch")  # My Domains of orgs whose tokens are for the test audience (R for scratch)

MY_DOMAIN = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.(?:sandbox|scratch|develop|trailblaze|demo|patch))?")
FIELD = re.compile(r"[A-Za-z]\w{0,79}", re.ASCII)

SETTINGS = (
    Setting(
        "my_domain", "My Domain", "the part before .my.salesforce.com: acme, or acme--uat.sandbox",
        pattern=MY_DOMAIN.pattern,
    ),
    Setting("consumer_key", "Consumer key", "of the External Client App: its OAuth settings"),
    Setting("username", "User name", "of the integration user; for JWT bearer, with `private_key`", required=False),
    Setting(
        "private_key", "Private key", "PEM without a passphrase, of the certificate the app was given; for JWT bearer",
        secret=True, required=False, pattern=r"(?s)\s*-----BEGIN (?:RSA )?PRIVATE KEY-----.+",
    ),
    Setting(
        "consumer_secret", "Consumer secret", "for client credentials, without `username`; several while it is rotated",
        secret=True, required=False,
    ),
    Setting("currency", "Currency", "ISO code of an org with one currency, such as EUR; without it no amount is written",
            required=False, pattern=r"(?:[A-Z]{3})?"),
    Setting("key_field", "Key field", "our external id field on Lead, Opportunity and Task; setup makes it",
            default=KEY_FIELD, pattern=FIELD.pattern),
    Setting("account_key_field", "Account's id field", "a field of Account that holds your own id of the company",
            required=False, pattern=rf"(?:{FIELD.pattern})?"),
    Setting("territory_field", "Territory field", "the field of Account that the owners' table goes by",
            default="BillingCountry", pattern=FIELD.pattern),
    Setting("stage", "Stage of a new deal", "one of the org's stages; the first open one when left out", required=False),
    Setting("fields", "Extra fields", "name=Field__c, by spaces: score, next_step, ticket, payer, link; used where the "
            "org has the field", required=False),
    Setting("daily_share", "Share of the day's calls", "percent of the org's API calls of 24 hours that we may make; when "
            "they are made, we wait", default=DAILY_SHARE, pattern=r"[1-9][0-9]?|100"),
    Setting("limits", "Own limits", "`off` only against a simulator without limits", default="real"),
)  # fmt: skip


def host_of(config: Mapping[str, Any]) -> str:
    """The org's host. Raises ConfigError for a My Domain that is none."""
    name = str(config.get("my_domain") or "").lower()
    if not MY_DOMAIN.fullmatch(name):
        raise ConfigError("my_domain: the part before .my.salesforce.com, such as acme or acme--uat.sandbox")
    return f"{name}.my.salesforce.com"


def audience_of(config: Mapping[str, Any]) -> str:
    """Whom a signed assertion is for: production and developer orgs one, sandboxes the other."""
    return TEST if str(config.get("my_domain") or "").lower().endswith(_TEST_ORGS) else LOGIN


def field_name(config: Mapping[str, Any], setting: str, default: str = "") -> str:
    """The name of a field in the org; it goes into queries as it is, so it is checked. Raises ConfigError."""
    name = str(config.get(setting) or default)
    if name and not FIELD.fullmatch(name):
        raise ConfigError(f"{setting}: the API name of a field, such as {default or 'Customer_Id__c'}")
    return name


def extra_fields(config: Mapping[str, Any]) -> dict[str, str]:
    """Names of ours -> fields of the org's, of the setting `fields`. Raises ConfigError."""
    found = {}
    for pair in re.split(r"[,\s]+", str(config.get("fields") or "").strip()):
        name, sign, field = pair.partition("=")
        if pair and not (sign and name and FIELD.fullmatch(field)):
            raise ConfigError("fields: name=Field__c, by spaces, such as payer=Stripe_Customer__c")
        if pair:
            found[name] = field
    return found
