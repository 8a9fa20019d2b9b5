"""Intercom: conversations as tickets, contacts as people, companies as organisations."""
