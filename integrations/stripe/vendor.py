"""The card of Stripe."""

from integrations.kernel.vendor import Port, Vendor
from integrations.stripe.settings import SETTINGS
from integrations.stripe.translate import KINDS

VENDOR = Vendor(
    slug="stripe",
    title="Stripe",
    ports=frozenset({Port.WEBHOOKS, Port.BILLING}),
    hosts=("api.stripe.com",),
    kinds=KINDS,
    settings=SETTINGS,
    scopes=("customers", "subscriptions", "invoices", "charges", "refunds", "disputes", "credit notes", "events"),
    sdk="stripe",
)
