"""The card of Intercom."""

from integrations.intercom.settings import HOSTS, SETTINGS
from integrations.intercom.translate import KINDS
from integrations.kernel.vendor import Port, Vendor

VENDOR = Vendor(
    slug="intercom",
    title="Intercom",
    ports=frozenset({Port.WEBHOOKS, Port.HELPDESK}),
    hosts=tuple(HOSTS.values()),
    kinds=KINDS,
    settings=SETTINGS,
    scopes=(
        "Read conversations",
        "Write conversations",
        "Read and write tags",
        "Read one user and one company",
        "Read admins",
    ),
)
