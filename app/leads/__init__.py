"""Leads: renewals and upsells found here, handed to sales once, with evidence, and followed until they come back."""
