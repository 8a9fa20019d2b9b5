"""What a connection to Zendesk needs."""

from __future__ import annotations

import re

from integrations.kernel.vendor import Setting

SUBDOMAIN = re.compile(r"[a-z0-9][a-z0-9-]{0,62}", re.ASCII)
API_TOKENS_END = "2027-04-30"

# The signing secret Zendesk publishes for "test webhook" requests: anybody can sign with it.
# Source: Zendesk developer docs, "Verifying and authenticating webhooks", read 2026-11.
PUBLISHED_TEST_SECRET = "dGhpc19zZWNyZXRfaXNfZm9yX3Rlc3Rpbmdfb25seQ=="  # noqa: S105 - published by Zendesk

SETTINGS = (
    Setting(
        "subdomain", "Subdomain", "the part before .zendesk.com: letters, digits and dashes", pattern=SUBDOMAIN.pattern
    ),
    Setting(
        "client_id", "OAuth client id", "Admin Center > Apps and integrations > APIs > OAuth clients", required=False
    ),
    Setting("client_secret", "OAuth client secret", "shown once when the client is made", secret=True, required=False),
    Setting("scope", "OAuth scopes", "space separated", default="read tickets:write webhooks:write triggers:write"),
    Setting(
        "webhook_secret",
        "Signing secret",
        "of the webhook, never the one Zendesk publishes for tests; several while it is rotated",
        secret=True,
        never=(PUBLISHED_TEST_SECRET,),
    ),
    Setting(
        "legacy_email", "E-mail of an API token", f"only without OAuth; API tokens end {API_TOKENS_END}", required=False
    ),
    Setting("legacy_token", "API token", f"only without OAuth; ends {API_TOKENS_END}", secret=True, required=False),
    Setting(
        "batch_tags", "Tags in batches", "`ignored` where the account's batches leave tags out", default="honoured"
    ),
    Setting("calls_per_minute", "Calls a minute", "your plan's limit: 200, 400, 700 or 2500", default="400"),
    Setting("limits", "Own limits", "`off` only against a simulator without limits", default="real"),
    Setting("own_user_id", "Our user", "found by itself", required=False),
)
