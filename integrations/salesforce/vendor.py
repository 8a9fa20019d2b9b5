"""The card of Salesforce."""

from integrations.kernel.vendor import Port, Vendor
from integrations.salesforce.settings import SETTINGS

VENDOR = Vendor(
    slug="salesforce",
    title="Salesforce",
    ports=frozenset({Port.CRM}),
    hosts=("{my_domain}.my.salesforce.com",),
    settings=SETTINGS,
    scopes=("api",),
    sdk="simple-salesforce",
)
