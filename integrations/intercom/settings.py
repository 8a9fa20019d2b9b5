"""What a connection to Intercom needs."""

from __future__ import annotations

from integrations.kernel.vendor import Setting

# The version every call names. 2.16 adds to answers and changes none of what is read or written here (README).
VERSION = "2.15"
# Source: Intercom's OpenAPI document, "servers", read 2026-11.
HOSTS = {"us": "api.intercom.io", "eu": "api.eu.intercom.io", "au": "api.au.intercom.io"}

SETTINGS = (
    Setting("region", "Region", "us, eu or au: where the workspace lives", default="us"),
    Setting("access_token", "Access token", "Developer Hub > your app > Configure > Authentication", secret=True),
    Setting(
        "webhook_secret", "Client secret", "of the app, Basic information; several while it is changed", secret=True
    ),
    Setting(
        "workspace_id", "Workspace", "its id, in the address of the Developer Hub; for the inbox app", required=False
    ),
    Setting("snooze_hours", "Snooze for", "hours a conversation sleeps that a rule puts on hold", default="24"),
    Setting("limits", "Own limits", "`off` only against a simulator without limits", default="real"),
    Setting("own_user_id", "Our admin", "the admin we act as; found by itself (owner of the token)", required=False),
)
