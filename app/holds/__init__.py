"""Reasons for sales to wait: opened and released by refunds, disputes and tickets, read by leads."""

from app.holds.service import NOBODY, Hold, Key, Open, of_tickets, open, open_for, release, release_overdue, settle

__all__ = ["NOBODY", "Hold", "Key", "Open", "of_tickets", "open", "open_for", "release", "release_overdue", "settle"]
