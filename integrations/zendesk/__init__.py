"""Zendesk Support: webhooks of both kinds in, tickets read and written."""
