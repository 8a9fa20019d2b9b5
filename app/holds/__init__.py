"""Reasons for sales to wait: opened and released by refunds, disputes and tickets, read by leads."""
