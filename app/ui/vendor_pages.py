"""What a person's browser is led to at a vendor, by its slug."""

from __future__ import annotations

from typing import Final

from integrations.kernel.vendor import Account

# Source: the addresses of Stripe's own dashboard, with /test/ for its test mode.
_DASHBOARDS: Final = {"stripe": "https://dashboard.stripe.com/{test}{page}/{id}"}
_TICKETS: Final = {"zendesk": "https://{subdomain}.zendesk.com/agent/tickets/{id}"}  # source: Zendesk's own addresses
# Source: an org sends a record's bare id on to its page, in either of its desktops (R).
_RECORDS: Final = {"salesforce": "https://{my_domain}.my.salesforce.com/{id}"}
_PAGES: Final = {"payer": "customers", "dispute": "disputes", "subscription": "subscriptions"}


def is_test(account: Account) -> bool:
    """Does this connection see made-up money only? Stripe writes it into its keys."""
    return "_test_" in account.secret("api_key")


def address(account: Account, kind: str, object_id: str) -> str:
    """The object at the vendor's own dashboard; "" where there is none, as with a simulated vendor."""
    template = _DASHBOARDS.get(account.vendor, "")
    if account.base_url or not template or kind not in _PAGES or not object_id.replace("_", "").isalnum():
        return ""
    return template.format(test="test/" if is_test(account) else "", page=_PAGES[kind], id=object_id)


def ticket(account: Account, ticket_id: str) -> str:
    """The ticket at the helpdesk; "" where there is none, as with a simulated vendor."""
    template, subdomain = _TICKETS.get(account.vendor, ""), str(account.config.get("subdomain", ""))
    if account.base_url or not template or not subdomain or not ticket_id.isalnum():
        return ""
    return template.format(subdomain=subdomain, id=ticket_id)


def record(account: Account, object_id: str) -> str:
    """The record at the CRM; "" where there is none, as with a simulated vendor."""
    template, domain = _RECORDS.get(account.vendor, ""), str(account.config.get("my_domain", ""))
    if account.base_url or not template or not domain.replace("-", "").replace(".", "").isalnum():
        return ""
    return template.format(my_domain=domain, id=object_id) if object_id.isalnum() else ""


def https(url: object) -> str:
    """A link a vendor gave, when it is one a browser may follow; else ""."""
    text = str(url or "")
    return text if text.startswith("https://") and not any(c in text for c in "\"'<>\\ ") else ""
