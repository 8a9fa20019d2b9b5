"""Simulated Zendesk Support of the account `acme`."""
