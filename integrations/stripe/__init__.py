"""Stripe: webhooks in, lists and events read. Nothing is written from here yet."""
