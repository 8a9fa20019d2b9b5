"""Signals from the billing mirror and from tickets, written into lead_signal: news where judged_digest <> digest."""

from app.leads.signals.queries import QUERIES
from app.leads.signals.scan import ENDED, Counts, scan_payers, scan_signal

__all__ = ["ENDED", "QUERIES", "Counts", "scan_payers", "scan_signal"]
