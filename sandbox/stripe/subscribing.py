"""What customers do: subscribe, change seats, pause, leave, replace a card."""

from __future__ import annotations

from sandbox.stripe import objects as make
from sandbox.stripe.errors import Denied
from sandbox.stripe.giving_back import GivingBack
from sandbox.stripe.invoicing import part
from sandbox.stripe.objects import Object
from sandbox.stripe.periods import DAY, Interval, shift
from sandbox.stripe.store import act
from sandbox.world import PLANS

MONTHS = {"month": 1.0, "year": 10.0, "week": 0.25, "day": 1 / 30}  # of a price; a year costs ten months


class Subscribing(GivingBack):
    """Acts on subscriptions and customers."""

    def price(self, plan: int, currency: str, interval: Interval, *, metered: bool = False) -> Object:
        """The price of a plan in a currency and rhythm; made when first asked for."""
        word, count = interval
        pid = f"price_S{plan}{currency}{word}{count}{'m' if metered else ''}"
        if pid not in self.lists["prices"]:
            name, cents = PLANS[plan]
            wire = {"jpy": 1.0, "kwd": 3.0}.get(currency, 1.0)
            amount = max(10, round(cents * wire * MONTHS[word] * count / 10) * 10)
            amount = amount // 100 if metered and currency != "jpy" else amount
            amount = max(10, amount // 10 * 10) if currency == "kwd" else max(1, amount)
            self.put("prices", make.price(
                pid, f"prod_S{plan}", name, amount, currency, interval, self.now(), metered
            ))  # fmt: skip
        return self.lists["prices"][pid]

    def _subscribe(
        self, customer_id: str, prices: list[tuple[Object, int]], status: str, metadata: dict[str, str],
        trial_days: int = 0,
    ) -> Object:  # fmt: skip
        """A new subscription whose first period begins now; its first invoice is the caller's matter."""
        sid, start = self.new_id("sub"), self.now()
        items = []
        for its, quantity in prices:
            recurring = its["recurring"]
            end = shift(start, (recurring["interval"], recurring["interval_count"]))
            end = start + trial_days * DAY if trial_days else end
            items.append(make.item(self.new_id("si"), sid, its, quantity, start, end))
        currency = prices[0][0]["currency"]
        found = make.subscription(sid, customer_id, status, items, currency, start, metadata)
        if trial_days:
            found |= {"trial_start": start, "trial_end": start + trial_days * DAY}
        self.get("customers", customer_id)["currency"] = currency
        self.put("subscriptions", found)
        self.emit("customer.subscription.created", found)
        return found

    @act
    def subscribe(self, customer_id: str, plan: int = 1, seats: int = 5, interval: str = "month") -> Object:
        """A new subscription, paid at once."""
        currency = self.get("customers", customer_id)["currency"] or "usd"
        used = {"seats_used": str(seats)}
        found = self._subscribe(customer_id, [(self.price(plan, currency, (interval, 1)), seats)], "active", used)
        self._try(self._bill(found, "subscription_create"), None)
        return found

    @act
    def subscribe_for_a_year(self, customer_id: str, renews_in_days: int = 45, plan: int = 1, seats: int = 5) -> Object:
        """A yearly subscription, signed and paid so long ago that it renews in so many days."""
        signed = shift(self.now() + renews_in_days * DAY, ("year", 1), -1)
        with self.at(signed):  # nobody listened then
            found = self.subscribe(customer_id, plan, seats, "year")
        self.emit("customer.subscription.updated", found)
        return found

    @act
    def start_trial(self, customer_id: str, days: int = 14, plan: int = 1, seats: int = 5) -> Object:
        """A new subscription that costs nothing yet."""
        currency = self.get("customers", customer_id)["currency"] or "usd"
        prices = [(self.price(plan, currency, ("month", 1)), seats)]
        found = self._subscribe(customer_id, prices, "trialing", {"seats_used": "1"}, days)
        self._bill(found, "subscription_create", free=True)
        return found

    @act
    def change_quantity(self, of: str, quantity: int) -> Object | None:
        """Another number of seats; the difference for the rest of the period goes on the next invoice."""
        found = self._subscription(of)
        its = next((i for i in found["items"]["data"] if "quantity" in i), None) if found else None
        if found is None or its is None or found["status"] in ("canceled", "incomplete_expired"):
            return None
        if quantity < 0:
            raise Denied("parameter_invalid_integer", "quantity must be 0 or more", param="quantity")
        with self.changing(found, "customer.subscription.updated"):
            if found["status"] == "active" and quantity != its["quantity"]:
                self._prorate(found, its, quantity)
            its["quantity"] = quantity
        return found

    change_seats = change_quantity

    def _prorate(self, found: Object, its: Object, quantity: int) -> None:
        now, start, end = self.now(), its["current_period_start"], its["current_period_end"]
        left, span = max(0, end - now), max(1, end - start)
        waiting = self.prorations.setdefault(found["id"], [])
        for count, sign, text in ((its["quantity"], -1, "Unused time on"), (quantity, 1, "Remaining time on")):
            amount = sign * part(its["price"]["unit_amount"] * count, left, span, its["price"]["currency"])
            words = f"{text} {count} × {its['price']['nickname']}"
            waiting.append(make.line(
                self.new_id("il"), "", its, amount, count, now, end, proration=True, text=words
            ))  # fmt: skip

    @act
    def apply_coupon(self, of: str, coupon_id: str) -> Object:
        """A discount on a subscription, from now on."""
        found = self._subscription(of)
        if found is None:
            raise Denied("resource_missing", f"No subscription of {of}", 404)
        coupon, now = self.get("coupons", coupon_id), self.now()
        months = coupon["duration_in_months"]
        end = shift(now, ("month", months)) if months else None
        d = make.discount(self.new_id("di"), found["customer"], found["id"], now, end, coupon_id)
        self.put("discounts", d)
        with self.changing(found, "customer.subscription.updated"):
            found["discounts"] = [*found["discounts"], d["id"]]
        self.emit("customer.discount.created", d)
        return found

    @act
    def cancel_at_period_end(self, of: str) -> Object | None:
        """The customer leaves when the paid time is over."""
        found = self._subscription(of)
        if found is None or found["status"] in ("canceled", "incomplete_expired"):
            return None
        with self.changing(found, "customer.subscription.updated"):
            found |= {"cancel_at_period_end": True, "canceled_at": self.now(),
                      "cancel_at": min(i["current_period_end"] for i in found["items"]["data"])}  # fmt: skip
            found["cancellation_details"]["reason"] = "cancellation_requested"
        return found

    @act
    def cancel_now(self, of: str) -> Object | None:
        """The customer leaves today."""
        found = self._subscription(of)
        if found is None or found["status"] in ("canceled", "incomplete_expired"):
            return None
        self._cancel(found)
        return found

    def _cancel(self, found: Object) -> None:
        found |= {"status": "canceled", "canceled_at": self.now(), "ended_at": self.now()}
        found["cancellation_details"]["reason"] = "cancellation_requested"
        self.emit("customer.subscription.deleted", found)

    @act
    def pause(self, of: str, behavior: str = "void", *, whole: bool = False) -> Object | None:
        """Collect nothing for now; whole: the subscription itself is paused (its status says so)."""
        found = self._subscription(of)
        if found is None or found["status"] in ("canceled", "incomplete_expired"):
            return None
        if whole:
            with self.changing(found, "customer.subscription.updated", "customer.subscription.paused"):
                found["status"] = "paused"
        else:
            with self.changing(found, "customer.subscription.updated"):
                found["pause_collection"] = {"behavior": behavior, "resumes_at": None}
        return found

    @act
    def resume(self, of: str) -> Object | None:
        """Collect again."""
        found = self._subscription(of)
        if found is None:
            return None
        again = ("customer.subscription.resumed",) if found["status"] == "paused" else ()
        with self.changing(found, "customer.subscription.updated", *again):
            found["pause_collection"] = None
            found["status"] = "active" if again else found["status"]
        return found
