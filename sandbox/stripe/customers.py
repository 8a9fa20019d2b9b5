"""What happens to customers themselves: they come, change, replace a card, are deleted."""

from __future__ import annotations

from sandbox.stripe import objects as make
from sandbox.stripe.errors import Denied
from sandbox.stripe.objects import Object
from sandbox.stripe.store import act
from sandbox.stripe.subscribing import Subscribing


class Customers(Subscribing):
    """Acts on customers."""

    @act
    def create_customer(
        self, email: str | None, name: str | None = None, country: str = "US", metadata: dict[str, str] | None = None
    ) -> Object:
        """Somebody new; no currency until they pay."""
        made = make.customer(self.new_id("cus"), name, email, None, country, self.now(), dict(metadata or {}))
        self.put("customers", made)
        self.emit("customer.created", made)
        return made

    @act
    def update_customer(
        self, customer_id: str, email: str | None = None, name: str | None = None,
        metadata: dict[str, str] | None = None,
    ) -> Object:  # fmt: skip
        """Another address or name; metadata is added, an empty value takes a key away."""
        found = self._living(customer_id)
        with self.changing(found, "customer.updated"):
            found |= {key: value for key, value in (("email", email), ("name", name)) if value is not None}
            merged = {**found["metadata"], **(metadata or {})}
            found["metadata"] = {key: value for key, value in merged.items() if value != ""}
        return found

    def update_email(self, customer_id: str, email: str) -> Object:
        """The customer has another address."""
        return self.update_customer(customer_id, email=email)

    @act
    def delete_customer(self, customer_id: str) -> Object:
        """Gone for ever: subscriptions end, cards are detached, the id answers `deleted`."""
        found = self._living(customer_id)
        for subscription in self.of("subscriptions", customer=customer_id):
            if subscription["status"] not in ("canceled", "incomplete_expired"):
                self._cancel(subscription)
        for method in self.of("payment_methods", customer=customer_id):
            method["customer"] = None
        self.emit("customer.deleted", found)
        self.lists["customers"][customer_id] = {"id": customer_id, "object": "customer", "deleted": True}
        return self.lists["customers"][customer_id]

    @act
    def update_card(
        self, customer_id: str, last4: str = "1881", brand: str = "visa", year: int = 2032, month: int = 11
    ) -> Object:
        """The old card goes, a new one comes."""
        customer = self._living(customer_id)
        old = self._card(customer_id)
        made = make.payment_method(self.new_id("pm"), customer_id, year, month, self.now(), brand, last4)
        self.put("payment_methods", made)
        self.emit("payment_method.attached", made)
        with self.changing(customer, "customer.updated"):
            customer["invoice_settings"] = {**customer["invoice_settings"], "default_payment_method": made["id"]}
        if old is not None:
            with self.changing(old):
                old["customer"] = None
            self.emit("payment_method.detached", old, {"customer": customer_id})
        return made

    def _living(self, customer_id: str) -> Object:
        found = self.get("customers", customer_id)
        if found.get("deleted"):
            raise Denied("resource_missing", f"No such customer: '{customer_id}'", 404, "id")
        return found
