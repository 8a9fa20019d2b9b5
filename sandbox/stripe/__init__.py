"""Simulated Stripe in test mode: lists, objects, events, signed webhooks, the stories of the world's payers."""
