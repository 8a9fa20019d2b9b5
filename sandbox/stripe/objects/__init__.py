"""Stripe's objects in the shapes of API version 2026-10-28. Each maker gives a whole object, references as ids.

Source: vendor sheet 3.4 and the document derived from stripe-python 16.1.0, read 2026-11.
"""

from sandbox.stripe.objects.billing import credit_note, credit_note_line, invoice, invoice_payment, line
from sandbox.stripe.objects.catalogue import coupon, discount, plan, price, product
from sandbox.stripe.objects.money import balance_transaction, charge, dispute, payment_intent, refund
from sandbox.stripe.objects.people import customer, payment_method
from sandbox.stripe.objects.shape import Object
from sandbox.stripe.objects.subscriptions import item, subscription

__all__ = [
    "Object", "balance_transaction", "charge", "coupon", "credit_note", "credit_note_line", "customer", "discount",
    "dispute", "invoice", "invoice_payment", "item", "line", "payment_intent", "payment_method", "plan", "price",
    "product", "refund", "subscription",
]  # fmt: skip
