"""What all objects share."""

from __future__ import annotations

from typing import Any

Object = dict[str, Any]


def listed(url: str, data: list[Object]) -> Object:
    """A list inside an object."""
    return {"object": "list", "data": data, "has_more": False, "url": url}


def address(country: str | None = None) -> Object:
    """A postal address that knows its country at most."""
    return {"city": None, "country": country, "line1": None, "line2": None, "postal_code": None, "state": None}


def billing_details(email: str | None = None, name: str | None = None) -> Object:
    """Who stands on the card."""
    return {"address": address(), "email": email, "name": name, "phone": None, "tax_id": None}
