"""The card of Zendesk."""

from integrations.kernel.vendor import Port, Vendor
from integrations.zendesk.settings import SETTINGS
from integrations.zendesk.translate import KINDS

VENDOR = Vendor(
    slug="zendesk",
    title="Zendesk",
    ports=frozenset({Port.WEBHOOKS, Port.HELPDESK}),
    hosts=("{subdomain}.zendesk.com",),
    kinds=KINDS,
    settings=SETTINGS,
    scopes=("read", "tickets:write", "webhooks:write", "triggers:write"),
    sdk="zenpy",
)
